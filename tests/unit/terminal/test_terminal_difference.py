"""Two sessions are compared side by side."""

from __future__ import annotations

import io

from ctxe.domain.conversation import Fold, Position, Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.past import Past, SentRequest
from ctxe.domain.section import Priority
from ctxe.terminal.pages.difference import difference_view, session_facts
from ctxe.terminal.screen import detect

SCREEN = detect(io.StringIO(), io.StringIO(), io.StringIO(), {})


def sent(number: int, tokens: int, usd: float | None = 0.5, fold: Fold | None = None) -> SentRequest:
    row = Row("files" if number == 1 else "conversation", "c", Priority.INJECTED, tokens, tokens, "conversation")
    ledger = Ledger("m/x", 10_000, 1_000, (row,), usage=Usage(tokens, 10, 5), usd=usd)
    return SentRequest(
        number, 1, number, ledger, words="go", plain_usd=usd, fold=fold, epoch_cause="folded" if fold else ""
    )


ONE = Past("s1", "p", (sent(1, 100), sent(2, 300)), changed=("a.py", "b.py"))
TWO = Past("s2", "p", (sent(1, 150, None), sent(2, 250, None, Fold(Position(0, 1)))), changed=("b.py", "c.py"))


def test_two_sessions_are_shown_side_by_side_with_the_difference() -> None:
    assert difference_view(ONE, TWO, SCREEN).splitlines() == [
        "                       s1              s2",
        "words                  go              go",
        "model                 m/x             m/x",
        "requests                2               2",
        "turns                   1               1",
        "input                 400             400",
        "output                 20              20",
        "cache read             10              10",
        "folds                   0               1   +1",
        "cache breaks            0               0",
        "fullest               300             250  -50",
        "cost                $1.00  no price known",
        "cost without cache  $1.00  no price known",
        "most files            100             150  +50",
        "most conversation     300             250  -50",
        "changed by both: b.py",
        "changed by s1 only: a.py",
        "changed by s2 only: c.py",
    ]


def test_the_facts_of_a_session_without_requests() -> None:
    empty = session_facts(Past("s", "p"))
    assert (empty["requests"], empty["usd"], empty["fullest"], empty["sections"], empty["changed"]) == (
        0,
        None,
        0,
        {},
        [],
    )
