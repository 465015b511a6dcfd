"""Which of the context that ctxe added unasked the model used later."""

from __future__ import annotations

from dataclasses import replace

from ctxe.context.use_evidence import injected_chunks
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Touch, Turn
from ctxe.domain.past import Injected, Past, used_share
from ctxe.domain.section import Chunk, Priority, Section


def file(path: str, text: str = "x = 1") -> Chunk:
    return Chunk(f"files:{path}", f"{path}\n{text}", path=path)


def section(*chunks: Chunk, name: str = "files", priority: Priority = Priority.INJECTED) -> Section:
    return Section(name, priority, chunks, "task")


def step(text: str = "", *touches: Touch, arguments: str = "{}", notes: tuple[Chunk, ...] = ()) -> Step:
    return Step(Reply(text, (ToolCall("1", "t", arguments),)), (ToolResult("1", "out", touches=touches),), notes)


def ways(*turns: Turn) -> dict[str, str]:
    talk = Conversation(turns)
    chunks = [c for t in turns for s in t.gathered for c in s.chunks] + [n for _, s in talk.steps() for n in s.notes]
    return {f"{one.turn} {one.chunk}": one.use for one in injected_chunks(talk, {chunk.digest: 7 for chunk in chunks})}


def test_a_file_is_edited_read_named_or_not_used() -> None:
    chosen = section(file("src/a.py"), file("src/b.py"), file("src/c.py"), file("src/d.py"), file("e/__init__.py"))
    steps = (
        step("", Touch("src/b.py", "read")),
        step("see src/c.py:3 and __init__.py", Touch("src/a.py", "read"), Touch("src/a.py", "edit")),
    )
    assert ways(Turn("go", (chosen,), steps)) == {
        "1 files:src/a.py": "edited",
        "1 files:src/b.py": "read",
        "1 files:src/c.py": "named",
        "1 files:src/d.py": "",
        "1 files:e/__init__.py": "",
    }


def test_only_later_steps_count_as_use() -> None:
    early, late = section(file("a.py")), section(file("b.py"))
    done = step("", Touch("b.py", "edit"))
    assert ways(Turn("one", (early,), (done,)), Turn("two", (late,), (step("", Touch("a.py", "read")),))) == {
        "1 files:a.py": "read",
        "2 files:b.py": "",
    }


def test_a_name_unique_to_one_chunk_is_evidence_unless_the_user_wrote_it() -> None:
    one, two = file("a.py", "def total_of_cart(): common_name"), file("b.py", "def asked_by_user(): common_name")
    said = step(arguments='{"command": "grep total_of_cart asked_by_user common_name"}')
    assert ways(Turn("what is asked_by_user?", (section(one, two),), (said,))) == {
        "1 files:a.py": "named",
        "1 files:b.py": "",
    }


def test_memories_are_known_by_their_id_and_notes_count_from_where_they_were_told() -> None:
    memory = Chunk("0007-3fa2", "Totals are whole cents", path=".ctxe/decisions/0007.md")
    told = Chunk("restored r.py", "r = 1", path="r.py")
    first = step("", Touch("r.py", "read"), notes=(told, Chunk("changed x", "[x changed]", tier="name", path="x")))
    recalled = section(memory, name="recalled", priority=Priority.MEMORY)
    assert ways(Turn("go", (recalled,), (first, step("as 0007-3fa2 says")))) == {
        "1 0007-3fa2": "named",
        "1 restored r.py": "",
    }


def test_chunks_named_by_the_user_or_never_sent_are_not_counted() -> None:
    changed = section(file("b.py"), name="changes")
    named, asides = section(file("a.py"), name="named files"), section(Chunk("q", "!ls"), priority=Priority.TASK)
    rules = replace(section(file("src/AGENTS.md"), name="instructions for files"), share="instructions")
    assert ways(Turn("go", (named, asides, rules, changed), ())) == {}
    assert injected_chunks(Conversation((Turn("go", (section(file("b.py")),)),)), {}) == ()


def test_the_used_share_is_measured_in_tokens() -> None:
    found = (Injected("files", "a", 30, 1, "read"), Injected("files", "b", 10, 1))
    assert used_share(found) == (30, 40)
    assert Past("s", "p").growth() == ()
