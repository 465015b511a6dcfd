"""The preview of a fold, item by item."""

from __future__ import annotations

import io

from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Prices
from ctxe.domain.section import Priority
from ctxe.terminal.pages.folding import fold_view
from ctxe.terminal.screen import detect

SCREEN = detect(io.StringIO(), io.StringIO(), io.StringIO(), {})


def ledger(*rows: tuple[str, str, int, str]) -> Ledger:
    made = (Row(s, c, Priority.RECENT, n, n, "system", cached=s == "rules", digest=mark) for s, c, n, mark in rows)
    return Ledger("m", 10_000, 1_000, tuple(made))


BEFORE = ledger(
    ("rules", "rules", 400, "r"),
    ("record", "record", 900, "old"),
    ("conversation", "turn 2", 10, "t"),
    ("files", "(heading)", 3, "h"),
    ("conversation", "step 2.1", 2_000, "s1"),
    ("conversation", "step 2.2", 1_000, "s2"),
)
AFTER = ledger(
    ("rules", "rules", 400, "r"),
    ("record", "words 2", 10, "t"),
    ("record", "record", 900, "new"),
    ("conversation", "step 2.2", 500, "masked"),
)


def test_every_changed_item_is_shown_with_its_size_before_and_after() -> None:
    assert fold_view(BEFORE, AFTER, {"step 2.1": "read_file a.py"}, SCREEN, None).splitlines() == [
        "item      before  after",
        "record       900    900  written anew",
        "step 2.1   2,000         gives way     read_file a.py",
        "step 2.2   1,000    500  shortened",
        "2 items of 410 tokens stay as they are",
        "4,313 → 1,810 tokens (58% less)",
    ]


def test_the_preview_shows_the_cost_and_saving_of_a_fold() -> None:
    told = fold_view(BEFORE, AFTER, {}, SCREEN, Prices(1_000.0, 0.0, 100.0, 1_250.0)).splitlines()[-1]
    assert told == "4,313 → 1,810 tokens (58% less) · costs $1.62 once, saves $0.2503 with every request"


def test_the_largest_changes_are_listed_and_the_rest_is_counted() -> None:
    many = ledger(*(("conversation", f"step 1.{n}", 100 + n, f"{n}") for n in range(40)))
    told = fold_view(many, ledger(), {}, SCREEN, None).splitlines()
    assert told[1].split() == ["step", "1.10", "110", "gives", "way"]
    assert (len(told), told[31]) == (34, f"and 10 more, {sum(range(100, 110)):,} tokens before and 0 after")
