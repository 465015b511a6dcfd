"""Which parts of a request are outdated: a file's text after an edit, a newer read, a change on disk."""

from __future__ import annotations

from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.context.superseded import superseded_rows
from ctxe.domain.conversation import Conversation, Operation, Reply, Step, ToolCall, ToolResult, Touch, Turn
from ctxe.domain.section import Chunk, Priority, Section, Tier


def step(operation: Operation, path: str, digest: str, *notes: Chunk) -> Step:
    call = ToolCall(f"{operation} {path} {digest}", operation, "{}")
    result = ToolResult(call.id, f"{path} is {digest}", touches=(Touch(path, operation, digest),))
    return Step(Reply("", (call,)), (result,), notes)


def planned(path: str, digest: str, tier: Tier = "full") -> Section:
    chunk = Chunk(f"files:{path}", f"{path} was {digest}", "planned", tier, path, digest)
    return Section("files", Priority.INJECTED, (chunk,), "task", "files")


def talk(*steps: Step, gathered: tuple[Section, ...] = ()) -> Conversation:
    return Conversation((Turn("go", gathered, steps),))


def test_an_edit_supersedes_what_was_read_and_what_was_planned() -> None:
    files = planned("a.py", "1")
    held = talk(step("read", "a.py", "1"), step("read", "b.py", "1"), step("edit", "a.py", "2"), gathered=(files,))
    assert superseded_rows(held) == {"step 1.1": "a.py by step 1.3", files.chunks[0].digest: "a.py by step 1.3"}


def test_a_newer_read_supersedes_only_another_content() -> None:
    assert superseded_rows(talk(step("read", "a.py", "1"), step("read", "a.py", "1"))) == {}
    changed = talk(step("read", "a.py", "1"), step("read", "a.py", "2"), step("read", "a.py", "2"))
    assert superseded_rows(changed) == {"step 1.1": "a.py by step 1.2"}


def test_text_that_is_current_again_is_not_superseded() -> None:
    held = talk(step("read", "a.py", "1"), step("create", "a.py", "2"), step("edit", "a.py", "1"))
    assert superseded_rows(held) == {"step 1.2": "a.py by step 1.3"}


def test_a_change_on_disk_supersedes_reads_and_change_notes() -> None:
    told = Chunk("changed a.py", "now 2", "changed on disk", "region", "a.py", "2")
    gone = Chunk("changed a.py", "it is gone", "changed on disk", "name", "a.py", "")
    restored = Chunk("restored b.py", "lines", "its file is being worked on", "region", "b.py")
    held = talk(step("read", "a.py", "1"), step("read", "b.py", "1", told), step("read", "b.py", "1", gone, restored))
    assert superseded_rows(held) == {"step 1.1": "a.py by step 1.3", "step 1.2": "a.py by step 1.3"}


def test_file_names_are_never_superseded() -> None:
    assert superseded_rows(talk(step("edit", "a.py", "2"), gathered=(planned("a.py", "1", "name"),))) == {}


def test_superseded_rows_are_marked_in_the_ledger_and_the_request_is_unchanged() -> None:
    files = planned("a.py", "1")
    before = talk(step("read", "a.py", "1"), gathered=(files,))
    after = talk(step("read", "a.py", "1"), step("edit", "a.py", "2"), gathered=(files,))
    first = assemble(Frame(), before, Budget(10_000, 0), len)
    then = assemble(Frame(), after, Budget(10_000, 0), len, first.marks)
    assert first.ledger.superseded == ()
    assert then.ledger.broke == ""
    told = {row.chunk: row.superseded for row in then.ledger.superseded}
    assert told == {"files:a.py": "a.py by step 1.2", "step 1.1": "a.py by step 1.2"}
