"""Passes events on one by one, so that a Ctrl-C raised in the consumer reaches the generator that makes them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from ctxe.domain.events import Event


def map_events(events: Iterator[Event], handle: Callable[[Event], Iterator[Event]]) -> Iterator[Event]:
    """Apply ``handle`` to each event and yield the results.

    An exception thrown into a plain ``for``/``yield`` loop would never reach the inner generator, which could then not
    record how it ended. Here KeyboardInterrupt is thrown into it.
    """
    step: Callable[[], Event] = events.__next__
    try:
        while True:
            try:
                event = step()
            except StopIteration:
                return
            step = events.__next__
            try:
                yield from handle(event)
            except KeyboardInterrupt as pressed:
                if not isinstance(events, Generator):
                    raise
                step = partial(events.throw, pressed)
    finally:
        if isinstance(events, Generator):
            events.close()
