"""Retrying failed requests, in this place only: the SDKs' own retries are switched off."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import RateLimited
from ctxe.domain.model import Delta, Waiting
from ctxe.domain.value import dataclass
from ctxe.providers.faults import RequestFault

BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0)
"""Seconds before the second, third ... request when the provider names no time; 43.5 in all."""


def _chance() -> float:
    import random

    return random.random()  # noqa: S311 - spreads clients over time, keeps no secret


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """Limits for one answer: attempts (``requests``), ``seconds`` from the first failure on, and for each attempt the
    seconds to ``connect`` and without data (``idle``).

    ``refusal`` is how long to read an error response, which may never end. ``clock`` is monotonic, ``now`` wall time,
    ``jitter`` gives 0 to 1.
    """

    requests: int = 8
    seconds: float = 60.0
    connect: float = 5.0
    idle: float = 120.0
    refusal: float = 5.0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _chance


def persist(
    attempt: Callable[[], Iterator[Delta | Reply]], patience: RetryLimits
) -> Generator[Delta | Reply, None, None]:
    """Attempt until one succeeds: yields its deltas and reply. A Waiting makes all deltas before it void.

    Raises the ProviderError of the last attempt, with the number of requests in its message.
    """
    first: float | None = None
    attempts = 0
    while True:
        attempts += 1
        try:
            yield from attempt()
            return
        except RequestFault as error:
            fault = error
        first = patience.clock() if first is None else first
        spent = patience.clock() - first
        wait = _wait(fault, attempts, patience, spent)
        if wait is None:
            if fault.reply is not None:
                yield fault.reply
                return
            raise _final_error(fault, attempts, spent)
        yield Waiting(wait, fault.why)
        patience.sleep(wait)


def _wait(fault: RequestFault, attempts: int, patience: RetryLimits, spent: float) -> float | None:
    """Seconds until the next attempt; None for no further one."""
    if attempts >= min(fault.tries, patience.requests):
        return None
    shortest = fault.wait or BACKOFF[min(attempts - 1, len(BACKOFF) - 1)]
    remaining = patience.seconds - spent
    if shortest > remaining:
        return None
    # 1 to 1.25 times the wait: never too early, spread over clients, within the time limit
    return min(shortest * (1.0 + 0.25 * patience.jitter()), max(shortest, remaining))


def _final_error(fault: RequestFault, attempts: int, spent: float) -> Exception:
    error = fault.error
    if isinstance(error, RateLimited) and error.seconds and error.seconds >= 1:
        error.message += f"; it asks to wait {_span(error.seconds)}"
    if attempts > 1:
        error.message += f" ({attempts} requests in {spent:.0f} s)"
    error.args = (error.message,)
    return error


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
