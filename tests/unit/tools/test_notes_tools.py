"""remember, record_failure, recall and update_todo pass on exactly what the model said."""

from collections.abc import Sequence
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Risk, Tool, ToolOutput
from ctxe.tools.notes import recall, record_failure, remember, update_todo


def call(tool: Tool, **arguments: Any) -> ToolOutput:
    (output,) = tool.prepare(arguments).run()
    assert isinstance(output, ToolOutput)
    return output


def test_remember_shows_the_entry_before_saving_it() -> None:
    kept: list[tuple[object, ...]] = []

    def keep(kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> str:
        kept.append((kind, title, text, files, replaces))
        return "kept as 0007"

    arguments = {"kind": "decision", "title": " Use\nJSONL ", "text": "Why: simple.\n", "files": ["a.py"]}
    action = remember(keep).prepare(arguments)
    assert (action.title, action.risk, action.preview_kind) == ("remember decision: Use JSONL", Risk.WRITE, "text")
    assert action.preview == "decision: Use JSONL\nfiles: a.py\n\nWhy: simple."
    assert kept == []
    assert call(remember(keep), **arguments).text == "kept as 0007"
    assert kept == [("decision", "Use JSONL", "Why: simple.", ["a.py"], "")]


def test_the_remember_approval_shows_similar_and_replaced_entries() -> None:
    tool = remember(lambda *_: "kept", lambda *said: [f"decision 0003 stays and says: {said[1]} {said[4]}"])
    arguments = {"kind": "decision", "title": "Use JSONL", "text": "Why: simple.", "replaces": " 0002 "}
    assert tool.prepare(arguments).preview == (
        "decision: Use JSONL\nreplaces: 0002\n\nWhy: simple.\n\ndecision 0003 stays and says: Use JSONL 0002"
    )


def test_record_failure_passes_all_fields() -> None:
    kept: list[tuple[object, ...]] = []

    def keep(tried: str, outcome: str, fix: str, command: str, files: Sequence[str]) -> str:
        kept.append((tried, outcome, fix, command, files))
        return "noted"

    tool = record_failure(keep)
    action = tool.prepare({"tried": "mock it", "outcome": "hangs", "command": "pytest"})
    assert action.preview == "tried: mock it\noutcome: hangs\ncommand: pytest"
    assert call(tool, tried="mock it", outcome="hangs", fix="fake", files=["t.py"]).text == "noted"
    assert kept == [("mock it", "hangs", "fake", "", ["t.py"])]


def test_recall_by_handle_or_by_words() -> None:
    tool = recall(lambda handle, query: {"ab12": "the whole text"}.get(handle, "") or ("found" if query == "w" else ""))
    assert call(tool, handle="ab12").text == "the whole text"
    assert call(tool, query="w").text == "found"
    for arguments, said in [
        ({}, "recall takes either handle or query"),
        ({"handle": "a", "query": "b"}, "recall takes either handle or query"),
        ({"handle": "zz"}, "there is no text under the handle zz"),
        ({"query": "zz"}, "nothing matches zz"),
    ]:
        with pytest.raises(ToolError) as caught:
            call(tool, **arguments)
        assert str(caught.value) == said


def test_a_long_text_is_recalled_part_by_part() -> None:
    whole = "\n".join(f"line {n}" for n in range(1, 1_001))
    tool = recall(lambda handle, _: whole)
    first, then = call(tool, handle="ab12"), call(tool, handle="ab12", first=900)
    assert (first.kind, first.text) == ("recalled", f"[from line 1 of 1,000]\n{whole}")
    assert then.text.splitlines()[:2] == ["[from line 900 of 1,000]", "line 900"]
    assert then.text.endswith("\nline 1000")
    with pytest.raises(ToolError) as caught:
        call(tool, handle="ab12", first=1_001)
    assert str(caught.value) == "first is a line from 1 to 1,000"


def test_update_todo_returns_the_whole_list() -> None:
    items = [
        {"text": "read", "state": "done"},
        {"text": "fix\nit", "state": "doing"},
        {"text": "test", "state": "open"},
    ]
    tool = update_todo()
    assert tool.prepare({"items": items}).title == "todo: 1 of 3 done"
    output = call(tool, items=items)
    assert output.text == "[x] read\n[>] fix it\n[ ] test"
    assert output.facts == {
        "todo": [
            {"text": "read", "state": "done"},
            {"text": "fix it", "state": "doing"},
            {"text": "test", "state": "open"},
        ]
    }
    assert call(tool, items=[]).text == "the todo list is empty"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"text": " ", "state": "open"}], "text is empty"),
        ([{"text": "a", "state": "later"}], "update_todo: items: state must be one of open, doing, done"),
        ([{"text": "a", "state": "open"}] * 51, "a todo list has at most 50 items; join some"),
    ],
)
def test_invalid_todo_lists_are_refused(items: list[dict[str, str]], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        call(update_todo(), items=items)
    assert str(caught.value) == said
