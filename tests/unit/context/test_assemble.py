"""Requests are composed in one order, under one budget, with a row for everything."""

from __future__ import annotations

import pytest

from ctxe.context.assemble import Assembled, Frame, assemble, pack
from ctxe.context.budget import Budget, reserve_for
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.errors import BudgetError
from ctxe.domain.model import Message, Text, ToolSchema
from ctxe.domain.section import Chunk, Omission, Priority, Section
from tests.support.counting import count_words

READ = ToolSchema("read_file", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "Be right.", "always"),), "system")


def step(n: int, size: int = 5) -> Step:
    call = ToolCall(f"c{n}", "read_file", '{"path": "a"}')
    return Step(Reply(f"step {n}", (call,), "tools"), (ToolResult(f"c{n}", " ".join(["x"] * size)),))


def talk(*turns: Turn, fold: Fold | None = None) -> Conversation:
    return Conversation(turns, fold)


def composed(conversation: Conversation, window: int = 1_000, sections: tuple[Section, ...] = (RULES,)) -> Assembled:
    return assemble(Frame((READ,), sections, "scripted/x"), conversation, Budget(window, 0), count_words)


def test_the_wire_order_is_tools_system_record_conversation_and_words_last() -> None:
    memory = Section("memory", Priority.MEMORY, (Chunk("m1", "tabs"),), "system", "memory")
    files = Section("files", Priority.INJECTED, (Chunk("a.py", "code"),), "task", "files")
    fold = Fold(Position(1, 0), (Chunk("record", "before: asked for x"),))
    done = composed(
        talk(Turn("old"), Turn("first", (), (Step(Reply("answer")),)), Turn("now", (files,), (step(1),)), fold=fold),
        sections=(RULES, memory),
    )
    assert done.request.system == ("Be right.", "# memory\n\ntabs")
    assert [message.role for message in done.request.messages] == [
        "user",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert done.request.messages[0] == Message("user", (Text("before: asked for x"),))
    assert done.request.messages[1] == Message("user", (Text("first"),))
    assert done.request.messages[3] == Message("user", (Text("# files"), Text("code"), Text("now")))
    order = "tools rules memory memory record conversation conversation files files task conversation"
    assert [row.section for row in done.ledger.rows] == order.split()


def test_a_corrected_token_estimate_holds_from_the_next_request_on() -> None:
    learnt, conversation = {"factor": 1}, talk(Turn("go", (), (step(1), step(2))))

    def count(text: str) -> int:
        return count_words(text) * learnt["factor"]

    before = assemble(Frame((READ,), (RULES,), "scripted/x"), conversation, Budget(1_000, 0), count)
    learnt["factor"] = 3
    after = assemble(Frame((READ,), (RULES,), "scripted/x"), conversation, Budget(1_000, 0), count)
    sizes = [[row.given for row in done.ledger.rows if row.section == "conversation"] for done in (before, after)]
    assert all(new > old for old, new in zip(*sizes, strict=True))


def test_rows_sum_to_used_and_used_is_at_most_usable() -> None:
    done = composed(talk(Turn("go", (), tuple(step(n) for n in range(9)))))
    assert sum(row.given for row in done.ledger.rows) == done.ledger.used <= done.ledger.usable == 1_000


def test_a_section_keeps_its_longest_prefix_within_its_share_and_names_the_rest() -> None:
    chunks = tuple(Chunk(f"m{n}", " ".join(["w"] * 20)) for n in range(4))
    memory = Section("memory", Priority.MEMORY, chunks, "system", "memory", (Omission("m9", 7, "12 more"),))
    done = composed(talk(Turn("go")), sections=(RULES, memory))
    rows = {row.chunk: (row.given, row.why) for row in done.ledger.rows if row.section == "memory"}
    assert rows == {
        "(heading)": (3, "names the section"),
        "m0": (21, ""),
        "m1": (21, ""),
        "m2": (0, "over the memory share"),
        "m3": (0, "over the memory share"),
        "m9": (0, "12 more"),
    }


def test_an_unused_share_goes_to_the_next_sections() -> None:
    rules = Section(
        "instructions", Priority.INJECTED, (Chunk("AGENTS.md", " ".join(["w"] * 120)),), "system", "instructions"
    )
    alone = composed(talk(Turn("go")), sections=(RULES, rules))
    crowded = composed(talk(Turn("go")), 700, sections=(RULES, rules))
    assert [(row.given, row.why, row.cached) for row in crowded.ledger.rows if row.chunk == "AGENTS.md"] == [
        (0, "over the instructions share", False)
    ]
    assert {row.chunk: row.given for row in alone.ledger.rows}["AGENTS.md"] == 121  # 10 % + memory's 5 % of 1,000


def test_steps_are_kept_newest_first_and_omissions_are_named() -> None:
    done = composed(talk(Turn("go", (), tuple(step(n, 40) for n in range(30)))), window=600)
    names = [row.chunk for row in done.ledger.rows if row.section == "conversation" and row.given]
    dropped = [row for row in done.ledger.rows if row.section == "conversation" and not row.given]
    assert names[0] == "(gap)"
    assert names[-1] == "step 1.30"
    assert names[1:] == [f"step 1.{n}" for n in range(31 - len(names) + 1, 31)]
    assert len(dropped) + len(names) - 1 == 30
    assert {row.why for row in dropped} == {"does not fit the window"}
    first = done.request.messages[0].blocks[0]
    assert isinstance(first, Text)
    assert "are left out here" in first.text


def test_the_newest_step_is_shortened_only_as_a_last_resort() -> None:
    huge = "\n".join(f"line {n} of the output" for n in range(500))
    call = ToolCall("c", "run", "{}")
    done = composed(talk(Turn("go", (), (Step(Reply("", (call,), "tools"), (ToolResult("c", huge),)),))), window=400)
    row = done.ledger.rows[-1]
    assert done.ledger.used <= 400
    assert "shortened" in row.why
    assert row.given < row.asked + 1


def test_a_user_message_is_shortened_when_it_alone_does_not_fit() -> None:
    long = "\n".join(f"line {n} of the words" for n in range(500))
    done = composed(talk(Turn(long, (), (step(1),))), window=400)
    (row,) = [row for row in done.ledger.rows if row.chunk == "turn 1"]
    assert "shortened by" in row.why
    assert 300 < done.ledger.used <= 400
    assert done.request.messages[1].blocks[0] == Text("step 1")


def test_older_steps_are_named_as_dropped_when_the_newest_had_to_be_shortened() -> None:
    done = composed(talk(Turn("go", (), (step(1), step(2), step(3, 900)))), window=400)
    rows = {row.chunk: row.given > 0 for row in done.ledger.rows if row.section == "conversation"}
    assert rows == {"step 1.1": False, "step 1.2": False, "step 1.3": True} | (
        {"(gap)": True} if "(gap)" in rows else {}
    )


def test_a_request_that_fits_exactly_is_sent_whole() -> None:
    conversation = talk(Turn("old", (), (step(1),)), Turn("go", (), tuple(step(n) for n in range(2, 9))))
    whole = composed(conversation)
    exact = composed(conversation, window=whole.ledger.used)
    assert exact.request == whole.request
    less = composed(conversation, window=whole.ledger.used - 1)
    assert [row.chunk for row in less.ledger.rows if not row.given][:1] == ["turn 1"]


def test_a_request_that_cannot_fit_is_an_error_that_names_the_parts() -> None:
    with pytest.raises(BudgetError, match=r"cannot fit: [\d,]+ tokens over \(tools \d+, rules \d+, task \d+\)"):
        composed(talk(Turn("go")), window=10)


def test_the_prefix_shared_with_the_request_before_is_marked_cached() -> None:
    first = composed(talk(Turn("go", (), (step(1),))))
    frame = Frame((READ,), (RULES,), "scripted/x")
    second = assemble(frame, talk(Turn("go", (), (step(1), step(2)))), Budget(1_000, 0), count_words, first.marks)
    assert [row.cached for row in second.ledger.rows] == [True] * len(first.marks) + [False]
    assert second.ledger.broke == ""
    other = (Section("rules", Priority.SYSTEM, (Chunk("rules", "Be quick."),), "system"),)
    broken = assemble(Frame((READ,), other, "x"), talk(Turn("go")), Budget(1_000, 0), count_words, first.marks)
    assert broken.ledger.broke == "rules: rules"
    assert broken.ledger.cached == broken.ledger.rows[0].given
    shorter = assemble(frame, talk(Turn("go")), Budget(1_000, 0), count_words, (*first.marks, "more"))
    assert shorter.ledger.broke == "the request became shorter"


def test_masked_results_are_sent_in_place_of_the_originals() -> None:
    fold = Fold(Position(0, 0), masks={"c1": "[masked]"})
    done = composed(talk(Turn("go", (), (step(1), step(2))), fold=fold))
    assert done.request.messages[2].blocks[0] == ToolResult("c1", "[masked]")


def test_pack_shrinks_gathered_sections_to_their_share_once() -> None:
    files = Section(
        "files", Priority.INJECTED, tuple(Chunk(f"f{n}", " ".join(["w"] * 90)) for n in range(4)), "task", "files"
    )
    (packed,) = pack([files], Budget(1_000, 0), count_words)
    assert [chunk.id for chunk in packed.chunks] == ["f0", "f1"]
    assert packed.left_out == (Omission("f2", 90, "over the files share"), Omission("f3", 90, "over the files share"))


def test_no_gathered_chunk_is_kept_when_not_even_the_first_fits() -> None:
    files = Section("files", Priority.INJECTED, (Chunk("f", " ".join(["w"] * 90)), Chunk("g", "w")), "task", "files")
    (packed,) = pack([files], Budget(100, 0), count_words)
    assert packed.chunks == ()
    assert packed.left_out == (Omission("f", 90, "over the files share"), Omission("g", 1, "over the files share"))


@pytest.mark.parametrize(
    ("window", "most", "reserve"),
    [
        (200_000, 64_000, 20_000),
        (200_000, 8_000, 8_000),
        (32_000, 32_000, 8_000),
        (8_000, 100, 2_000),
        (16_000, 16, 4_000),
    ],
)
def test_the_reserve_follows_the_longest_reply_within_bounds_of_the_window(
    window: int, most: int, reserve: int
) -> None:
    assert reserve_for(window, most) == reserve


def test_the_note_about_omissions_is_only_added_where_it_fits() -> None:
    gathered = Section("files", Priority.INJECTED, (Chunk("f", "one two three four five six"),), "task", "files")
    conversation = Conversation((Turn("task", (gathered,), (Step(Reply("")), Step(Reply("")))),))
    for window in range(10, 60):
        try:
            done = assemble(Frame(), conversation, Budget(window, 0), lambda text: len(text.split()))
        except BudgetError:
            continue
        assert done.ledger.used <= window
