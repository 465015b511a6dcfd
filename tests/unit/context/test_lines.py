"""Lines of steps: for the tools of any agent, queries, added and removed lines are told apart."""

from __future__ import annotations

import json
import time

from ctxe.context.calls import CallArguments, kind_of, parse_arguments, shorten_arguments
from ctxe.context.lines import core_of, entries_of, names_in, number_of
from ctxe.domain.conversation import Reply, Step, ToolCall, ToolResult, Touch


def shown(result: ToolResult) -> str:
    return result.text


def test_one_very_long_word_is_read_in_linear_time() -> None:
    started = time.process_time()
    for run in ("y", "a.", "-", "1", "~", "../", "aB"):
        assert len(names_in(run * (60_000 // len(run)) + " src/frame.py")) <= 2
    assert time.process_time() - started < 2


def test_names_are_paths_and_identifiers_that_no_plain_word_looks_like() -> None:
    assert names_in("the parseHeader of src/frame.py calls MAX_SIZE, __init__ and ordinary words") == (
        "parseHeader",
        "MAX_SIZE",
        "src/frame.py",
    )
    assert names_in("short a_b") == ()
    assert names_in("see ../docs/a.md.") == ("../docs/a.md",)


def test_a_line_is_the_same_with_number_indentation_search_prefix_and_diff_sign() -> None:
    for text in (
        "    return x + 1",
        "  12→    return x + 1",
        "7: return x + 1",
        "src/a.py:7:    return x + 1",
        "+return x + 1",
    ):
        assert core_of(text) == "return x + 1"
    assert core_of("-") == "-"
    assert core_of("12. item") == "item"


def test_an_edit_is_split_into_removed_and_added_lines() -> None:
    arguments = {"file_path": "a.py", "old_string": "x = 1\ny", "new_string": "x = 2\ny", "replace_all": False}
    assert parse_arguments(json.dumps(arguments)) == CallArguments({"file_path": "a.py"}, ("x = 2\ny",), ("x = 1\ny",))


def test_a_patch_gives_an_entry_for_every_file() -> None:
    changes = "*** Update File: a.py\n-old line here\n+new line here\n*** Add File: b/c.py\n+more"
    patch = f"*** Begin Patch\n{changes}\n*** End Patch"
    call = ToolCall("1", "apply_patch", json.dumps({"patchText": patch}))
    step = Step(Reply("Now both.", (call,)), (ToolResult("1", "Done: updated_both_files"),))
    said, first, second = entries_of(step, 7, shown)
    assert (said.what, said.lines[0].text) == ("said", "Now both.")
    assert (first.step, first.path, first.title, first.is_edit) == (7, "a.py", ("a.py",), True)
    assert [(line.text, line.origin) for line in first.lines] == [
        ("a.py", "written"),
        ("-old line here", "written"),
        ("+new line here", "written"),
        ("Done: updated_both_files", "result"),
    ]
    assert (second.path, second.is_edit, second.lines[0].text) == ("b/c.py", True, "b/c.py")


def test_a_read_by_shell_is_about_its_file() -> None:
    call = ToolCall("1", "exec_command", '{"cmd": "sed -n \'1,20p\' src/deep/a.py", "workdir": "/w"}')
    (entry,) = entries_of(Step(Reply("", (call,)), (ToolResult("1", "x"),)), 1, shown)
    assert (entry.path, entry.kind, entry.is_edit, entry.title) == (
        "src/deep/a.py",
        "read",
        False,
        ("sed -n '1,20p' src/deep/a.py", "/w"),
    )


def test_paths_reported_by_the_tool_go_before_its_arguments() -> None:
    call = ToolCall("1", "write", '{"path": "./a.py"}')
    (entry,) = entries_of(Step(Reply("", (call,)), (ToolResult("1", "", touches=(Touch("a.py", "edit"),)),)), 1, shown)
    assert entry.path == "a.py"


def test_failed_results_are_recognised() -> None:
    def ok(text: str, result_ok: bool = True) -> bool:
        (entry,) = entries_of(
            Step(Reply("", (ToolCall("1", "sh", "{}"),)), (ToolResult("1", text, result_ok),)), 1, shown
        )
        return entry.ok

    assert [ok("fine"), ok("Process exited with code 0"), ok("an error word inside")] == [True, True, True]
    assert [ok("Exit code: 2"), ok('{"exitCode": 1}'), ok("fatal: no"), ok("x", False)] == [False, False, False, False]


def test_a_kind_is_known_by_a_tools_name() -> None:
    asked = {
        name: kind_of(name, CallArguments({}))
        for name in ("Read", "read_text_file", "Grep", "glob", "Bash", "todowrite")
    }
    assert asked == {
        "Read": "read",
        "read_text_file": "read",
        "Grep": "search",
        "glob": "search",
        "Bash": "shell",
        "todowrite": "other",
    }
    commands = {
        command: kind_of("bash", CallArguments({"command": command}))
        for command in ("cat a.py", "cd x && rg y", "make")
    }
    assert commands == {"cat a.py": "read", "cd x && rg y": "search", "make": "shell"}


def test_arguments_that_are_no_object_are_contents() -> None:
    assert parse_arguments("*** not json") == CallArguments({}, ("*** not json",))
    assert parse_arguments("") == CallArguments({})
    assert parse_arguments('{"a": {"path": "x"}, "b": ["y", 1, null]}') == CallArguments({"path": "x", "b": "y"})


def test_arguments_are_shortened_and_stay_json() -> None:
    arguments = json.dumps({"path": "a.py", "content": "word " * 2_000, "n": 1})
    short = shorten_arguments(arguments, 100, lambda text: len(text) // 4)
    decoded = json.loads(short)
    assert (decoded["path"], decoded["n"]) == ("a.py", 1)
    assert decoded["content"].startswith("word word")
    assert decoded["content"].endswith("characters left out]")
    assert len(short) // 4 <= 100
    assert list(json.loads(shorten_arguments("no json " * 500, 50, len))) == ["shortened"]
    assert shorten_arguments("{}", 1, len) == "{}"


def test_a_listing_and_a_search_result_number_their_lines() -> None:
    numbered = {"   12→x = 1": 12, "7\ty": 7, "L30: z": 30, "src/a2.py:41:def f": 41, "src/a.py-9-x": 9, "x = 3": None}
    assert {text: number_of(text) for text in numbered} == numbered
