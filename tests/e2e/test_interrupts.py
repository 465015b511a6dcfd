"""Ctrl-C and signals at any moment: work stops at once, the session stays usable, no process is left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.processes import running
from tests.wire.script import Entry
from tests.wire.server import Call, Reply, WireServer, rate_limited

SOON = 2.0  # seconds; the promise is one, and test machines are busy


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a + b\n"})


def press(terminal: Terminal, wanted: str, times: int) -> float:
    """Press Ctrl-C; seconds until a text has stood on the screen so often."""
    began = time.monotonic()
    terminal.type("\x03")
    terminal.wait(lambda screen: screen.count(wanted) >= times)
    return time.monotonic() - began


def results(body: Any) -> list[str]:
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def test_one_ctrl_c_stops_the_turn_anywhere_and_the_next_message_is_answered(home: Path, repo: Path) -> None:
    sleep = f"sleep 7{time.time_ns() % 1_000_000}"
    command = f"echo came so far; touch began; {sleep}; echo never"
    script: list[Entry] = [
        Reply("one two three four five", fault="stall", after=3, seconds=60),
        Reply("First.", [Call("run_command", {"command": command}), Call("write_file", {"path": "x", "text": "x"})]),
        Reply("Second.", [Call("run_command", {"command": "touch asked"})]),
        rate_limited(retry_after="30"),
        Reply("Last."),
    ]
    took = []
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",), anew=True) as terminal:
            terminal.wait("›")
            terminal.enter("in the stream")
            terminal.wait("one two")
            took.append(press(terminal, "interrupted; what arrived is kept", 1))

            terminal.enter("in a command")
            terminal.wait(r"First\.(.|\n)*\[y\]")
            terminal.type("y")
            terminal.wait(lambda _: (repo / "began").exists())
            terminal.wait(r"(?m)^ +came so far")
            took.append(press(terminal, "interrupted; what arrived is kept", 2))
            assert running(sleep) == []

            terminal.enter("at the question")
            terminal.wait(r"Second\.(.|\n)*\[y\]")
            took.append(press(terminal, "interrupted; what arrived is kept", 3))

            terminal.enter("in a wait")
            terminal.wait("asking again in")
            took.append(press(terminal, "interrupted; what arrived is kept", 4))

            terminal.enter("go on")
            terminal.wait(r"Last\.")
            terminal.settle()
            terminal.type("half a line")
            terminal.settle()
            terminal.type("\x03")
            terminal.wait(lambda screen: "half a line" not in screen)
            terminal.type("/exit\r")
            assert terminal.ended() == 0
        assert (server.refused, server.left) == ([], 0)
        last = server.bodies[-1]
    assert max(took) < SOON, took
    assert not (repo / "asked").exists()
    assert not (repo / "x").exists()
    stopped, unwritten, unasked = results(last)
    assert stopped.startswith("came so far\n[the user stopped it here")
    assert unwritten == unasked == "interrupted before this call was run; nothing was done"
    said = [message["content"] for message in last["messages"] if message["role"] == "user"]
    assert [text.splitlines()[-1] for text in said] == [
        "in the stream",
        "in a command",
        "at the question",
        "in a wait",
        "go on",
    ]


@pytest.mark.parametrize("moment", ["prompt", "stream", "command", "question"])
def test_two_ctrl_c_exit_with_130_and_restore_the_terminal(home: Path, repo: Path, moment: str) -> None:
    sleep = f"sleep 8{time.time_ns() % 1_000_000}"
    script = {
        "prompt": [],
        "stream": [Reply("one two three four", fault="stall", after=2, seconds=60)],
        "command": [Reply("Go.", [Call("run_command", {"command": f"touch began; {sleep}"})])],
        "question": [Reply("Go.", [Call("run_command", {"command": "touch began"})])],
    }[moment]
    with WireServer(script, then=Reply("I know."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",), anew=True) as terminal:
            saved = termios.tcgetattr(terminal.child.fileno())
            terminal.wait("›")
            if moment != "prompt":
                terminal.enter("words that stay")
            if moment == "stream":
                terminal.wait("one two")
            if moment in ("command", "question"):
                terminal.wait(r"Go\.(.|\n)*\[y\]")
            if moment == "command":
                terminal.type("y")
                terminal.wait(lambda _: (repo / "began").exists())
            terminal.settle(0.1) if moment == "prompt" else None
            terminal.type("\x03")
            terminal.wait("again leaves" if moment == "prompt" else "interrupted")
            terminal.type("\x03")
            began = time.monotonic()
            while terminal.child.isalive() and time.monotonic() - began < 10:
                terminal.settle(0.02)
            assert time.monotonic() - began < SOON
            assert termios.tcgetattr(terminal.child.fileno()) == saved
            assert terminal.ended() == 130
            assert terminal.raw.rfind("\x1b[?25h") > terminal.raw.rfind("\x1b[?25l")
            assert terminal.raw.rfind("\x1b[?2004l") > terminal.raw.rfind("\x1b[?2004h")
        assert running(sleep) == []
        if moment == "command":
            assert ctxe(repo, env, "chat", "-p", "-c", "go on").out == "I know.\n"
            assert "words that stay" in json.dumps(server.bodies[-1])
        assert server.refused == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_sigterm_and_sighup_end_the_process_cleanly(home: Path, repo: Path, number: signal.Signals, code: int) -> None:
    sleep = f"sleep 9{time.time_ns() % 1_000_000}"
    with WireServer([Reply("Go.", [Call("run_command", {"command": f"touch began; {sleep}"})])], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "run it"), anew=True) as terminal:
            terminal.wait(r"Go\.(.|\n)*\[y\]")
            terminal.type("y")
            terminal.wait(lambda _: (repo / "began").exists())
            os.kill(terminal.child.pid, number)
            assert terminal.ended() == code
        assert running(sleep) == []
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["type"], last["outcome"]) == ("turn_finished", "interrupted")


def test_an_interrupted_headless_run_says_so_in_json(home: Path, repo: Path) -> None:
    with WireServer([Reply("one two three four five", fault="stall", after=3, seconds=60)], key=KEY) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "ctxe", "chat", "-p", "go", "--output-format", "stream-json"],
            cwd=repo,
            env=environment(home, **openai_at(server.url)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "context_assembled":
                break
        server.wait(lambda s: len(s.requests) == 1, 30)
        time.sleep(0.5)  # until the first words have come
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    *events, result = [json.loads(line) for line in out.splitlines()]
    assert [event["type"] for event in events] == ["reply_received", "step_finished", "turn_finished"]
    assert events[0]["reply"]["stop"] == "interrupted"
    assert "one two three four five".startswith(result["text"])
    assert (result["outcome"], result["steps"]) == ("interrupted", 1)


def test_a_message_stopped_while_context_is_gathered_returns_to_the_input_line(
    home: Path, repo: Path, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "git").write_text(f'#!/bin/sh\ncase "$*" in *ls-files*) sleep 20;; esac\nexec {shutil.which("git")} "$@"\n')
    (slow / "git").chmod(0o755)
    with WireServer([Reply("Added.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env | {"PATH": f"{slow}:{env['PATH']}"}, ("chat",), anew=True) as terminal:
            terminal.wait("›")
            terminal.enter("why does calc add twice")
            terminal.wait("gathering context")
            (slow / "git").unlink()
            press(terminal, "› why does calc add twice", 2)
            terminal.type(" or thrice\r")
            terminal.wait("Added")
        assert "why does calc add twice or thrice" in str(server.bodies[0]["messages"][-1]["content"])


def test_an_interrupt_of_an_earlier_message_does_not_count_for_the_next(home: Path, repo: Path) -> None:
    stalls = [Reply(f"answer {n} goes on", fault="stall", after=2, seconds=60) for n in range(3)]
    with WireServer([*stalls, Reply("Still here.")], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",), anew=True) as terminal:
            terminal.wait("›")
            for n in range(3):  # each press comes within two seconds of the one before, with words in between
                terminal.enter(f"question {n}")
                terminal.wait(f"answer {n}")
                press(terminal, "interrupted; what arrived is kept", n + 1)
            terminal.enter("there?")
            terminal.wait(r"Still here\.")
            terminal.enter("/exit")
            assert terminal.ended() == 0
        assert server.refused == []


def test_a_stopped_user_command_is_shown_and_reported_to_the_model(home: Path, repo: Path) -> None:
    sleep = f"sleep 5{time.time_ns() % 1_000_000}"
    with WireServer(then=Reply("I see."), key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",), anew=True) as terminal:
            terminal.wait("›")
            terminal.enter(f"!seq 3; {sleep}")
            terminal.wait(r"(?m)^ +3$")
            terminal.type("\x03")
            terminal.wait("the user stopped it here")
            assert running(sleep) == []
            terminal.enter("!echo x > made; rm calc.py")
            terminal.wait(lambda _: (repo / "made").exists())
            terminal.enter("/undo")
            terminal.wait("put back: made(.|\n)*")
            terminal.enter("and now?")
            terminal.wait(r"I see\.")
            terminal.enter("/exit")
            assert terminal.ended() == 0
        told = server.bodies[-1]["messages"][-1]["content"]
        assert server.refused == []
    assert f"[the user ran `seq 3; {sleep}`]\n1\n2\n3\n[the user stopped it here" in told
    assert (repo / "calc.py").exists()
    assert not (repo / "made").exists()
