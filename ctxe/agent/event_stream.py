"""Events handed on one by one: Ctrl-C that comes meanwhile is raised where they are made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from ctxe.domain.events import Event


def each_event(events: Iterator[Event], made: Callable[[Event], Iterator[Event]]) -> Iterator[Event]:
    """What is ``made`` of each event.

    A loop with a ``yield`` in it would keep an interrupt that is thrown in there to itself: the events' own generator
    would only be dropped, whenever that happens, with all it has to say of how it ended.
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
                yield from made(event)
            except KeyboardInterrupt as pressed:
                if not isinstance(events, Generator):
                    raise
                step = partial(events.throw, pressed)
    finally:
        if isinstance(events, Generator):
            events.close()
