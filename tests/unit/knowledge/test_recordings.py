"""Recorded sessions of other agents are read call by call, and teach failures with their fixes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.section import digest
from ctxe.knowledge.failures.contents import Content, of_claude, of_patch, of_touches
from ctxe.knowledge.failures.gate import Gate
from ctxe.knowledge.failures.pairing import UNHASHED
from ctxe.knowledge.failures.recorded_calls import RecordedCall, recorded_call
from ctxe.knowledge.failures.recordings import Recording, UserWords
from ctxe.project import Project
from ctxe.project.memory.failures import failure_groups
from ctxe.project.memory.recordings import RecordingResult, learn, recordings, steps_of

ROOT = Path(__file__).resolve().parents[3]


def lines(*objects: Any) -> list[bytes]:
    return [json.dumps(item).encode() for item in objects]


def claude(name: str, command: str, text: str, *, bad: bool = False) -> list[Any]:
    use = {"type": "tool_use", "id": name, "name": "Bash", "input": {"command": command}}
    result = {"type": "tool_result", "tool_use_id": name, "content": text, "is_error": bad}
    return [
        {"type": "assistant", "cwd": "/w/demo", "message": {"role": "assistant", "content": [use]}},
        {"type": "user", "cwd": "/w/demo", "message": {"role": "user", "content": [result]}},
    ]


def read(objects: Iterable[Any]) -> list[RecordedCall | UserWords]:
    return list(Recording().steps(lines(*objects)))


def test_a_claude_code_recording_is_read() -> None:
    steps = read(
        [
            {"type": "user", "message": {"role": "user", "content": "go"}},
            *claude("a", "make", "Exit code 2\nno", bad=True),
        ]
    )
    assert steps == [
        UserWords("go"),
        RecordedCall("Bash", '{"command": "make"}', "no", "command", "make", (), 2, False),
    ]
    assert read([{"isSidechain": True, "message": {"role": "user", "content": "x"}}]) == []


def test_a_codex_recording_is_read() -> None:
    call = {
        "type": "function_call",
        "call_id": "1",
        "name": "exec_command",
        "arguments": '{"cmd": "ls", "workdir": "/w"}',
    }
    output = {"type": "function_call_output", "call_id": "1", "output": "Process exited with code 1\nOutput:\nx"}
    patch = {"type": "custom_tool_call", "call_id": "2", "name": "apply_patch", "input": "*** Update File: a.py\n"}
    done = {"type": "custom_tool_call_output", "call_id": "2", "output": {"output": "Success"}}
    (ran, edited) = read({"type": "response_item", "payload": item} for item in (call, output, patch, done))
    assert isinstance(ran, RecordedCall)
    assert isinstance(edited, RecordedCall)
    assert (ran.command, ran.text, ran.failed) == ("cd /w && ls", "x", True)
    assert (edited.kind, edited.paths, edited.failed) == ("edit", ("a.py",), False)


def test_an_old_codex_recording_with_output_and_exit_code_in_one_text_is_read() -> None:
    call = {
        "type": "function_call",
        "call_id": "1",
        "name": "shell",
        "arguments": '{"command": ["bash", "-lc", "tox"]}',
    }
    held = {"output": "bash: tox: command not found\n", "metadata": {"exit_code": 127, "duration_seconds": 0.1}}
    output = {"type": "function_call_output", "call_id": "1", "output": json.dumps(held)}
    broken = {**output, "output": '{"output": "cut'}
    (ran,) = read({"type": "response_item", "payload": item} for item in (call, output))
    assert isinstance(ran, RecordedCall)
    assert (ran.command, ran.text, ran.exit_code) == ("tox", "bash: tox: command not found\n", 127)
    (cut,) = read({"type": "response_item", "payload": item} for item in (call, broken))
    assert isinstance(cut, RecordedCall)
    assert cut.text == '{"output": "cut'


def test_plain_chat_messages_are_read_and_the_shells_folder_is_followed() -> None:
    function = {"name": "shell", "arguments": '{"command": "edit 1:1\\nx\\nend_of_edit"}'}
    said = "Your proposed edit has introduced new syntax error(s).\n(Open file: /a.py)\n(Current directory: /w)\nbash-$"
    steps = read(
        item
        for n in "12"
        for item in (
            {"role": "assistant", "tool_calls": [{"id": n, "function": function}]},
            {"role": "tool", "tool_call_id": n, "content": said},
        )
    )
    assert [(step.kind, step.failed, step.place) for step in steps if isinstance(step, RecordedCall)] == [
        ("edit", True, ""),
        ("edit", True, "/w /a.py"),
    ]


def test_our_own_log_is_read() -> None:
    call = {"id": "c", "name": "run_command", "arguments": '{"command": "pytest"}'}
    result = {"call_id": "c", "text": "boom [exit 1]", "ok": False}
    steps = read(
        [
            {"v": 1, "session": "s"},
            {"type": "turn_started", "words": "test it"},
            {"type": "reply_received", "reply": {"calls": [call]}},
            {"type": "tool_finished", "result": result, "facts": {"exit_code": 1}},
        ]
    )
    assert steps[0] == UserWords("test it")
    assert isinstance(steps[1], RecordedCall)
    assert (steps[1].command, steps[1].exit_code, steps[1].failed) == ("pytest", 1, True)


@pytest.mark.parametrize(
    ("tool", "arguments", "text", "kind", "failed"),
    [
        ("Read", '{"file_path": "a"}', "File does not exist.", "look", True),
        ("Read", '{"file_path": "a"}', "1 error = 2", "look", False),
        ("Edit", '{"file_path": "a"}', "<tool_use_error>String to replace not found", "edit", True),
        ("str_replace_editor", '{"command": "view", "path": "a"}', "x", "look", False),
        ("mcp__x__click", "{}", "Error: gone", "other", True),
        ("Bash", '{"command": "x"}', "The user doesn't want to proceed with this", "command", False),
        ("bash", '{"command": "javac A.java"}', "bash: javac: command not found", "command", True),
        ("bash", '{"command": "javac A.java"}', "fine", "command", None),
    ],
)
def test_calls_are_classified_with_their_outcome(
    tool: str, arguments: str, text: str, kind: str, failed: bool | None
) -> None:
    found = recorded_call(tool, arguments, text)
    assert (found.kind, found.failed) == (kind, failed)


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[1]", b"null", b'{"message": 3}', b'{"role": "tool"}', b'{"payload": {}}']
)
def test_invalid_lines_of_a_recording_are_skipped(line: bytes) -> None:
    assert list(Recording().steps([line, *lines({"role": "user", "content": "hi"})])) == [UserWords("hi")]


def test_a_json_list_of_messages_is_read_as_a_recording(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}]
    for name, value in (("a", messages), ("b", {"messages": messages}), ("c", 3), ("d", {"x": 1})):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    (tmp_path / "e.json").write_text("{")
    steps = {path.stem: [step for _, step in steps_of(path)] for path in sorted(tmp_path.glob("*.json"))}
    assert steps == {"a": [UserWords("hi")], "b": [UserWords("hi")], "c": [], "d": [], "e": []}


def test_learning_the_same_recording_twice_adds_failures_once(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    root.mkdir()
    log = tmp_path / "claude.jsonl"
    script = [
        *claude("1", "cd /w/demo && pytest -q tests", "Exit code 1\nE   ValueError: bad value", bad=True),
        *claude("2", "pip install it", "ok"),
        *claude("3", "cd /w/demo && pytest -q tests", "1 passed in 0.1s"),
    ]
    log.write_bytes(b"\n".join(lines(*script)))
    other = tmp_path / "other.jsonl"
    other.write_bytes(log.read_bytes().replace(b"/w/demo", b"/w/else"))
    project = Project.open(root, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert recordings(project, [str(tmp_path)]) == (log, other)
    assert learn(project, log) == RecordingResult("claude.jsonl", 3, 1, 1, 1)
    assert learn(project, log) == RecordingResult("claude.jsonl", skipped="known already")
    assert learn(project, other) == RecordingResult("other.jsonl", skipped="of another folder: /w/else")
    namesake = tmp_path / "elsewhere" / "claude.jsonl"
    namesake.parent.mkdir()
    namesake.write_bytes(b"\n".join(lines(*claude("9", "cd /w/demo && ls", "x"))))
    assert learn(project, namesake) == RecordingResult("claude.jsonl", 1)
    (group,) = failure_groups(project)
    assert (group.status, group.seen, group.entry.command, group.fix) == (
        "resolved",
        1,
        "pytest tests",
        "first ran `pip install it`",
    )


def test_replay_distinguishes_a_futile_repetition_from_one_after_a_change(tmp_path: Path) -> None:
    bad = ("pytest tests", "Exit code 1\nE   ValueError: bad value")
    edit = {"type": "tool_use", "id": "e", "name": "Edit", "input": {"file_path": "a.py"}}
    done = {"type": "tool_result", "tool_use_id": "e", "content": "The file a.py has been updated."}
    script = [*claude("1", *bad, bad=True), *claude("2", "git status", ""), *claude("3", *bad, bad=True)]
    script += [{"message": {"role": "assistant", "content": [edit]}}, {"message": {"role": "user", "content": [done]}}]
    script += [*claude("4", *bad, bad=True), *claude("5", "ls", "a.py")]
    for run in ("one", "two"):
        (tmp_path / f"{run}.jsonl").write_bytes(b"\n".join(lines(*script)))
    command = [sys.executable, str(ROOT / "scripts/replay-failures"), str(tmp_path), "--json"]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {
        name: (figures[name]["of"], figures[name]["share"]) for name in figures if name not in ("p99_ms", "steps")
    } == {
        "futile": (2, 1.0),
        "honest": (2, 0.0),
        "healthy": (6, 0.0),
        "seen": (4, 1.0),
        "seen later": (3, 1.0),
    }


def noted(name: str, tool: str, told: dict[str, Any]) -> list[Any]:
    """A call of Claude Code to a file tool, with what its log tells of the file."""
    use = {"type": "tool_use", "id": name, "name": tool, "input": {"file_path": told.get("filePath", "")}}
    result = {"type": "tool_result", "tool_use_id": name, "content": "The file has been updated."}
    return [
        {"cwd": "/w/demo", "message": {"role": "assistant", "content": [use]}, "timestamp": "2026-03-01T10:00:00Z"},
        {"message": {"role": "user", "content": [result]}, "toolUseResult": told},
    ]


TEST, APP, BAD = "def test_a(): ...\n", "x = 1\ny = 2\n", "Exit code 1\nE   ValueError: bad value"
RUN = "pytest -q tests/test_a.py"


def session(*, read: bool, whole: bool = True) -> list[Any]:
    """A test fails, app.py is edited, the test passes; the test's file was read before, or not, or in part."""
    lines_of = {"startLine": 1, "numLines": 2, "totalLines": 2 if whole else 9}
    seen = {"type": "text", "file": {"filePath": "/w/demo/tests/test_a.py", "content": TEST, **lines_of}}
    edit = {"filePath": "/w/demo/app.py", "oldString": "y = 2", "newString": "y = 3", "originalFile": APP}
    return [
        *(noted("0", "Read", seen) if read else []),
        *claude("1", RUN, BAD, bad=True),
        *noted("2", "Edit", edit),
        *claude("3", RUN, "1 passed in 0.1s"),
    ]


