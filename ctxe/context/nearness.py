"""Where in a file the next edit will be, judged by the newest one: mostly below it, or where the same names stand.

Of the edits that follow another in the same file within three steps three in four are below it, and half of those
within a hundred lines (61 recorded sessions).
"""

from __future__ import annotations

from collections.abc import Callable

from ctxe.context.lines import HistoryEntry, number_of
from ctxe.context.survey import FileHistory, Sightings, Survey, file_key
from ctxe.context.worth import SHORTEST_EDIT

AHEAD, REACH = 3.0, 200
"""How much likelier a line is that stands below the newest edit, up to so many lines."""

SHARED = 2.0
"""How much likelier a line is with a name that the newest edit put in or took out."""

AROUND, FEW, LATELY = 8, 5, 24
"""Near is within so many lines of a name that stands in so few lines of what was read, and that the model wrote within
so many steps, after that was read."""


def near_use(survey: Survey) -> dict[HistoryEntry, bytearray]:
    """By what was read, a mark for every line that is near to a name with which the model has worked since.

    A name that stands all over a text says nothing about a place in it.
    """
    near: dict[HistoryEntry, bytearray] = {}
    for name in survey.names.values():
        if survey.now - name.last_used > LATELY:
            continue
        for entry, places in name.places.items():
            if entry.step < name.last_used and len(places) <= FEW:
                marks = near.setdefault(entry, bytearray(len(entry.lines)))
                for place in places:
                    first, end = max(0, place - AROUND), min(len(marks), place + AROUND + 1)
                    marks[first:end] = b"\1" * (end - first)
    return near


def nearness(history: FileHistory, survey: Survey) -> Callable[[Sightings], float]:
    """How much likelier than another a line of a file is to be edited next, after what the newest step did to it."""
    key = file_key(history.path)
    done = [entry for entry in survey.newest() if entry.edits and file_key(entry.path) == key]
    changed = [line for entry in done for line in entry.lines if line.origin in {"replaced", "written"}]
    touched = {name for line in changed for name in line.names}
    places = places_of(history) if changed else {}
    spot = max((places.get(line.core, 0) for line in changed if len(line.core) >= SHORTEST_EDIT), default=0)

    def near(seen: Sightings) -> float:
        below = places.get(seen.line.core, 0) - spot if spot else 0
        likelier = AHEAD if 0 < below <= REACH else 1.0
        return likelier if touched.isdisjoint(seen.line.names) else likelier * SHARED

    return near


def places_of(history: FileHistory) -> dict[str, int]:
    """Where lines of a file stand, from 1: their numbers, or their places in what was read; by what they say."""
    places: dict[str, int] = {}
    for entry in history.reads:
        for place, line in enumerate(entry.lines, start=1):
            if line.origin == "result":
                places[line.core] = number_of(line.text) or place
    return places
