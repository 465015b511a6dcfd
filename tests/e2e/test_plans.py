"""Plans in a read-only session: proposed, drawn, changed, approved, and then carried out in the chosen mode."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.e2e.wire_bodies import APIS, blocks
from tests.wire.server import Call, Reply, WireServer

FILES = {"a.py": "def a():\n    return 1\n"}
TEXT = "# Return two\n\n| file | change |\n| --- | --- |\n| a.py | returns **2** |\n\n1. Change `a`\n2. Add a test\n"
READ = Reply("", [Call("read_file", {"path": "a.py"})])
EDIT = Reply("", [Call("edit_file", {"path": "a.py", "old": "return 1", "new": "return 2"})])
HINT = "this session only reads. Find out what has to be done"


def plan(text: str = TEXT, **more: Any) -> Reply:
    return Reply("", [Call("use", {"name": "plan", "arguments": {"text": text, **more}})])


def sent(api: str, body: Any) -> str:
    return "\n".join(blocks(api, body))


def mode_of(terminal: Terminal, mode: str) -> str:
    """Wait until the row below the line says the mode."""
    return terminal.wait(lambda screen: screen.splitlines()[-1].rstrip().endswith(f"  {mode}"))


@pytest.mark.parametrize("api", ["messages"])
def test_a_plan_is_changed_approved_and_done(api: str, home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    done = Reply("", [Call("update_todo", {"items": [{"text": "Change `a`", "state": "done"}]})])
    script = [
        READ,
        EDIT,
        plan("Only this."),
        plan(),
        EDIT,
        Reply("Changed."),
        Reply("Folded."),
        done,
        Reply("All done."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        with Terminal(repo, env, ("chat", "--approval", "read-only"), columns=80, rows=24) as terminal:
            terminal.ready()
            terminal.enter("make it two")
            terminal.wait(r"\? plan: Only this\.(.|\n)*\[l\]eave:")
            terminal.type("what?\r")
            terminal.wait("y or a lets it be done")
            terminal.type("n and a test\r")
            screen = terminal.wait(r"plan: Return two · nothing is changed yet(.|\n)*a\.py +returns 2(.|\n)*\[l\]eave:")
            assert "| ---" not in screen, "it is drawn"
            assert (repo / "a.py").read_text() == FILES["a.py"]
            terminal.type("a")
            terminal.wait(r"\[ \] Change `a`(.|\n)*\+ +return 2(.|\n)*Changed\.")
            mode_of(terminal, "auto-edit")
            assert (repo / "a.py").read_text() == "def a():\n    return 2\n"
            terminal.enter("/compact")
            terminal.wait("folded|nothing")
            terminal.enter("and now?")
            terminal.wait(r"Folded\.")
            terminal.enter("/todo")
            terminal.wait(r"\[ \] Add a test")
            terminal.leave()
        told = [blocks(api, body) for body in server.bodies]
        for before, after in itertools.pairwise(told[:6]):
            assert after[: len(before)] == before, "a mode is no part of what stands before"
        first, refused, fifth, sixth = ("\n".join(told[number]) for number in (0, 3, 5, 6))
        assert first.count(HINT) == 1
        assert "this session only reads" in "\n".join(told[2]), "the edit is refused"
        assert "the user wants the plan changed: and a test" in refused
        assert "The user approved the plan. This session no longer only reads (approval: auto-edit)" in fifth
        if "[the plan that the user approved]" not in sixth:  # too little was said for a fold
            assert "returns **2**" in sixth
        log = next((repo / ".ctxe/sessions").glob("*.jsonl")).read_text()
        modes = [event["mode"] for event in map(json.loads, log.splitlines()) if event.get("type") == "mode_chosen"]
        assert modes == ["auto-edit"]
        with Terminal(repo, env, ("chat", "-c"), columns=80, rows=24) as terminal:
            terminal.wait("left in approval auto-edit; now it is ask: /mode auto-edit")
            terminal.settle(0.2)
            mode_of(terminal, "ask")
            terminal.enter("finish")
            terminal.wait(r"All done\.")
            terminal.leave()
        with Terminal(repo, env, ("chat", "-c", "--approval", "ask")) as terminal:
            terminal.ready()
            assert "as this session was left" not in mode_of(terminal, "ask"), "the command line says otherwise"
            terminal.leave()
    assert server.refused == []


def test_a_plan_can_be_declined_and_yes_asks_before_each_edit(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [plan(), Reply("Left at that."), READ, plan(steps=["One", "Two"]), EDIT, Reply("Not done.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url), NO_COLOR="1", TERM="dumb")
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.settle(1)
            terminal.type("/mode read-only\n")
            terminal.wait("approval: read-only")
            terminal.type("plan it\n")
            terminal.wait(r"\[l\]eave:")
            terminal.type("l\n")
            terminal.wait(r"Left at that\.")
            terminal.type("once more\n")
            terminal.wait(r"(?s)• One\n.*• Two.*\[l\]eave:")
            terminal.type("y\n")
            terminal.wait(r"writes .*a\.py(.|\n)*\[n\]o, why")
            terminal.type("n\n")
            terminal.wait(r"Not done\.")
            terminal.type("\x04")
            assert terminal.ended() == 0
            assert "\x1b[" not in terminal.raw
        texts = [sent("chat", body) for body in server.bodies]
        del texts[2]
    assert "the user leaves it at the plan" in texts[1]
    assert texts[2].count(HINT) == 1, "told once"
    assert "approval: ask" in texts[3]
    assert "[ ] One" in texts[3]


def test_a_headless_session_answers_with_the_plan(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    with WireServer([plan(), Reply(TEXT)], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        ran = ctxe(repo, env, "chat", "-p", "--approval", "read-only", "plan it")
        assert (ran.code, ran.out) == (0, TEXT)
        assert "your answer" not in sent("chat", server.bodies[0]) or HINT not in sent("chat", server.bodies[0])
        assert "nobody is here to approve it: say the plan as your answer" in sent("chat", server.bodies[1])
    assert (repo / "a.py").read_text() == FILES["a.py"]


def test_only_a_read_only_session_has_the_plan_tool(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    with WireServer([plan(), Reply("Well.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        ctxe(repo, env, "chat", "-p", "plan it")
        first, second = (json.dumps(body) for body in server.bodies)
    assert "only reads" not in first
    assert "there is no skill 'plan'" in second


def test_approving_a_plan_chooses_the_mode_and_auto_is_confirmed(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    with WireServer([Reply("first seen"), Reply("second seen"), Reply("third seen")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("/mode auto")
            terminal.wait(r"trust this folder\? \[y/n\]")
            terminal.type("n")
            mode_of(terminal, "ask")
            terminal.type("\x1b[Z\x1b[Z")
            mode_of(terminal, "read-only")
            terminal.enter("look")
            terminal.wait("first seen")
            terminal.type("\x1b[Z")
            mode_of(terminal, "ask")
            terminal.enter("go on")
            terminal.wait("second seen")
            terminal.enter("/mode auto")
            terminal.wait(r"trust this folder\? \[y/n\](.|\n)*trust this folder\? \[y/n\]")
            terminal.type("y")
            mode_of(terminal, "auto")
            terminal.enter("on")
            terminal.wait("third seen")
            terminal.leave()
        with Terminal(repo, env, ("chat", "-c")) as terminal:
            terminal.wait("left in approval auto; now it is ask: /mode auto brings it back")
            terminal.ready()
            mode_of(terminal, "ask")
            terminal.leave()
        texts = [sent("chat", body) for body in server.bodies]
    assert texts[0].count(HINT) == 1
    assert "this session no longer only reads; approval: ask" in texts[1]


def test_a_mode_changed_during_a_turn_is_reported_to_the_model(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [Reply("", [Call("run_command", {"command": "sleep 2"})]), Reply("seen"), Reply("heard")]
    with WireServer(script, key=KEY) as server:
        (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
        (home / ".config/ctxe/config.toml").write_text('[approval]\nallow = ["run:sleep *"]\n')
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("wait")
            terminal.wait("sleep 2")
            terminal.type("\x1b[Z\x1b[Z")  # to auto-edit, and on to read-only
            terminal.wait(r"\bseen\b")
            mode_of(terminal, "read-only")
            terminal.enter("on")
            terminal.wait(r"\bheard\b")
            terminal.leave()
        texts = [sent("chat", body) for body in server.bodies]
        log = next((repo / ".ctxe/sessions").glob("*.jsonl")).read_text()
    assert HINT not in texts[1]
    assert texts[2].count(HINT) == 1
    modes = [event["mode"] for event in map(json.loads, log.splitlines()) if event.get("type") == "mode_chosen"]
    assert modes == ["read-only"]