def learned(folder: Path, script: list[Any]) -> tuple[Project, Any]:
    """A project after it learnt one recording, and the failure that it remembers."""
    (folder / "demo/tests").mkdir(parents=True)
    (folder / "log.jsonl").write_bytes(b"\n".join(lines(*script)))
    project = Project.open(folder / "demo", {"HOME": str(folder), "PATH": "/usr/bin:/bin"})
    learn(project, folder / "log.jsonl", sure=True)
    (group,) = failure_groups(project)
    return project, group


def test_file_contents_from_a_recording_are_compared_by_the_gate(tmp_path: Path) -> None:
    project, group = learned(tmp_path, session(read=True))
    entry = group.entry
    assert (entry.fix, entry.call) == ("edited app.py: `y = 2` → `y = 3`", RUN)
    assert entry.state == (f"tests/test_a.py@{digest(TEST)[:12]}", f"app.py@{digest(APP)[:12]}")
    assert (entry.created, group.first) == ("2026-03-01T10:00:00Z", 1_772_359_200.0)
    (project.root / "tests/test_a.py").write_text(TEST)
    gate = Gate([group])
    for text, nearness in ((APP, "exact"), (APP.replace("2", "3"), "near")):
        (project.root / "app.py").write_text(text)
        match = gate.match(RUN, RUN, lambda path: digest((project.root / path).read_text()))
        assert match
        assert match.nearness == nearness


