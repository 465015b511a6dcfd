"""What a name or a line of the past is worth keeping: about how likely one of the next calls has to spell it.

Judged from the session alone: who used a name, how often and how lately; whether a file was read and not edited yet.
The numbers are few and round on purpose. For lines they are what a logistic regression found on 61 recorded sessions
(the weights of those with the most to say, fitted on one half and tested on the other; docs/decisions/0011).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ctxe.context.lines import HistoryEntry
from ctxe.context.survey import Mentions, Sightings, Survey, file_key
from ctxe.domain.pattern import pattern

HALF_NAME, HALF_LINE = 24.0, 48.0
"""Steps after which a name, and a line of a file, is worth half."""

NAME, EDIT, COMMAND = 0.06, 0.005, 0.25
"""What a fresh mention, a line that may be edited, a line that was asked for (a path, a command) are worth."""

SEEN, USED, PATH, USER = 0.5, 1.0, 2.0, 2.0
"""How much more: per doubling of mentions, for the model's own use, for a path, for what the user named."""

ANSWER, OPENS, ENDS = 0.5, 1, 3
"""What a line is worth that is one of so many with which an answer to the user begins, or ends: there stands what was
found and decided, which no call has to spell and the user's next words speak of."""

OPEN = 5.0
"""A file that was read and not edited, or is being edited now, is so much likelier to be edited next."""

AGAIN, NEAR = 2.5, 2.0
"""So much likelier is a line that was seen in more than one step, and one near to what the model works with."""

LISTED, LISTED_HALF, SHORTEST_LIST = 3.0, 12.0, 3
"""So much likelier is a path out of a listing of so many from which the model has just taken another, for who reads one
file of a list goes on with the next; and the steps after which half of that is left."""

MOST_COMMANDS = 4
"""A line of so many commands is worth as much as they are; one of more is worth no more."""

_BETWEEN = pattern(r"&&|\|\|?|;")

Near = Mapping[HistoryEntry, Sequence[int]]
"""By entry, a mark for every line that is near."""

NOWHERE: Near = MappingProxyType({})

SHORTEST_EDIT, SHORTEST_COMMAND = 10, 12
"""Characters below which a line is found again by anyone."""

SETTLED = 2
"""Steps after its last edit in which a file is still being edited."""


def faded(steps: int, half: float) -> float:
    """What is left of a worth of 1 after so many steps."""
    return math.pow(0.5, steps / half)


def worth_of_name(name: str, seen: Mentions, survey: Survey) -> float:
    """What it is worth that a name stands somewhere in the request."""
    worth = NAME * faded(survey.now - seen.last, HALF_NAME) * (1 + SEEN * math.log(seen.entries))
    if seen.used:
        worth *= 1 + USED * faded(survey.now - seen.last_used, HALF_NAME) * (1 + math.log(seen.used))
    if name in survey.words:
        worth *= USER
    return worth * PATH if "/" in name else worth


def left_in_listings(survey: Survey) -> dict[str, float]:
    """How much more paths are worth that stand in a listing the model is going through, and that it has not taken."""
    more: dict[str, float] = {}
    for entry in survey.entries:
        listed = _listed(entry) if entry.kind != "read" and not entry.edits else ()
        if len(listed) < SHORTEST_LIST:
            continue
        last = max(survey.names[path].last_used for path in listed)
        if last <= entry.step:
            continue
        likelier = 1 + (LISTED - 1) * faded(survey.now - last, LISTED_HALF)
        for path in listed:
            if survey.names[path].last_used <= entry.step:
                more[path] = max(more.get(path, 1.0), likelier)
    return more


def _listed(entry: HistoryEntry) -> list[str]:
    """The paths that stand in a result on lines of their own: of a listing, or above what a search found in each."""
    told = (line for line in entry.lines if line.origin == "result" and line.names)
    return [line.names[0] for line in told if "/" in line.names[0] and line.core.rstrip(":") == line.names[0]]


def worth_of_lines(survey: Survey, near: Near = NOWHERE) -> Callable[[Sightings], float]:
    """What it is worth that a line stands there whole, beside the names in it; ``near`` as `near_use` gives it."""
    known: dict[HistoryEntry, tuple[float, float, Sequence[int]]] = {}
    said = survey.words.keys()

    def of(entry: HistoryEntry) -> tuple[float, float, Sequence[int]]:
        """What a line that was written and any other line of an entry are worth, and which are near."""
        both = worth_of_edit(entry, survey, written=True), worth_of_edit(entry, survey, written=False)
        return known.setdefault(entry, (*both, near.get(entry, ())))

    def worth(seen: Sightings) -> float:
        line = seen.line
        if seen.asked:
            return _worth_of_asked(seen, survey)
        if line.origin == "answer" and (seen.place < OPENS or seen.place >= len(seen.entry.lines) - ENDS):
            return ANSWER * faded(survey.now - seen.entry.step, HALF_NAME)
        if len(line.core) < SHORTEST_EDIT or seen.replaced > seen.written:
            return 0.0
        written, other, marks = known.get(seen.entry) or of(seen.entry)
        found = written if line.origin == "written" else other
        if seen.entries > 1:
            found *= AGAIN
        if marks and marks[seen.place]:
            found *= NEAR
        return found * USER if line.names and not said.isdisjoint(line.names) else found

    return worth


def _worth_of_asked(seen: Sightings, survey: Survey) -> float:
    """A path, or commands in a line, each of which may be run again."""
    if len(seen.line.core) < SHORTEST_COMMAND:
        return 0.0
    times = min(MOST_COMMANDS, 1 + len(_BETWEEN.findall(seen.line.core))) * (1.5 if seen.entries > 1 else 1.0)
    return times * COMMAND * faded(survey.now - seen.entry.step, HALF_NAME)


def worth_of_edit(entry: HistoryEntry, survey: Survey, *, written: bool) -> float:
    """How likely a line of an entry is to be edited: its age, and what was done to its file."""
    worth = EDIT * faded(survey.now - entry.step, HALF_LINE)
    if not entry.path or not (written or entry.kind == "read"):
        return worth
    history = survey.files[file_key(entry.path)]
    fresh = not history.edits or survey.now - history.last_edit <= SETTLED
    return worth * OPEN if fresh else worth
