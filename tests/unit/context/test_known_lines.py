"""Lines already in the request are not sent again: runs of known lines become a number and a handle."""

from __future__ import annotations

from ctxe.context.known_lines import FOLDED, KnownLines, VisibleLines, replace_known_lines, visible_cores
from ctxe.context.tool_output import shown_output
from ctxe.context.trim import Trimmed, handle_of
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk, Priority, Section

LINES = [f"{n}: this is line number {n} of the file" for n in range(1, 9)]
FILE = "\n".join(LINES)


def stood(text: str) -> KnownLines:
    """The lines of a text that was read."""
    return VisibleLines().update(Conversation((Turn("go", (), (read(1, text),)),))).cores


def read(n: int, text: str, note: str = "") -> Step:
    call = ToolCall(f"c{n}", "read", '{"path": "a.py"}')
    notes = (Chunk("n", note),) if note else ()
    return Step(Reply("I look", (call,)), (ToolResult(f"c{n}", text),), notes)


def test_lines_in_the_request_are_known_by_their_text() -> None:
    known = visible_cores(Conversation((Turn("go", (), (read(1, FILE, "told later"),)),)))
    assert {"this is line number 3 of the file", "I look", "told later"} <= known
    assert "go" not in known


def test_folded_and_masked_lines_are_not_known() -> None:
    fold = Fold(Position(0, 1), (Chunk("record", "only this line"),), {"c2": "masked"})
    known = visible_cores(Conversation((Turn("go", (), (read(1, FILE), read(2, "whole text"))),), fold))
    assert known == {"only this line", "I look", "a.py", "masked"}


def test_lines_gathered_for_a_turn_are_known_until_it_is_folded() -> None:
    files = Section("files", Priority.INJECTED, (Chunk("a.py", FILE, path="a.py"),), "task")
    turn = Turn("go", (files,), (read(1, "done"),))
    known = VisibleLines().update(Conversation((turn,)))
    numbered = "\n".join(f"{n}\tthis is line number {n} of the file" for n in range(1, 9))
    assert shown_output(numbered, "read", 100_000, len, known).text.startswith("[8 lines as they stand above; recall ")
    for upto in (Position(0, 1), Position(1, 0), Position(1, 1)):
        folded = Conversation((turn, Turn("on", (), (read(2, "more"),)), Turn("and on")), Fold(upto, ()))
        assert shown_output(numbered, "read", 100_000, len, known.update(folded)).text == numbered


def test_a_run_of_known_lines_is_replaced_by_their_number() -> None:
    known = stood(FILE)
    moved = "\n".join(f"{n + 10}: this is line number {n} of the file" for n in range(1, 7))
    assert replace_known_lines(f"new first line\n{moved}\nnew last line", known, "abc") == (
        "new first line\n[6 lines as they stand above; recall abc]\nnew last line"
    )
    assert replace_known_lines(FILE, known, "abc") == "[8 lines as they stand above; recall abc]"


def test_a_known_run_needs_the_same_order_as_above() -> None:
    known, marker = stood(FILE), "lines as they stand above; recall abc]"
    without = "\n".join(LINES[:4] + LINES[5:])
    assert replace_known_lines(without, known, "abc") == f"[4 {marker}\n{LINES[5]}\n{LINES[6]}\n{LINES[7]}"
    twice = "\n".join([*LINES, *LINES])
    assert replace_known_lines(twice, known, "abc") == f"[8 {marker}\n{LINES[0]}\n[7 {marker}"
    assert replace_known_lines("\n\n".join(LINES), known, "abc") == f"[15 {marker}"


def test_lines_from_two_places_are_one_run_once_shown_together() -> None:
    part, rest = "\n".join(["[lines 1-5]", *LINES[:5]]), "\n".join(LINES[5:])
    first = replace_known_lines(FILE, stood(part), "abc")
    assert first == f"[5 lines as they stand above; recall abc]\n{rest}"
    assert replace_known_lines(f"a.py: 8 lines\n{FILE}", stood(f"a.py: 8 lines\n{part}\n{first}"), "abc") == (
        "[9 lines as they stand above; recall abc]"
    )


def test_short_runs_are_shown_because_a_note_costs_more() -> None:
    known = KnownLines()
    known.add([*(f"this is line number {n} of the file" for n in range(1, 4)), "}", "x", "}"])
    assert replace_known_lines("\n".join(LINES), known, "abc") == "\n".join(LINES)
    assert replace_known_lines("}\nx\n}\nx\n}", known, "abc") == "}\nx\n}\nx\n}"


def test_known_lines_grow_with_the_conversation() -> None:
    known = VisibleLines()
    first = Turn("go", (), (read(1, FILE), read(2, "second")))
    assert known.update(Conversation((first,))).cores.each == visible_cores(Conversation((first,)))
    later = Turn("go", (), (read(1, FILE), read(2, "second", "told later"), read(3, "third")))
    assert known.update(Conversation((later,))).cores.each == visible_cores(Conversation((later,)))
    assert "told later" in known.cores.each
    folded = Conversation((later,), Fold(Position(0, 2), (Chunk("record", "only this line"),)))
    assert known.update(folded).cores.each == visible_cores(folded) == {"only this line", "I look", "a.py", "third"}


def test_results_of_the_same_reply_stand_above_those_after_them() -> None:
    known = VisibleLines().update(Conversation((Turn("go"),)), [ToolResult("c1", FILE)])
    assert shown_output(FILE, "read", 100_000, len, known).text == (
        f"[8 lines as they stand above; recall {handle_of(FILE)}]"
    )


def test_after_a_note_that_lines_are_folded_any_line_may_have_preceded() -> None:
    told = f"[4{FOLDED}abc]\n" + "\n".join(LINES[4:])
    assert replace_known_lines(FILE, stood(told), "abc") == (
        "\n".join(LINES[:4]) + "\n[4 lines as they stand above; recall abc]"
    )


def test_command_and_search_output_omits_only_identical_lines() -> None:
    known = VisibleLines().update(Conversation((Turn("go", (), (read(1, FILE),)),)))
    diff = "\n".join(f"+this is line number {n} of the file" for n in range(1, 9))
    handle = handle_of(diff)
    assert shown_output(diff, "shell", 100_000, len, known) == Trimmed(diff)
    assert shown_output(diff, "read", 100_000, len, known) == Trimmed(
        f"[8 lines as they stand above; recall {handle}]", handle
    )
    told = f"[8 lines as they stand above; recall {handle_of(FILE)}]"
    assert shown_output(FILE, "search", 100_000, len, known) == Trimmed(told, handle_of(FILE))
    assert shown_output("short", "read", 100_000, len, known) == Trimmed("short")
