"""Where the next edit of a file is likely, judged by the newest one: mostly below it, or where the same names stand.

Of edits that follow another in the same file within three steps, three in four are below it, and half of those within a
hundred lines (61 recorded sessions).
"""

from __future__ import annotations

from collections.abc import Callable

from ctxe.context.lines import HistoryEntry, number_of
from ctxe.context.survey import FileHistory, LineSightings, Survey, file_key
from ctxe.context.worth import SHORTEST_EDIT

AHEAD, REACH = 3.0, 200
"""Factor for a line below the newest edit, up to REACH lines away."""

SHARED = 2.0
"""Factor for a line with a name that the newest edit put in or took out."""

AROUND, FEW, LATELY = 8, 5, 24
"""A line is near a name up to AROUND lines away. The name must stand on at most FEW lines of what was read, and the
model must have written it after that read and within the last LATELY steps.
"""


def near_use(survey: Survey) -> dict[HistoryEntry, bytearray]:
    """For each entry that was read, a mask of the lines close to a name the model has used since.

    Names that occur all over a text are ignored: they point nowhere in particular.
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


def nearness(history: FileHistory, survey: Survey) -> Callable[[LineSightings], float]:
    """A scorer for lines of a file: how much likelier than others they are edited next, given the newest edits."""
    key = file_key(history.path)
    done = [entry for entry in survey.newest() if entry.is_edit and file_key(entry.path) == key]
    changed = [line for entry in done for line in entry.lines if line.origin in {"replaced", "written"}]
    touched = {name for line in changed for name in line.names}
    places = places_of(history) if changed else {}
    spot = max((places.get(line.core, 0) for line in changed if len(line.core) >= SHORTEST_EDIT), default=0)

    def near(seen: LineSightings) -> float:
        below = places.get(seen.line.core, 0) - spot if spot else 0
        likelier = AHEAD if 0 < below <= REACH else 1.0
        return likelier if touched.isdisjoint(seen.line.names) else likelier * SHARED

    return near


def places_of(history: FileHistory) -> dict[str, int]:
    """Positions of a file's lines by core, from 1: the line numbers shown, else the places in what was read."""
    places: dict[str, int] = {}
    for entry in history.reads:
        for place, line in enumerate(entry.lines, start=1):
            if line.origin == "result":
                places[line.core] = number_of(line.text) or place
    return places