@pytest.mark.parametrize("script", [session(read=False), session(read=True, whole=False)])
def test_unknown_file_contents_are_noted_and_never_stop_a_call(tmp_path: Path, script: list[Any]) -> None:
    _, group = learned(tmp_path, script)
    entry = group.entry
    assert (entry.status, entry.call, entry.state, UNHASHED in entry.evidence) == ("resolved", "", (), True)
    match = Gate([group]).match(RUN, "pytest tests/test_a.py", lambda _: "")
    assert match is None or match.nearness == "near"


def test_a_command_in_between_makes_file_contents_unknown(tmp_path: Path) -> None:
    script = session(read=True)
    script[2:2] = claude("9", "python rewrite.py", "done")
    assert learned(tmp_path, script)[1].entry.call == ""


def test_a_corrected_call_with_unknown_files_is_noted_but_not_stopped(tmp_path: Path) -> None:
    wrong = "Exit code 1\nE       fixture 'db' not found"
    script = [*claude("1", RUN, wrong, bad=True), *claude("2", "pytest -p plug tests/test_a.py", "1 passed in 0.1s")]
    entry = learned(tmp_path, script)[1].entry
    assert (entry.fix, entry.call, entry.state) == (
        "run `pytest -p plug tests/test_a.py` instead (with `-p plug`)",
        "",
        (),
    )


