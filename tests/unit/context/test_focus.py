"""The focus of a fold: matching lines stay word for word, within their room, through later folds."""

from __future__ import annotations

from ctxe.context.focus import focus_chunk, focus_of
from ctxe.context.lines import HistoryEntry, lines_in
from ctxe.domain.conversation import Conversation, Fold, Position
from ctxe.domain.section import Chunk


def entry(step: int, title: str, text: str, what: str = "read_file") -> HistoryEntry:
    return HistoryEntry(step, what, (title,), lines=tuple(lines_in(text, "result")))


OLD = entry(1, "money.py", "import re\n\ndef cents(price):\n    return int(price)\n\nLAST = 1")
ENTRIES = [
    OLD,
    entry(2, "words", "the parser of prices", "user"),
    entry(3, "parse.py", "def parse(text):\n    pass\nEND = 2"),
]


def test_lines_that_share_words_with_the_focus_keep_their_neighbours() -> None:
    assert focus_chunk("the price parse", ENTRIES, 1_000, len) == Chunk(
        "focus",
        "[The user asks to keep in sight: the price parse]\n"
        "s1 read_file money.py\nimport re\ndef cents(price):\n    return int(price)\nLAST = 1\n"
        "s3 read_file parse.py\ndef parse(text):\n    pass",
        "the price parse",
    )


def test_lines_with_the_rarest_words_win_when_room_is_short() -> None:
    kept = focus_chunk("price parse", ENTRIES, 130, len)
    assert kept is not None
    assert "def parse(text):" in kept.text
    assert "cents" not in kept.text
    assert len(kept.text) <= 130


def test_a_focus_without_meaningful_or_matching_words_keeps_nothing() -> None:
    assert focus_chunk("", ENTRIES, 1_000, len) is None
    assert focus_chunk("the and of", ENTRIES, 1_000, len) is None
    assert focus_chunk("kubernetes", ENTRIES, 1_000, len) is None
    assert focus_chunk("price", ENTRIES, 20, len) is None


def test_a_repeated_line_is_kept_once_at_its_last_place() -> None:
    again = [OLD, entry(5, "money.py", "def cents(price):")]
    kept = focus_chunk("cents", again, 1_000, len)
    assert kept is not None
    assert kept.text.splitlines()[1:] == ["s5 read_file money.py", "def cents(price):"]


def test_the_focus_of_a_fold_is_found_again() -> None:
    fold = Fold(Position(0, 1), (Chunk("words 1", "go"), Chunk("focus", "…", "the parser")))
    assert focus_of(Conversation(fold=fold)) == "the parser"
    assert focus_of(Conversation()) == ""
