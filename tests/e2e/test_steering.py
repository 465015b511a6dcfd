"""Messages entered while the model works are sent between two of its steps, on every API, as a turn of their own."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, repository
from tests.e2e.wire_bodies import APIS, blocks
from tests.wire.server import Call, Reply, WireServer

FILES = {"a.py": "x = 1\n", "b.py": "y = 1\n"}


def edit(name: str) -> Call:
    return Call("edit_file", {"path": name, "old": " = 1", "new": " = 2"})


def said(api: str, body: Mapping[str, Any]) -> str:
    """The newest block of a request as text."""
    return blocks(api, body)[-1]


@pytest.mark.parametrize("api", APIS)
def test_a_steering_message_is_sent_last_after_the_running_step(api: str, home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("Slow words come first.", [edit("a.py")], fault="drip", seconds=0.15, piece=3),
        Reply("Now the other.", [edit("b.py")]),
        Reply("Both done."),
        Reply("As you said."),
        Reply("Resumed."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("change a.py")
            terminal.wait("Slow")
            terminal.type("and b.py, with tabs")
            terminal.wait("› and b.py, with tabs")
            terminal.type("\r")
            terminal.wait("queued: and b.py, with tabs · told after this step, ↑ takes it back")
            screen = terminal.wait(r"Both done\.(.|\n)*\$")
            shown = ["● edit a.py", "› and b.py, with tabs · told", "Now the other.", "● edit b.py", "Both done."]
            places = [screen.rfind(part) for part in shown]
            assert places == sorted(places), screen
            assert places[0] > 0, screen
            assert "queued" not in screen
            assert screen.count("cached") == 1, "one account, after the answer, of all of it"
            seconds = re.findall(r"(\d+\.\d)s$", screen, re.MULTILINE)
            assert float(seconds[0]) > 1.0, "the slow words count, too"
            terminal.enter("/compact")
            terminal.wait("folded|nothing")
            terminal.enter("and now?")
            terminal.wait(r"As you said\.")
            terminal.enter("/undo")
            terminal.wait("put back: b.py")
            assert ((repo / "a.py").read_text(), (repo / "b.py").read_text()) == ("x = 2\n", "y = 1\n")
            terminal.enter("/undo")
            terminal.wait("put back: a.py")
            terminal.leave()
        assert ctxe(repo, env, "chat", "-p", "-c", "go on").out == "Resumed.\n"
        assert server.refused == []
        sent = [blocks(api, body) for body in server.bodies]
    first, steered, answered, later, resumed = sent
    for before, after in itertools.pairwise([first, steered, answered]):
        assert after[: len(before)] == before
    new = steered[len(first) :]
    assert "and b.py, with tabs" in new[-1]
    assert "and b.py, with tabs" not in "".join(new[:-1])
    assert "a.py" in "".join(new[:-1]), "the results of the step stand before the words"
    for request in (later, resumed):
        assert "change a.py" in "".join(request)
        assert "and b.py, with tabs" in "".join(request)


def test_shift_tab_changes_the_approval_mode_during_a_turn(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("Slow words come first.", [Call("read_file", {"path": "a.py"})], fault="drip", seconds=0.15, piece=3),
        Reply("", [edit("a.py")]),
        Reply("Done unasked."),
    ]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **APIS["chat"](server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("change a")
            terminal.wait("Slow(.|\n)*Esc stops · ask")
            terminal.type("\x1b[Z")
            terminal.wait("Esc stops · auto-edit")
            screen = terminal.wait(r"Done unasked\.(.|\n)*\n›(.|\n)*auto-edit")
            assert "[y]es" not in screen
            terminal.leave()
        assert server.refused == []
    assert (repo / "a.py").read_text() == "x = 2\n"


def test_shift_tab_at_an_approval_allows_all_edits(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("", [Call("read_file", {"path": "a.py"}), Call("read_file", {"path": "b.py"})]),
        Reply("", [edit("a.py"), edit("b.py"), Call("run_command", {"command": "touch asked"})]),
        Reply("Done."),
    ]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **APIS["chat"](server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("change both")
            terminal.wait(r"\[y\]es \[n\]o, why \[a\]lways \[e\]dit Shift-Tab all edits:")
            terminal.type("\x1b[Z")
            screen = terminal.wait(r"● edit b\.py(.|\n)*touch asked(.|\n)*\[e\]dit:")
            assert screen.count("all edits: all edits") == 1, screen
            assert not (repo / "asked").exists()
            terminal.type("n\r")
            terminal.wait(r"Done\.(.|\n)*\n›(.|\n)*auto-edit")
            terminal.leave()
        assert server.refused == []
    assert [(repo / name).read_text() for name in FILES] == ["x = 2\n", "y = 2\n"]


def test_a_queued_slash_command_waits_for_the_end_and_escape_sends_the_queue(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("Slow words come.", [Call("read_file", {"path": "a.py"})], fault="drip", seconds=0.15, piece=3),
        Reply("Read.", fault="stall", after=2, seconds=60),
        Reply("Another way."),
    ]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **APIS["chat"](server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("look")
            terminal.wait("Slow")
            for words, shown in (("/todo", "queued: /todo · after the turn"), ("then this", "queued: then this")):
                terminal.type(words)
                terminal.wait(f"› {words}")
                terminal.type("\r")
                terminal.wait(shown)
            terminal.wait("Rea")
            assert len(server.requests) == 2
            assert "then this" not in json.dumps(server.bodies)
            terminal.type("\x1b")
            terminal.wait(r"interrupted(.|\n)*the todo list is empty(.|\n)*› then this(.|\n)*Another way\.")
            terminal.leave()
        assert server.refused == []
        assert said("chat", server.bodies[-1]).count("then this") == 1