def test_file_contents_are_read_from_our_logs_and_from_patches() -> None:
    touches = [
        {"path": "a.py", "operation": "read", "digest": "aa"},
        {"path": "b.py", "operation": "create", "digest": "bb"},
        {"path": "c.py", "operation": "edit", "digest": "cc"},
        {"path": 3},
        "odd",
    ]
    assert list(of_touches(touches, "+x")) == [
        Content("a.py", "aa", "aa"),
        Content("b.py", "", "bb", "+x"),
        Content("c.py", None, "cc", "+x"),
    ]
    patch = "*** Begin Patch\n*** Add File: n.py\n+x = 1\n+\n*** Update File: u.py\n@@\n-a\n+b\n*** Delete File: d.py\n"
    assert list(of_patch(patch + "*** End Patch\n")) == [
        Content("n.py", "", digest("x = 1\n\n"), "+x = 1\n+\n"),
        Content("u.py", None, None, "@@\n-a\n+b\n"),
        Content("d.py", None, ""),
    ]


@pytest.mark.parametrize(
    "told",
    [None, "text", {}, {"file": 3}, {"file": {"filePath": 1}}, {"filePath": "a", "oldString": 1, "newString": 2}],
)
def test_invalid_file_records_give_no_content(told: Any) -> None:
    assert [(content.before, content.after) for content in of_claude(told)] in ([], [(None, None)])
