"""A model that means harm or is broken: its replies neither control the terminal nor spoil the session."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, git, openai_at, repository
from tests.e2e.one_shot import allow
from tests.wire.script import Entry
from tests.wire.server import Answer, Call, Reply, WireServer

SEQUENCES = "\x1b]0;HOSTILE\x07\x1b]52;c;SE9TVElMRQ==\x07\x1b[5;41m\x1b[2J\x1bP1$r\x1b\\\x9b31m"


def test_file_names_contents_and_replies_cannot_control_the_terminal(home: Path, tmp_path: Path) -> None:
    name = f"bad{SEQUENCES.replace('/', '')}.txt"
    repo = repository(tmp_path / "repo", {name: f"{SEQUENCES} needle\n", "main.py": "x = 1\n"})
    git(repo, "commit", "-q", "--allow-empty", "-m", f"subject {SEQUENCES}")
    git(repo, "checkout", "-q", "-b", "branch\u202e\u009b31m")
    allow(home, "tool:run_command")
    calls = [
        Call("list_files", {}),
        Call("search", {"pattern": "needle"}),
        Call("read_file", {"path": name}),
        Call("read_file", {"path": f"missing{SEQUENCES}"}),
        Call("run_command", {"command": f"git log; cat bad*; printf '{SEQUENCES}'; ls"}),
        Call("update_todo", {"items": [{"text": f"do {SEQUENCES}", "state": "doing"}]}),
        Call("edit_file", {"path": "main.py", "old": "x = 1", "new": f"x = '{SEQUENCES}'"}),
        Call("remember", {"kind": "fact", "title": f"title {SEQUENCES}", "text": f"text {SEQUENCES}"}),
        Call("no_tool", {"x": SEQUENCES}),
    ]
    script: list[Entry] = [
        Reply(f"Words {SEQUENCES}", calls),
        Reply(f"Done {SEQUENCES} end."),
        Answer(400, f"error {SEQUENCES}"),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", f"go @{name}", "--approval", "auto-edit")) as terminal:
            terminal.wait(r"\[y\]es")
            terminal.settle(0.2)
            terminal.type("y")
            terminal.wait(r"Done(.|\n)*end\.")
            for line in ("/ls", "/todo", "/diff", "/context --explain", "/memory", "/export", "/undo", "fails now"):
                terminal.ready()
                terminal.enter(line)
            terminal.wait("400|refused")
            terminal.leave()
            raw = terminal.raw
        assert server.refused == []
        for words in (("sessions", "show"), ("memory", "show")):
            assert drawn(repo, env, words) == []
    assert foreign(raw) == []


APIS: dict[str, Callable[[str], dict[str, str]]] = {
    "chat": openai_at,
    "messages": anthropic_at,
    "responses": lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"},
}


@pytest.mark.parametrize("api", APIS)
def test_broken_replies_never_run_and_never_spoil_what_follows(home: Path, tmp_path: Path, api: str) -> None:
    repo = repository(tmp_path / "repo", {"main.py": "x = 1\n"})
    whole = {"path": "HOSTILE", "text": "x"}
    same = [Call("read_file", {"path": path}, id="same") for path in ("main.py", "gone.py")]
    script: list[Entry] = [
        Reply("Cut.", [Call("write_file", '{"path": "HOSTILE", "text": "x')], stop="length"),
        Reply("In steps."),
        Reply("", [Call("write_file", whole)], stop="length"),
        Reply("", [Call("write_file", whole), Call("write_file", whole)], stop="length"),
        *[Reply("", [Call("write_file", '{"path": "HOSTILE", "text": ')])] * 2,
        Reply("Broken."),
        Reply("", [Call("no_such_tool", whole), Call("write_file; rm -rf /", whole), Call("", whole), *same]),
        Reply("", [*same, Call("list_files", {}, id="call_0")]),
        Reply("", [Call("list_files", {}, id="call_0"), Call("list_files", {}, id="")]),
        Reply("Odd."),
        *[Reply("")] * 3,
        Reply("I will not.", stop="refusal"),
        Reply("Half of", stop="length"),
        Reply("The end."),
    ]
    words = ("cut", "twice", "broken", "odd", "empty", "refused", "half", "last")
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        done = ctxe(repo, env, "chat", "--approval", "auto-edit", stdin="\n".join(words))
        assert (done.code, server.refused, server.left) == (0, [], 0), done.err
        last = json.dumps(server.bodies[-1])
    assert not (repo / "HOSTILE").exists()
    assert [line for line in done.out.splitlines()[1:] if line] == [
        *("In steps.", "Broken.", "Odd.", "I will not.", "Half of", "The end."),
    ]
    assert "  ask again in other words, or try another model\n" in done.err
    for said in (
        "the answer was cut at the model's output limit; write_file was not run",
        "the model's tool calls do not fit its output limit",
        "the arguments are not valid JSON",
        "there is no tool 'no_such_tool'",
        "gave an empty answer",
        "the model refused to answer",
        "the answer was cut at the model's output limit\n",
    ):
        assert said in done.err, said
    assert all(f"{word}" in last for word in words)


def test_a_call_with_an_impossible_path_does_not_end_the_session(home: Path, tmp_path: Path) -> None:
    odd = ("\0", "a/\0b", "", "  ", "x" * 5000, "~", "\n")
    calls = [
        Call(name, {"path": path, **more})
        for path in odd
        for name, more in (
            ("read_file", {}),
            ("list_files", {}),
            ("search", {"pattern": "x"}),
            ("write_file", {"text": "x"}),
            ("edit_file", {"edits": [{"old": "a", "new": "b"}]}),
        )
    ]
    repo = repository(tmp_path / "demo", {"README.md": "# Demo\n"})
    with WireServer([Reply("", calls=calls), Reply("", calls=calls), Reply("Done.")]) as server:
        ran = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "go", "--approval", "auto-edit")
    assert (ran.code, ran.out, server.refused) == (0, "Done.\n", [])


def test_a_model_that_repeats_one_call_forever_is_stopped(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {"main.py": "x = 1\n"})
    with WireServer(then=Reply("", [Call("read_file", {"path": "gone.py"})]), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "-p", "go", "--output-format", "json")
        assert len(server.requests) == 8
    assert (done.json["outcome"], done.json["why"][:31]) == ("failed", "the model made the same failing")


OURS = re.compile(r"\x1b\[(?:[0-9;]*[mJKABCDHr]|\?(?:1|7|12|25|2004)[hl]|6n|\?1049[hl])")


def foreign(raw: str) -> list[str]:
    """Control characters in what came from ctxe that are not its own colours, movements and modes."""
    rest = OURS.sub("", raw)
    blink = re.findall(r"\x1b\[5;41m", raw)
    return blink + re.findall("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\u2066]", rest)


def drawn(repo: Path, env: Mapping[str, str], words: tuple[str, ...]) -> list[str]:
    with Terminal(repo, env, words) as terminal:
        assert terminal.ended(30) == 0
        return foreign(terminal.raw)
