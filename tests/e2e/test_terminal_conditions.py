"""The real program under every kind of terminal, stream and limit: the answer, or one clear line; never a traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, environment, openai_at, repository
from tests.wire.server import Reply, WireServer

ANSWER = "The answer is **forty-two**.\n\n- because\n- it is\n"
PLAIN = ANSWER.strip() + "\n"


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with WireServer(then=Reply(ANSWER), key=KEY) as made:
        yield made


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a + b\n"})


@pytest.fixture
def env(home: Path, server: WireServer) -> dict[str, str]:
    return environment(home, **openai_at(server.url))


def chat(folder: Path, env: Mapping[str, str], shell: str = "", **more: str) -> tuple[int, str, str]:
    """One question through a shell that sets the scene; ``shell`` stands behind the command, {} for the command."""
    script = shell or "{}"
    script = script if "{}" in script else "{} " + script
    command = f"{sys.executable} -m ctxe chat -p 'what is it?'"
    done = subprocess.run(
        ["/bin/bash", "-c", script.replace("{}", command)],
        cwd=folder,
        env={**env, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def clean(text: str) -> bool:
    return "Traceback" not in text and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


CONDITIONS: dict[str, tuple[str, dict[str, str | None]]] = {
    "few files, input and errors closed, a home that is none": ("ulimit -n 40; {} <&- 2>&-", {"HOME": "/dev/null"}),
    "small files, little stack, an empty pipe, no home": (
        "ulimit -f 2000; ulimit -s 512; {} < <(true)",
        {"HOME": None},
    ),
    "errors to a full device, an ASCII stream, no terminal": (
        "{} 2>/dev/full",
        {"TERM": "", "PYTHONIOENCODING": "ascii", "LANG": "xx_YY.bogus"},
    ),
    "colours asked for": ("{}", {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "COLUMNS": "1", "LC_ALL": "C"}),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_pipe_gets_the_answer_alone_without_escapes(repo: Path, env: dict[str, str], name: str) -> None:
    shell, more = CONDITIONS[name]
    chosen = {key: value for key, value in {**env, **more}.items() if value is not None}
    code, out, err = chat(repo, chosen, shell)
    assert (code, out) == (0, PLAIN), err
    assert clean(err)


def test_closed_standard_streams_do_not_fail_a_run(repo: Path, env: dict[str, str]) -> None:
    assert chat(repo, env, "<&- >&- 2>&-") == (0, "", "")
    assert subprocess.run(["git", "fsck"], cwd=repo, capture_output=True, check=True).stdout == b""


def test_a_full_output_device_is_one_line_and_an_exit_code(repo: Path, env: dict[str, str]) -> None:
    code, _, err = chat(repo, env, ">/dev/full")
    assert code == 1
    assert "cannot write the output: No space left on device" in err
    assert clean(err)


def test_a_closed_pipe_ends_the_run_silently(repo: Path, env: dict[str, str]) -> None:
    code, out, err = chat(repo, env, "set -o pipefail; {} | true")
    assert (code in (1, 141), out) == (True, "")
    assert clean(err)
    assert "roken pipe" not in err


@pytest.mark.parametrize("words", ["--version", "--help", "plan --help"])
def test_help_to_a_closed_pipe_is_silent_and_to_a_full_disk_one_line(
    repo: Path, env: dict[str, str], words: str
) -> None:
    command = f"{sys.executable} -m ctxe {words}"
    for shell, code, says in (
        (f"set -o pipefail; {command} | (exec <&-; sleep 1)", 141, ""),
        (f"{command} >/dev/full", 1, "ctxe: cannot write the output: No space left on device\n"),
    ):
        done = subprocess.run(
            ["/bin/bash", "-c", shell], cwd=repo, env=env, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (code, b"")
        assert done.stderr.decode().startswith(says)
        assert clean(done.stderr.decode())
        assert says or not done.stderr


def test_exhausted_system_limits_are_reported_in_one_line(repo: Path, env: dict[str, str]) -> None:
    code, _, err = chat(repo, env, "ulimit -n 8; {}")
    assert code == 7
    assert (
        "ctxe: this machine refuses more: Too many open files\n      let a process open more files: ulimit -n\n" in err
    )
    assert "a bug in ctxe" not in err
    assert clean(err)


def test_a_removed_working_folder_is_one_line(tmp_path: Path, env: dict[str, str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code, out, err = chat(gone, env, f"rmdir {gone}; {{}}", PYTHONPATH=str(Path.cwd()))
    assert (code in (3, 7), out) == (True, "")
    assert clean(err)
    assert len(err.splitlines()) <= 2


def session(repo: Path, env: Mapping[str, str], columns: int = 80, rows: int = 24) -> tuple[int, str, str]:
    """A question in a terminal and /exit; the code, what was seen, and every byte."""
    with Terminal(repo, env, ("chat",), columns, rows) as terminal:
        terminal.ready()
        terminal.type("what is it?")
        terminal.settle(0.2)
        terminal.type("\r")
        terminal.wait(lambda _: "forty-two" in "".join(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\s|\*", "", terminal.raw)))
        terminal.settle()
        terminal.type("/exit")
        terminal.settle(0.2)
        terminal.type("\r")
        return terminal.ended(), terminal.screen, terminal.raw


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (10, 5), (300, 100)])
def test_the_session_works_at_every_window_size(repo: Path, env: dict[str, str], columns: int, rows: int) -> None:
    code, _, raw = session(repo, env, columns, rows)
    assert code == 0
    assert "Traceback" not in raw


@pytest.mark.parametrize("more", [{"TERM": "never-heard-of", "LANG": "xx.bogus"}, {"NO_COLOR": "1", "LC_ALL": "C"}])
def test_the_session_works_on_every_capable_terminal(repo: Path, env: dict[str, str], more: dict[str, str]) -> None:
    code, screen, raw = session(repo, {**env, **more})
    assert code == 0
    assert "The answer is forty-two." in screen
    assert "gpt-5" in screen.split("forty-two")[1]
    assert "\x1b[6n" not in raw
    if "NO_COLOR" in more:
        assert not re.search(r"\x1b\[[0-9;]*3[0-7][;m]", raw)
        assert screen.isascii()


@pytest.mark.parametrize("term", ["dumb", None])
def test_terminals_without_abilities_get_no_escapes(repo: Path, env: dict[str, str], term: str | None) -> None:
    chosen = {name: value for name, value in env.items() if name != "TERM"} | ({"TERM": term} if term else {})
    with Terminal(repo, chosen, ("chat",)) as terminal:
        terminal.wait("›")
        terminal.type("what is it?\n")
        terminal.wait(r"\*\*forty-two\*\*(.|\n)*gpt-5(.|\n)*›")
        terminal.type("/exit\n")
        assert terminal.ended() == 0
        assert "\x1b" not in terminal.raw


def test_resizing_while_an_answer_streams_keeps_the_text(repo: Path, home: Path) -> None:
    words = [f"word{n:03d}" for n in range(200)]
    long = Reply("".join(f"{word} " if n % 10 else f"{word}\n\n" for n, word in enumerate(words)), piece=8)
    with WireServer([long], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",), 80, 24) as terminal:
            terminal.wait("›")
            terminal.settle()
            terminal.type("go")
            terminal.settle(0.2)
            terminal.type("\r")
            for rows, columns in ((10, 40), (30, 120), (5, 20), (24, 80)):
                terminal.child.setwinsize(rows, columns)
                terminal.settle(0.1)
            terminal.wait(lambda _: "word199" in terminal.raw)
            terminal.leave()
            assert [word for word in words if word not in terminal.raw] == []
            assert "Traceback" not in terminal.raw


def test_a_listing_is_plain_on_a_pipe_and_fits_the_window(repo: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ctxe", "budget"], cwd=repo, env=env, capture_output=True, text=True, check=True
    )
    assert clean(done.stdout)
    assert "\x1b" not in done.stdout
    with Terminal(repo, env, ("budget", "--explain"), 50, 24) as terminal:
        assert terminal.ended(30) == 0
        assert max(len(row) for row in terminal.screen.splitlines()) <= 50


def test_closing_the_window_during_an_answer_writes_no_bug_report(home: Path, tmp_path: Path) -> None:
    repo, reports = repository(tmp_path / "demo", {"a.py": "a = 1\n"}), tmp_path / "reports"
    reports.mkdir()
    with WireServer([Reply("It goes on and on.", fault="stall", seconds=20)], key=KEY) as server:
        env = environment(home, **openai_at(server.url), TMPDIR=str(reports))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("tell me")
            terminal.wait("It goes")
            terminal.hang_up()
    assert list(reports.rglob("*bug*")) == []
