"""A delegate in the real program: seen while it reads, stopped at once, the session whole after Ctrl-C and kill -9."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.script import Part
from tests.wire.server import Call, Reply, Usage, WireServer

SOON = 2.0  # seconds; the promise is one, and test machines are busy
ASK = Reply("I have it looked up.", [Call("delegate", {"task": "Where is retry decided?"})], usage=Usage(1_000, 20))
READ = Reply("", [Call("read_file", {"path": "b/z.py"})], usage=Usage(2_000, 10))
HANGS = Reply("one two three four", fault="stall", after=2, seconds=60)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"b/z.py": "def patient(fault):\n    return fault.passes\n"})


def model(*lines: Part, own: Part = ASK) -> Callable[[Mapping[str, Any]], Part]:
    """A model that delegates first and says `Well.` afterwards; ``lines`` are what its delegate answers."""
    played = iter(lines)
    asked = iter([own])

    def answer(body: Mapping[str, Any]) -> Part:
        return next(played) if "You are a delegate" in json.dumps(body) else next(asked, Reply("Well.", usage=Usage()))

    return answer


def test_a_delegate_is_shown_at_work_and_stops_at_once_on_ctrl_c(home: Path, repo: Path) -> None:
    with WireServer(model(READ, HANGS), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.wait("›")
            terminal.enter("where is retry decided?")
            seen = terminal.wait(r"1 read, 2k tokens, \$0\.0026")
            assert "delegate Where is retry decided? · by rule\n  read b/z.py\n  1 read, 2k tokens, $0.0026" in seen
            began = time.monotonic()
            terminal.type("\x03")
            terminal.wait("interrupted; what arrived is kept")
            took = time.monotonic() - began
            terminal.enter("go on")
            terminal.wait(r"Well\.")
            terminal.wait(r"\$0\.004[1-9] +ask")  # with what was cut off: its request, and the words that came
            terminal.enter("/exit")
            assert terminal.ended() == 0
        assert server.refused == []
        last = server.bodies[-1]["messages"]
    assert took < SOON
    (result,) = (message["content"] for message in last if message["role"] == "tool")
    assert result.startswith("read b/z.py\n1 read, ")
    assert re.search(r", \$0\.00(2[7-9]|3\d)\n\[the user stopped it here", result)
    assert "def patient" not in json.dumps(last)


def test_a_session_killed_during_a_delegate_resumes_with_its_costs(home: Path, repo: Path) -> None:
    with WireServer(model(READ, HANGS), key=KEY) as server:
        env = environment(home, **anthropic_at(server.url))
        with Terminal(repo, env, ("chat", "where is retry decided?")) as terminal:
            terminal.wait("1 read, 2k tokens")
            terminal.child.kill(9)
            terminal.child.wait()
        ran = ctxe(repo, env, "chat", "-c", "-p", "go on")
        assert (ran.code, ran.out) == (0, "Well.\n")
        assert server.refused == []
        sent = json.dumps(server.bodies[-1])
    assert "this call has no result; it may or may not have had effects" in sent
    (session,) = ctxe(repo, env, "sessions", "list", "--json").json
    assert session["input"] == 3_000
    rows = ctxe(repo, env, "sessions", "show", "--grep", "PATIENT(").out.splitlines()
    assert f"{session['id']}-d1 1 read b/z.py: 1\tdef patient(fault):" in [row.replace("    ", "\t") for row in rows]
    shown = ctxe(repo, env, "sessions", "show", f"{session['id']}-d1")
    assert (shown.code, "● read b/z.py · 2 lines" in shown.err) == (0, True)
