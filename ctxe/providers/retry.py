"""The one layer that asks again: how long, how often, and what the user is told; the SDKs' own retries are off."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import RateLimited
from ctxe.domain.model import Delta, Waiting
from ctxe.domain.value import dataclass
from ctxe.providers.faults import RequestFault

BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0)
"""Seconds before the second, third … request when the provider names no time; 43.5 in all."""


def _chance() -> float:
    import random

    return random.random()  # noqa: S311 - spreads clients over time, keeps no secret


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How much is borne: requests and seconds for one answer that never comes, and silence between two bytes.

    ``refusal`` is how long a refusal is read: an SDK would read it to its end, which need not come.
    ``seconds`` counts from the first failure. ``clock`` is monotonic, ``now`` wall time, ``jitter`` gives 0 to 1.
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
    """The deltas and the reply of the first attempt that succeeds; a Waiting voids what came before it.

    Raises the ProviderError of the last attempt, with the number of requests in its message.
    """
    first: float | None = None
    made = 0
    while True:
        made += 1
        try:
            yield from attempt()
            return
        except RequestFault as caught:
            fault = caught
        first = patience.clock() if first is None else first
        spent = patience.clock() - first
        wait = _wait(fault, made, patience, spent)
        if wait is None:
            if fault.reply is not None:
                yield fault.reply
                return
            raise _told(fault, made, spent)
        yield Waiting(wait, fault.why)
        patience.sleep(wait)


def _wait(fault: RequestFault, made: int, patience: RetryLimits, spent: float) -> float | None:
    """Seconds until the next request, None when there is to be none."""
    if made >= min(fault.tries, patience.requests):
        return None
    least = fault.wait or BACKOFF[min(made - 1, len(BACKOFF) - 1)]
    left = patience.seconds - spent
    if least > left:
        return None
    # between 1 and 1.25 times what was asked: never early, spread over clients, never past the limit of time
    return min(least * (1.0 + 0.25 * patience.jitter()), max(least, left))


def _told(fault: RequestFault, made: int, spent: float) -> Exception:
    error = fault.error
    if isinstance(error, RateLimited) and error.seconds and error.seconds >= 1:
        error.message += f"; it asks to wait {_span(error.seconds)}"
    if made > 1:
        error.message += f" ({made} requests in {spent:.0f} s)"
    error.args = (error.message,)
    return error


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
