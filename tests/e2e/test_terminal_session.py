"""What a person at the keyboard relies on: Ctrl-C, a visible wait, honest questions, a clean screen."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.wire.script import Entry
from tests.wire.server import Call, Reply, WireServer, rate_limited

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1b]52;c;aGk=\x07\u202e"
OURS = re.compile(r"\x1b\[(?:[0-9;]*[mJKABCD]|\?(?:1|7|12|25|2004)[hl])")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a + b\n", "evil.txt": EVIL + "\n"})


@contextlib.contextmanager
def chat(home: Path, repo: Path, *script: Entry) -> Iterator[tuple[WireServer, Terminal]]:
    """A chat that is ready for keys, and the model it talks to, which never had to refuse a request."""
    with WireServer(list(script), key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            yield server, terminal
        assert server.refused == []


def say(terminal: Terminal, words: str) -> None:
    terminal.type(words)
    terminal.settle(0.2)
    terminal.type("\r")


def test_ctrl_c_keeps_the_partial_answer_and_the_session(home: Path, repo: Path) -> None:
    script = [Reply("As far as this.\n\nAnd on", fault="stall", after=4, seconds=30), Reply("Here again.")]
    with chat(home, repo, *script) as (server, terminal):
        say(terminal, "go")
        terminal.wait("As far as(.|\n)*Esc stops")
        began = time.monotonic()
        terminal.type("\x03")
        terminal.wait("interrupted; what arrived is kept")
        assert time.monotonic() - began < 1
        time.sleep(2)
        say(terminal, "and now?")
        terminal.wait("Here again")
        terminal.settle(0.3)
        terminal.type("\x03")
        terminal.wait("Ctrl-C again leaves")
        terminal.type("\x03")
        assert terminal.ended() == 130
        assert "and now?" in json.dumps(server.bodies[-1])


def test_ctrl_c_ends_the_command_that_runs(home: Path, repo: Path) -> None:
    script = [Reply("", [Call("run_command", {"command": "echo started; sleep 600; echo never"})]), Reply("Stopped.")]
    with chat(home, repo, *script) as (_, terminal):
        say(terminal, "go")
        terminal.wait(r"(?m)^  started|\[y\]es")
        if "[y]es" in terminal.screen:  # without a sandbox every command is asked about
            terminal.settle(0.2)
            terminal.type("y")
        terminal.wait(r"(?m)^  started")
        terminal.type("\x03")
        terminal.wait("interrupted; what arrived is kept")
        time.sleep(2)
        say(terminal, "what happened?")
        terminal.wait("Stopped.")
        terminal.leave()


def test_the_greeting_names_the_rules_that_another_tool_left_here(home: Path, repo: Path) -> None:
    (repo / "CLAUDE.md").write_text("Indent with tabs.\n")
    for name in (".cursorrules", ".windsurfrules", "GEMINI.md"):
        (repo / name).write_text(f"Say so in {name}.\n")
    with chat(home, repo) as (_, terminal):
        assert re.search(r"(?m)^rules: CLAUDE.md, GEMINI.md, .cursorrules and 1 more \(\d+ tokens", terminal.screen)
        terminal.leave()


def test_a_provider_failure_is_shown_once_with_a_hint_and_not_remembered(home: Path, repo: Path) -> None:
    with WireServer([], key="another") as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",), columns=60) as terminal:
            terminal.wait("type /help for the commands(.|\n)*›")
            terminal.settle(0.2)
            say(terminal, "go")
            screen = terminal.wait("ask for a new key")
            terminal.leave()
    assert screen.count("openai refused the key") == 1
    assert "■ failed: openai refused the key\n  check OPENAI_API_KEY or ask for a new key" in screen
    assert not list((repo / ".ctxe" / "failures").glob("*.md"))


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (40, "gpt-5  nothing sent yet  $0.0000  ask"),
        (34, "nothing sent yet  $0.0000  ask"),
    ],
)
def test_the_status_row_shortens_the_model_name_in_a_narrow_window(
    home: Path, repo: Path, columns: int, row: str
) -> None:
    with (
        WireServer([], key=KEY) as server,
        Terminal(repo, environment(home, **openai_at(server.url)), (), columns=columns) as terminal,
    ):
        terminal.wait(lambda screen: screen.endswith(f"\n{row}"))
        terminal.leave()


def test_a_chosen_model_and_mode_are_kept_for_the_next_session(home: Path, repo: Path) -> None:
    with chat(home, repo, Reply("Hello.")) as (server, terminal):
        terminal.type("\x1b[Z")
        terminal.wait(r"(?m)^openai/gpt-5  nothing sent yet .* auto-edit$")
        say(terminal, "/model gpt-4.1")
        terminal.wait("openai/gpt-4.1: window")
        say(terminal, "/cl")
        terminal.wait(r"in .*/repo:\s+openai/gpt-4.1(.|\n)*approval(.|\n)*auto-edit(.|\n)*openai/gpt-4.1  nothing sent")
        terminal.settle(0.2)
        say(terminal, "go")
        terminal.wait("Hello.")
        terminal.settle(0.2)
        terminal.type("\x1b[Z")
        terminal.wait("read-only")
        terminal.type("\x1b[Z")
        terminal.wait(r"(?m)\$[0-9.]+  ask$")
        terminal.leave()
        assert server.bodies[0]["model"] == "gpt-4.1"


def test_a_wait_is_counted_down_on_the_screen(home: Path, repo: Path) -> None:
    with chat(home, repo, rate_limited(retry_after="2"), Reply("Through.")) as (_, terminal):
        say(terminal, "go")
        terminal.wait(r"↻ .*asking again in 2\.\ds")
        terminal.wait(r"asking again in 1s")
        terminal.wait("Through.")
        terminal.leave()


def test_replies_and_tool_output_cannot_control_the_terminal(home: Path, repo: Path) -> None:
    script = [
        Reply(f"Look {EVIL} here", [Call("read_file", {"path": "evil.txt"})]),
        Reply("", [Call("run_command", {"command": f"printf '\\033]0;t\\007'; cat evil.txt; : '{EVIL}'"})]),
        Reply(f"# {EVIL}\n\n```\n{EVIL}\n```\n\n[{EVIL}](http://x/%1b) done"),
    ]
    with chat(home, repo, *script) as (_, terminal):
        say(terminal, "go")
        screen = terminal.wait(r"\[y\]es")
        assert "‹U+001B›]0;owned‹U+0007›" in screen
        terminal.settle(0.2)
        terminal.type("y")
        terminal.wait("done")
        terminal.leave()
        rest = OURS.sub("", terminal.raw)
    assert re.findall("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", rest) == []


def test_text_typed_before_a_question_does_not_answer_it(home: Path, repo: Path) -> None:
    script = [Reply("", [Call("run_command", {"command": "touch HOSTILE"})]), Reply("Not done.")]
    with chat(home, repo, *script) as (server, terminal):
        terminal.type("go\ry\ry\ry\r")
        terminal.wait(r"touch HOSTILE(.|\n)*\[y\]es")
        terminal.settle(0.5)
        assert not (repo / "HOSTILE").exists()
        terminal.type("n no need\r")
        terminal.wait("Not done.")
        terminal.leave()
        assert "the user said no: no need" in json.dumps(server.bodies[-1])
    assert not (repo / "HOSTILE").exists()


def test_text_typed_during_a_turn_is_shown_and_sent_after_it(home: Path, repo: Path) -> None:
    script = [Reply("Slow words come here.", fault="drip", seconds=0.2, piece=3), Reply("Second."), Reply("Third.")]
    with chat(home, repo, *script) as (server, terminal):
        say(terminal, "go")
        terminal.wait("Slow")
        for keys in ("and then", "\r", "tests too", "\r", "/todo", "\r", "half a li"):
            terminal.type(keys)
            time.sleep(0.05)
        terminal.wait("queued: and then\n  queued: tests too\n  queued: /todo · after the turn, ↑ .*\n› half a li")
        screen = terminal.wait("Second\\.(.|\n)*the todo list is empty(.|\n)*› half a li")
        assert "› and then\n  tests too\n" in screen
        terminal.type("ne\r")
        terminal.wait("Third\\.")
        terminal.leave()
        said = [body["messages"][-1]["content"] for body in server.bodies[1:]]
    assert [words.rstrip().rpartition("\n\n")[2] for words in said] == ["and then\ntests too", "half a line"]


def test_ctrl_c_stops_the_turn_and_gives_back_what_was_queued(home: Path, repo: Path) -> None:
    with chat(home, repo, Reply("As far as this.\n\nAnd", fault="stall", after=4, seconds=30)) as (server, terminal):
        say(terminal, "go")
        terminal.wait("As far")
        terminal.type("not yet")
        terminal.wait("› not yet")
        terminal.type("\r")
        terminal.wait("queued: not yet")
        terminal.type("\x03")
        terminal.wait("interrupted; what arrived is kept(.|\n)*› not yet")
        terminal.type("\x1b\x1b\x03")  # neither Escape nor a press that clears the line leaves
        terminal.wait(lambda screen: screen.count("not yet") == 0)
        terminal.leave()
        assert len(server.requests) == 1


def test_text_typed_before_the_input_line_appears_is_sent(home: Path, repo: Path) -> None:
    with WireServer([Reply("At once.")], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.type("go on then\r")
            terminal.wait("At once\\.")
            terminal.leave()
        assert len(server.requests) == 1


def test_a_resumed_session_shows_its_last_turn(home: Path, repo: Path) -> None:
    with WireServer([Reply("First."), Reply("It is **done**.\n\n- so\n")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        for words in ("begin", "finish it"):
            assert ctxe(repo, env, "chat", "-c" if words != "begin" else "-p", "-p", words).code == 0
        with Terminal(repo, env, ("chat", "-c")) as terminal:
            screen = terminal.wait("; 2 turns so far(.|\n)*nothing|; 2 turns so far(.|\n)* tokens  ")
            terminal.leave()
    assert "› finish it\n\nIt is done.\n\n • so\n" in screen
    assert "First." not in screen


def test_pastes_without_bracketed_paste_are_one_message_and_run_nothing(home: Path, repo: Path) -> None:
    lines = ["look at this", "!touch HOSTILE", "/exit", "# no note", *(f"line {n}" for n in range(200))]
    script = [Reply("Slow words come here.", fault="drip", seconds=0.2, piece=2), Reply("Second."), Reply("Third.")]
    with chat(home, repo, *script) as (server, terminal):
        terminal.type("\r".join(lines))
        terminal.settle(0.5)
        assert server.requests == []
        terminal.type("\r")
        terminal.wait("Slow")
        terminal.type("\r".join(lines) + "\r")
        terminal.wait(lambda _: terminal.raw.count("\x1b[?2004h") == 2)
        terminal.settle(0.5)
        terminal.type("\r")
        terminal.wait("Second\\.")
        terminal.leave()
        said = [body["messages"][-1]["content"].strip() for body in server.bodies]
    assert [words.endswith("\n".join(lines)) for words in said] == [True, True]
    assert not (repo / "HOSTILE").exists()
