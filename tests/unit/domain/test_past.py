"""What a session sent: its sums, what each request added, where the cache broke and where it was forgotten."""

from __future__ import annotations

from dataclasses import replace

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.past import Consultation, Miss, Past, SentRequest, known_total
from ctxe.domain.section import Priority


def sent(
    number: int, used: int, held: int, read: int, at: str = "", *, began: str = "", broke: str = ""
) -> SentRequest:
    rows = tuple(
        Row("s", f"{name}", Priority.RECENT, tokens, tokens, "conversation", cached=cached)
        for name, tokens, cached in (("old", held, True), ("new", used - held, False))
    )
    ledger = Ledger("m", 90_000, 1_000, rows, usage=Usage(used, 10, read), usd=0.5, broke=broke)
    return SentRequest(number, 1, number, ledger, at, epoch_cause=began, seconds=10.0, plain_usd=2.0)


ONE = sent(1, 8_000, 0, 0, "2026-01-02T10:00:00.000Z")
TWO = sent(2, 9_000, 8_000, 7_900, "2026-01-02T10:00:20.000Z")
LATE = sent(3, 11_000, 9_000, 900, "2026-01-02T10:10:30.000Z")


def test_an_expired_cache_prefix_is_a_miss_with_the_pause_before_it() -> None:
    assert Past("s", "p", (ONE, TWO, LATE)).misses == (Miss(LATE, 9_000, 900, 600.0),)


def test_no_cache_miss_at_a_new_epoch_a_small_prefix_or_without_cache_figures() -> None:
    folded = replace(LATE, epoch_cause="folded: price")
    small = sent(3, 3_000, 2_000, 0)
    silent = tuple(replace(one, ledger=replace(one.ledger, usage=Usage(9_000, 1))) for one in (ONE, TWO, LATE))
    assert [Past("s", "p", requests).misses for requests in ((ONE, TWO, folded), (ONE, TWO, small), silent)] == [()] * 3


def test_a_time_that_cannot_be_read_is_no_pause() -> None:
    for at in ("soon", "2026-01-02T10:10:30"):
        assert Past("s", "p", (ONE, TWO, replace(LATE, at=at))).misses[0].pause == 0.0


def test_sums_growth_and_breaks() -> None:
    broken = sent(4, 12_000, 100, 100, broke="rules: rules")
    folded = sent(5, 5_000, 0, 0, began="folded: price", broke="x")
    past = Past("s", "p", (ONE, TWO, LATE, broken, folded))
    assert (past.usd, past.plain_usd, past.usage) == (2.5, 10.0, Usage(45_000, 50, 8_900))
    summed = replace(past, consultations=(Consultation(2, "m", Usage(100, 9, 50), 0.25, 0.5), Consultation(9, "m")))
    assert (summed.usd, summed.plain_usd, summed.usage) == (2.75, 10.5, Usage(45_100, 59, 8_950))
    assert (past.growth(), past.growth(1)) == ((1_000, 2_000, 1_000), (1_000,))
    assert past.prefix_breaks == (broken,)
    assert (known_total([None, 1.0, None]), known_total([None]), known_total([])) == (1.0, None, None)
