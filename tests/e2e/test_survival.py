"""Sessions survive kill -9 at any point, torn logs, several at once and one opened twice; nothing reported is lost."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.transitions import NO_RESULT, NOT_RUN
from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, git, openai_at, own_cache, repository
from tests.processes import running
from tests.wire.server import Call, Reply, WireServer

FILES = {f"part{n}.py": f"NUMBER_{n} = {n}\n" for n in range(6)}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", FILES)


def allow(home: Path, *rules: str) -> None:
    """The user's own settings: these rules need no question."""
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text(f"[approval]\nallow = {json.dumps(rules)}\n")


def logs(repo: Path) -> list[Path]:
    return sorted((repo / ".ctxe/sessions").glob("*.jsonl"))


def kinds(log: Path) -> list[str]:
    """The types of a log's events; torn lines are left out."""
    found = []
    for line in log.read_text().splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line).get("type", "header"))
    return found


def until(holds: Callable[[], Any], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "it never came about"
        time.sleep(0.005)


@contextlib.contextmanager
def begun(repo: Path, env: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A headless chat that is killed with SIGKILL at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ctxe", "chat", "-p", *words],
        cwd=repo,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def texts(body: Mapping[str, Any]) -> str:
    return json.dumps(body["messages"], ensure_ascii=False)


def test_a_session_killed_anywhere_in_a_tool_loop_resumes_whole(home: Path, repo: Path) -> None:
    number = itertools.count(1)

    def work(_: object) -> Reply:
        n = next(number)
        path = f"part{n % 6}.py"
        calls = [Call("read_file", {"path": path}), Call("write_file", {"path": f"new{n}.py", "text": f"made = {n}\n"})]
        return Reply(f"step number {n} of many " * 4, calls, piece=3)

    before = b""
    with WireServer(work, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        for round_, moment in enumerate(("reply_received", "tool_started", "tool_finished", "step_finished", "sent")):
            more = ("-c",) if round_ else ()
            asked = len(server.requests)
            with begun(repo, env, f"round {round_}", "--approval", "auto-edit", *more):
                server.wait(lambda s, asked=asked: len(s.requests) > asked, 30)  # type: ignore[misc]
                if moment == "sent":
                    server.wait(lambda s, asked=asked: len(s.requests) > asked + 1, 30)  # type: ignore[misc]
                else:
                    had = kinds(logs(repo)[0]).count(moment) if before else 0
                    until(lambda had=had, moment=moment: kinds(logs(repo)[0]).count(moment) > had)  # type: ignore[misc]
            (log,) = logs(repo)
            assert log.read_bytes().startswith(before)
            before = log.read_bytes()
        bodies: list[Any] = server.bodies
        assert server.refused == []
    for earlier, later in itertools.pairwise(bodies):
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]
    assert all(f"round {n}" in texts(bodies[-1]) for n in range(5))


@pytest.mark.parametrize("at", [openai_at, anthropic_at])
def test_a_kill_during_a_command_leaves_no_process_and_is_reported_on_resume(
    home: Path, repo: Path, at: Callable[[str], dict[str, str]]
) -> None:
    allow(home, "tool:run_command")
    sleep = f"sleep 6{time.time_ns() % 1_000_000}"
    calls = [Call("run_command", {"command": f"touch began; {sleep}"}), Call("write_file", {"path": "x", "text": "x"})]
    with WireServer([Reply("Running.", calls), Reply("I see.")], key=KEY) as server:
        env = environment(home, **at(server.url))
        with begun(repo, env, "run it"):
            until((repo / "began").exists)
            assert running(sleep)
        until(lambda: not running(sleep), 5)
        (log,) = logs(repo)
        torn = log.read_bytes()
        with log.open("ab") as file:
            file.write(b'{"n":99,"type":"tool_fin')
        done = ctxe(repo, env, "chat", "-p", "-c", "what happened?")
        assert (done.code, done.out, server.refused) == (0, "I see.\n", []), done.err
        assert "torn last line left out" in done.err
        asked = texts(server.bodies[-1])
    assert hashlib.sha256(log.read_bytes()[: len(torn)]).digest() == hashlib.sha256(torn).digest()
    assert NO_RESULT in asked
    assert NOT_RUN in asked
    assert not (repo / "x").exists()
    shown = ctxe(repo, env, "sessions", "list", "--json").json
    assert [(one["turns"], one["outcome"], one["words"]) for one in shown] == [(2, "answered", "run it")]


def test_a_kill_during_an_answer_repeats_the_message_on_resume(home: Path, repo: Path) -> None:
    script = [Reply("half of an answer " * 9, fault="stall", after=8, seconds=60), Reply("Whole.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with begun(repo, env, "explain part3"):
            server.wait(lambda s: len(s.requests) == 1, 30)
            until(lambda: "context_assembled" in kinds(logs(repo)[0]))
        done = ctxe(repo, env, "chat", "-p", "-c", "go on", "--output-format", "json")
        assert (done.code, done.json["text"], server.refused) == (0, "Whole.", [])
        first, second = server.bodies
    assert second["messages"][: len(first["messages"])] == first["messages"]


def test_an_open_session_is_refused_to_a_second_process_which_may_fork_it(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.wait("›")
            terminal.enter("first words")
            terminal.wait("Answer.")
            (log,) = logs(repo)
            for words in (("-c",), ("--resume", log.stem[:18])):
                refused = ctxe(repo, env, "chat", "-p", "mine", *words)
                assert (refused.code, refused.out) == (6, "")
                assert f"session {log.stem} is open elsewhere" in refused.err
                assert f"--fork {log.stem}" in refused.err
            before = log.read_bytes()
            forked = ctxe(repo, env, "chat", "-p", "in a copy", "--fork", log.stem)
            assert (forked.code, forked.out) == (0, "Answer.\n")
            assert log.read_bytes() == before
            assert "first words" in texts(server.bodies[-1])
            other = ctxe(repo, env, "chat", "-p", "on my own", "--no-memory")
            assert (other.code, "first words" in texts(server.bodies[-1])) == (0, False)
            terminal.enter("second words")
            terminal.wait(lambda screen: screen.count("Answer.") == 2)
            terminal.enter("/exit")
            assert terminal.ended() == 0
        assert server.refused == []
    assert len(logs(repo)) == 3
    fork = json.loads(next(path for path in logs(repo) if b'"fork"' in path.read_bytes()).read_text().splitlines()[0])
    assert fork["fork"] == log.stem


def test_several_sessions_at_once_in_one_repository_lose_nothing(home: Path, repo: Path) -> None:
    def work(body: Mapping[str, Any]) -> Reply:
        (name,) = set(re.findall(r"worker (\d)", texts(body)))
        if body["messages"][-1]["role"] != "user":
            return Reply(f"Done {name}.")
        fact = {"kind": "fact", "title": f"worker {name} was here", "text": f"It is {name}."}
        failed = {"tried": f"way {name}", "outcome": f"error {name}{name}"}
        edit = {"path": f"part{name}.py", "old": f"NUMBER_{name} = {name}", "new": f"NUMBER_{name} = 10"}
        calls = [Call("remember", fact), Call("record_failure", failed), Call("read_file", {"path": f"part{name}.py"})]
        return Reply("", [*calls, Call("edit_file", edit)])

    with WireServer(work, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        command = [sys.executable, "-m", "ctxe", "chat", "--approval", "auto-edit", "-p"]
        workers = [
            subprocess.Popen(
                [*command, f"worker {n}"], cwd=repo, env=env, stdout=-1, stderr=-1, stdin=subprocess.DEVNULL, text=True
            )
            for n in range(4)
        ]
        ended = [(*worker.communicate(timeout=60), worker.returncode) for worker in workers]
        assert [(out, code) for out, _, code in ended] == [(f"Done {n}.\n", 0) for n in range(4)], ended
        assert server.refused == []
        waiting = ctxe(repo, env, "memory", "review", "--json").json
    titles = " ".join(one["title"] for one in waiting)
    assert all(f"worker {n} was here" in titles and f"way {n}" in titles for n in range(4))
    assert [(repo / f"part{n}.py").read_text() for n in range(4)] == [f"NUMBER_{n} = 10\n" for n in range(4)]
    assert [kinds(log)[-1] for log in logs(repo)] == ["turn_finished"] * 4
    daily = "".join(path.read_text() for path in (repo / ".ctxe/daily").glob("*.md"))
    assert all(f"worker {n}" in daily for n in range(4))


def test_slash_resume_switches_sessions_and_a_wrong_name_changes_nothing(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "LONG AGO").code == 0
        (old,) = logs(repo)
        lines = [
            "/resume nonsense",
            "HERE",
            "/resume",
            f"/resume {old.stem}",
            "AGAIN",
            "/fork",
            "APART",
            "/new",
            "ANEW",
        ]
        done = ctxe(repo, env, "chat", "--no-memory", stdin="\n".join(lines))
        assert done.code == 0, done.err
        assert "no session nonsense" in done.err
        assert "LONG AGO" in done.out
        said = [texts(body) for body in server.bodies]
    wanted = ("LONG AGO", "HERE", "AGAIN", "APART", "ANEW")
    assert [[word for word in wanted if word in text] for text in said] == [
        ["LONG AGO"],
        ["HERE"],
        ["LONG AGO", "AGAIN"],
        ["LONG AGO", "AGAIN", "APART"],
        ["ANEW"],
    ]
    assert len(logs(repo)) == 4


def test_a_session_without_messages_leaves_no_log(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "real words").code == 0
        assert ctxe(repo, env, "chat", stdin="/cost\n/exit\n").code == 0
        assert len(logs(repo)) == 1
        assert ctxe(repo, env, "chat", "-p", "-c", "goes on").code == 0
        assert "real words" in texts(server.bodies[-1])


def test_half_written_files_of_a_killed_session_are_removed_by_the_next(home: Path, repo: Path) -> None:
    points = own_cache(repo, environment(home)) / "restore/points"
    points.mkdir(parents=True)
    old, young = points / ".000001.json.0123abcd.tmp", points / ".000002.json.0123abcd.tmp"
    for left in (old, young):
        left.write_text("{")
    os.utime(old, (1, 1))
    with WireServer(then=Reply("Done."), key=KEY) as server:
        assert ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "go").code == 0
    assert sorted(points.glob(".*")) == [young], "another session may still be writing it"


def test_undo_restores_every_byte_and_does_not_touch_git(home: Path, repo: Path) -> None:
    allow(home, "tool:run_command")
    (repo / "part0.py").write_bytes(b"staged = 0\r\nno end")
    git(repo, "add", "part0.py")
    (repo / "part0.py").write_bytes(b"staged = 0\r\nunstaged = 1\r\nno end")
    (repo / "loose.bin").write_bytes(bytes(range(256)))
    script = [
        Reply("", [Call("read_file", {"path": "part0.py"}), Call("read_file", {"path": "part1.py"})]),
        Reply("", [Call("edit_file", {"path": "part0.py", "old": "unstaged = 1", "new": "unstaged = 2"})]),
        Reply(
            "", [Call("run_command", {"command": "rm part1.py loose.bin; echo x > part2.py; mkdir d; echo y > d/new"})]
        ),
        Reply("Done."),
    ]

    def tree() -> dict[str, bytes]:
        paths = (path for path in repo.rglob("*") if path.is_file() and ".ctxe" not in path.parts)
        return {str(path.relative_to(repo)): path.read_bytes() for path in paths if path.name != "index"}

    before, staged = tree(), git(repo, "diff", "--cached")
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "--approval", "auto-edit", stdin="change things\n/undo\n/undo\n/exit\n")
        assert (done.code, server.refused, server.left) == (0, [], 0), done.err
    assert "put back: part1.py" in done.out
    assert "nothing to undo" in done.out
    assert tree() == before
    assert git(repo, "diff", "--cached") == staged
    assert git(repo, "status", "--porcelain") == "MM part0.py\n?? loose.bin\n"


def test_a_session_survives_git_clean_of_its_folder(home: Path, repo: Path) -> None:
    def answer(body: Mapping[str, Any]) -> Reply:
        if "did you" not in str(body):
            git(repo, "clean", "-fdxq")
        return Reply("Fine.")

    with WireServer(answer, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "-p", "what is left here?").code == 0
        after = ctxe(repo, env, "-p", "-c", "did you see?")
        assert "what is left here?" in str(server.bodies[-1]["messages"])
    assert (after.code, "not begun here" in after.err) == (0, False)
