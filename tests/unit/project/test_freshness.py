"""A change on disk is reported once, as a diff or whole, whichever is shorter, and never when it is too long."""

from __future__ import annotations

from ctxe.agent.state import State
from ctxe.context.superseded import CHANGED
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Touch, Turn
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.project.window.freshness import announced_versions, change_notes, news_of, seen_versions
from tests.support.counting import count_words

LONG = "".join(f"line {n} of it\n" for n in range(60))


def after_reading(**digests: str) -> State:
    touches = tuple(Touch(path, "read", digest) for path, digest in digests.items())
    step = Step(Reply("", (ToolCall("c", "read", "{}"),)), (ToolResult("c", "…", touches=touches),))
    return State(Conversation((Turn("go", (), (step,)),)))


def test_a_small_change_of_a_long_file_is_a_diff() -> None:
    told = news_of(LONG, LONG.replace("line 30 of it", "line thirty"), 1_000, count_words)
    assert told.splitlines() == [
        "@@ -29,5 +29,5 @@",
        " line 28 of it",
        " line 29 of it",
        "-line 30 of it",
        "+line thirty",
        " line 31 of it",
        " line 32 of it",
    ]


def test_a_rewritten_file_is_shown_whole_unless_it_is_too_long() -> None:
    assert news_of("a\nb\nc\n", "x\n", 10, count_words) == "x\n"
    assert news_of(None, "x\ny\n", 10, count_words) == "x\ny\n"
    assert news_of(None, LONG, 100, count_words) == ""
    assert news_of("a\n", "", 10, count_words) == ""


def test_a_file_noted_without_a_version_is_not_compared() -> None:
    state = after_reading(a="1")
    (step,) = state.turn.steps
    rule = Chunk("rules", "use tabs", path="b")
    gone = Chunk(CHANGED + "c", "it is gone", path="c")
    told = Step(step.reply, step.results, (rule, gone))
    assert announced_versions(State(Conversation((Turn("go", (), (told,)),)))) == {"a": "1", "c": ""}


def test_a_change_note_shows_the_current_content_and_counts_as_seen() -> None:
    state = after_reading(a="1", b="2", c="3", d="4")
    now = {"a": "1", "b": "20", "c": "", "d": "40"}

    def content(path: str, before: str, whole: bool) -> str:
        return f"{path} was {before}" if path == "b" and whole else ""

    notes = change_notes(state, lambda path: now[path], content)
    why = "since you last saw it, not by an edit of yours."
    assert [(note.text, note.tier, note.path, note.of) for note in notes] == [
        (f"[ctxe: b changed {why} Now, in place of what stands above:]\nb was 2", "region", "b", "20"),
        (f"[ctxe: c is gone {why}]", "name", "c", ""),
        (f"[ctxe: d changed {why} Read it again before you rely on it.]", "name", "d", "40"),
    ]
    (turn,) = state.conversation.turns
    (step,) = turn.steps
    told = Step(step.reply, step.results, tuple(notes))
    known = seen_versions(State(Conversation((Turn("go", (), (told,)),))))
    assert (known["a"], known["b"], known["d"]) == ("1", "20", "4")


def test_a_change_is_reported_even_if_other_parts_of_the_file_are_shown_with_the_words() -> None:
    (before,) = after_reading(a="1", b="1").conversation.turns
    part = Chunk("files:a", "…", tier="region", path="a", of="2")
    whole = Chunk("files:b", "…", tier="full", path="b", of="2")
    words = Turn("go on", (Section("files", Priority.INJECTED, (part, whole), "task"),), ())
    (note,) = change_notes(State(Conversation((before, words))), lambda path: "2")
    assert (note.path, note.of) == ("a", "2")
    changes = Section("changes", Priority.INJECTED, (note,), "task")
    told = Turn("go on", (*words.gathered, changes), ())
    assert change_notes(State(Conversation((before, told, words))), lambda path: "2") == []


def test_a_changed_file_that_was_folded_is_shown_as_a_diff_or_not_at_all() -> None:
    (before,), (after,) = (after_reading(**read).conversation.turns for read in ({"a": "1", "b": "2"}, {"b": "2"}))
    fold = Fold(Position(1), (Chunk("record", "lines of a"),))
    state = State(Conversation((before, after), fold))
    asked: dict[str, bool] = {}

    def content(path: str, before: str, whole: bool) -> str:
        asked[path] = whole
        return ""

    assert [note.tier for note in change_notes(state, lambda path: "new", content)] == ["name", "name"]
    assert asked == {"a": False, "b": True}
    assert news_of(None, "x\ny\n", 10, count_words, whole=False) == ""
    assert news_of(LONG, LONG.replace("line 30 of it", "line thirty"), 1_000, count_words, whole=False).startswith(
        "@@ -29"
    )
