"""The cost of an answer that was cut off: as the provider counted it so far, else by our own count."""

from __future__ import annotations

from ctxe.agent.meter import Meter
from ctxe.domain.conversation import Usage
from ctxe.domain.events import ContextAssembled, Event, Notice
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Billed, CallDelta, ReasoningDelta, TextDelta, Waiting
from ctxe.domain.section import Priority

ROWS = (
    Row("rules", "rules", Priority.SYSTEM, 30, 30, "system", cached=True),
    Row("task", "turn 1", Priority.TASK, 12, 12, "task"),
)
LEDGER = Ledger("scripted/test", 100, 10, ROWS)


def heard(*events: Event) -> Usage | None:
    meter = Meter(lambda text: len(text.split()))
    for event in events:
        meter.observe(event)
    return meter.usage(LEDGER)


def test_a_request_without_any_answer_costs_nothing() -> None:
    assert heard() is None
    assert heard(Notice("late")) is None
    assert Meter(len).usage(None) is None


def test_usage_from_the_provider_goes_before_our_own_count() -> None:
    counted = Usage(500, 1, cache_read=400, cache_write=90)
    assert heard(Billed(counted)) == counted
    assert heard(Billed(counted), TextDelta("one two "), TextDelta("three")) == Usage(500, 3, 400, 90)
    assert heard(Billed(Usage(500, 7)), TextDelta("one")) == Usage(500, 7)


def test_without_usage_the_request_and_the_partial_answer_are_counted() -> None:
    assert heard(TextDelta("one two"), ReasoningDelta(" three")) == Usage(42, 3, cache_read=30)
    calls = [CallDelta("write_file", size) for size in (0, 40, 80)] + [CallDelta("write_file", 20)]
    assert heard(*calls) == Usage(42, 25, cache_read=30)


def test_kept_or_retried_answers_are_not_metered() -> None:
    for over in (Waiting(1.0, "overloaded"), ContextAssembled(LEDGER)):
        assert heard(Billed(Usage(5, 5)), TextDelta("one"), CallDelta("x", 9), over) is None
