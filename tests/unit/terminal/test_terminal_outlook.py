"""The outlook of a session as text: its past requests, the next fold, and its costs."""

from __future__ import annotations

import io
from dataclasses import replace

from ctxe.domain.conversation import Fold, Position, Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.past import Forecast, Injected, Past, SentRequest
from ctxe.domain.section import Priority
from ctxe.terminal.pages.money import money_table, money_view
from ctxe.terminal.pages.outlook import outlook_view
from ctxe.terminal.screen import Screen, detect

SCREEN = detect(io.StringIO(), io.StringIO(), io.StringIO(), {})
USAGE = Usage(1_000, 50, 800)


def sent(
    number: int, began: str = "", broke: str = "", fold: Fold | None = None, usd: float | None = 0.01
) -> SentRequest:
    ledger = Ledger("m", 10_000, 1_000, (), usage=USAGE, usd=usd, broke=broke)
    return SentRequest(
        number, 1, number, ledger, epoch_cause=began, fold=fold, plain_usd=None if usd is None else 5 * usd
    )


FOLD = Fold(Position(0, 2), tokens_before=82_100, tokens_after=31_000)
PUT = (Injected("files", "a.py", 300, 1, "edited"), *(Injected("files", f"{n}.py", 10 * n, 1) for n in (1, 4, 2, 3)))
PAST = Past("s", "p", (sent(1), sent(2, broke="rules: rules"), sent(3), sent(4, "folded: price", "x", FOLD)), PUT)


def test_the_outlook_shows_cache_breaks_folds_uses_and_the_forecast() -> None:
    assert outlook_view(PAST, Forecast(12, 84_000, 1_200, 2.5, 0.004), SCREEN).splitlines() == [
        "cache    broke before step 1.2, at rules: rules",
        "epoch    began before step 1.4: folded: price, everything before step 1.3, 82.1k → 31k tokens",
        "unasked  400 tokens were put in for your words, 75% used later; not: 4.py (40), 3.py (30), 2.py (20), 1 more",
        "ahead    a step adds about 1.2k tokens; the next fold comes in about 12 steps, at 84k tokens, for about $2.50",
    ]


def test_a_fold_that_no_request_used_yet_is_shown() -> None:
    made = Fold(Position(0, 3), cause="request", tokens_before=8_000, tokens_after=5_900)
    assert outlook_view(Past("s", "p", (sent(1),)), None, SCREEN, made).splitlines() == [
        "cache  the prefix never broke",
        "epoch  begins with the next request: folded: request, 8k → 5.9k tokens",
    ]


def test_outlook_leaves_out_missing_parts() -> None:
    assert outlook_view(Past("s", "p"), None, SCREEN) == ""
    calm = Past("s", "p", (sent(1), sent(2)))
    assert outlook_view(calm, Forecast(None, 84_000, 0, 0.0, 0.0), SCREEN).splitlines() == [
        "cache  the prefix never broke",
        "ahead  the next fold comes at 84k tokens",
    ]


def test_a_distant_fold_has_no_countdown() -> None:
    assert outlook_view(Past("s", "p"), Forecast(None, 84_000, 40), SCREEN) == (
        "ahead  a step adds about 40 tokens; no fold is near, the next comes at 84k tokens"
    )


def test_only_the_newest_breaks_are_listed() -> None:
    many = Past("s", "p", tuple(sent(n, broke=f"b{n}") for n in range(1, 7)))
    assert outlook_view(many, None, SCREEN).splitlines()[2:] == [
        "cache  broke before step 1.6, at b6",
        "cache  and broken 3 times before",
    ]


def test_an_expired_cache_is_shown_with_the_pause_before_it() -> None:
    row = Row("s", "c", Priority.RECENT, 9_000, 9_000, "conversation", cached=True)
    late = replace(sent(3), ledger=replace(sent(3).ledger, rows=(row,)), at="2026-01-02T10:07:10Z")
    before = replace(sent(2), at="2026-01-02T10:00:00Z")
    assert outlook_view(Past("s", "p", (before, late)), None, SCREEN).splitlines() == [
        "cache  the prefix never broke",
        "cache  forgotten before step 1.3: the provider held 800 of 9k tokens, after a pause of 7m10s",
    ]


def test_costs_of_session_next_request_limit_and_project_are_shown() -> None:
    ahead = Forecast(12, 84_000, 1_200, 0.03, 0.004)
    assert money_view(PAST, ahead, 0.05, (1.25, 3), SCREEN).splitlines() == [
        "session  $0.0400 ($0.2000 without a cache) for 4 requests; 4k tokens in, 80% from the cache; 200 out",
        "request  the newest $0.0100; the next about $0.0040 and its answer",
        "limit    $0.0500 for this session, 80% of it spent",
        "project  $1.25 in 3 sessions",
    ]
    unknown = Past("s", "p", (sent(1, usd=None),))
    assert money_view(unknown, Forecast(1, 1, 1), 0, (None, 1), SCREEN).splitlines() == [
        "session  no price known for 1 request; 1k tokens in, 80% from the cache; 50 out",
        "request  the newest no price known",
        "project  no price known in 1 session",
    ]
    assert money_view(Past("s", "p"), None, 0, (0.0, 3), SCREEN).splitlines() == [
        "session  nothing sent yet",
        "project  $0 in 3 sessions",
    ]


def test_a_near_spending_limit_is_highlighted() -> None:
    colored = Screen(io.StringIO(), io.StringIO(), io.StringIO(), color=True)
    styles = [money_view(PAST, None, limit, (None, 0), colored).splitlines()[2] for limit in (0.04, 0.049, 0.06)]
    assert [("\x1b[31m" in row, "\x1b[33m" in row) for row in styles] == [(True, False), (False, True), (False, False)]


def test_cache_writes_are_shown_with_their_one_hour_part() -> None:
    rows = [
        ("a", 1, Usage(10_000, 5, 4_000, 5_000, 2_000), 0.5, 1.5),
        ("b", 1, Usage(10_000, 5, 8_000, 2_000), 0.1, 1.0),
    ]
    assert money_table("model", rows, SCREEN).splitlines()[-1] == (
        "$0.6000 in all, $2.50 without the cache; 60% of the input came from the cache, "
        "7k tokens were written to it, 2k of it for an hour"
    )


def test_the_cost_table_ends_with_the_total() -> None:
    rows = [("2026-01-02", 2, USAGE, 0.5, 1.5), ("2026-01-03", 1, Usage(1_000, 5), None, None)]
    assert money_table("day", rows, SCREEN).splitlines() == [
        "day         replies  input  cached  output            cost   without cache",
        "2026-01-02        2     1k     80%      50         $0.5000           $1.50",
        "2026-01-03        1     1k      0%       5  no price known  no price known",
        "$0.5000 in all, $1.50 without the cache; 40% of the input came from the cache",
    ]
