"""What a name or line of the past is worth keeping: roughly, how likely one of the next calls has to spell it.

Judged from the session alone: who used a name, how often and how recently; whether a file was read and not edited yet.
The weights are few and round on purpose. Those of lines come from a logistic regression on 61 recorded sessions (its
strongest features, fitted on one half and tested on the other; docs/decisions/0011).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ctxe.context.lines import HistoryEntry
from ctxe.context.survey import LineSightings, Mentions, Survey, file_key
from ctxe.domain.pattern import pattern

HALF_NAME, HALF_LINE = 24.0, 48.0
"""Half-life in steps of the worth of a name, and of a line of a file."""

NAME, EDIT, COMMAND = 0.06, 0.005, 0.25
"""Base score of a freshly mentioned name, of a line that may be edited, and of a line the model asked for (a path or
command).
"""

SEEN, USED, PATH, USER = 0.5, 1.0, 2.0, 2.0
"""Weights of the logarithm of a name's mentions and of the model's own use; factors for a path and for what the user
named.
"""

ANSWER, OPENS, ENDS = 0.5, 1, 3
"""Worth of the first OPENS and the last ENDS lines of an answer to the user. They say what was found and decided: no
call has to spell that, but the user's next words refer to it.
"""

OPEN = 5.0
"""Factor for a file that was read and not edited, or is being edited now: it is likelier to be edited next."""

AGAIN, NEAR = 2.5, 2.0
"""Factors for a line seen in more than one entry, and for one near current work."""

LISTED, LISTED_HALF, SHORTEST_LIST = 3.0, 12.0, 3
"""Factor for a path in a listing of at least SHORTEST_LIST from which the model has just taken another: who reads one
file of a list goes on with the next. Half of the bonus is left after LISTED_HALF steps.
"""

MOST_COMMANDS = 4
"""Most commands of a line that add to its worth."""

_BETWEEN = pattern(r"&&|\|\|?|;")

Near = Mapping[HistoryEntry, Sequence[int]]
"""A mask for each entry: its lines near current work (see `near_use`)."""

NOWHERE: Near = MappingProxyType({})

SHORTEST_EDIT, SHORTEST_COMMAND = 10, 12
"""Fewest characters of a line that is worth keeping: shorter ones are easy to find again."""

SETTLED = 2
"""Steps after its last edit during which a file counts as being edited."""


def decayed(steps: int, half: float) -> float:
    """What is left of a worth of 1 after ``steps`` with a half-life of ``half`` steps."""
    return math.pow(0.5, steps / half)


def worth_of_name(name: str, seen: Mentions, survey: Survey) -> float:
    """The worth of having a name anywhere in the request."""
    worth = NAME * decayed(survey.now - seen.last, HALF_NAME) * (1 + SEEN * math.log(seen.entries))
    if seen.used:
        worth *= 1 + USED * decayed(survey.now - seen.last_used, HALF_NAME) * (1 + math.log(seen.used))
    if name in survey.user_names:
        worth *= USER
    return worth * PATH if "/" in name else worth


def pending_in_listings(survey: Survey) -> dict[str, float]:
    """Factors for the paths in a listing the model is going through that it has not taken yet."""
    more: dict[str, float] = {}
    for entry in survey.entries:
        listed = _listed(entry) if entry.kind != "read" and not entry.is_edit else ()
        if len(listed) < SHORTEST_LIST:
            continue
        last = max(survey.names[path].last_used for path in listed)
        if last <= entry.step:
            continue
        likelier = 1 + (LISTED - 1) * decayed(survey.now - last, LISTED_HALF)
        for path in listed:
            if survey.names[path].last_used <= entry.step:
                more[path] = max(more.get(path, 1.0), likelier)
    return more


def _listed(entry: HistoryEntry) -> list[str]:
    """Paths alone on a line of a result: entries of a listing, or file headings of a search."""
    named_lines = (line for line in entry.lines if line.origin == "result" and line.names)
    return [line.names[0] for line in named_lines if "/" in line.names[0] and line.core.rstrip(":") == line.names[0]]


def worth_of_lines(survey: Survey, near: Near = NOWHERE) -> Callable[[LineSightings], float]:
    """A scorer for lines: how likely the next calls need the line verbatim, apart from the names in it.

    ``near`` is the result of `near_use`.
    """
    known: dict[HistoryEntry, tuple[float, float, Sequence[int]]] = {}
    user_names = survey.user_names.keys()

    def of(entry: HistoryEntry) -> tuple[float, float, Sequence[int]]:
        """The worth of written and of other lines of an entry, and the mask of its near lines."""
        both = worth_of_edit(entry, survey, written=True), worth_of_edit(entry, survey, written=False)
        return known.setdefault(entry, (*both, near.get(entry, ())))

    def worth(seen: LineSightings) -> float:
        line = seen.line
        if seen.asked:
            return _worth_of_asked(seen, survey)
        if line.origin == "answer" and (seen.place < OPENS or seen.place >= len(seen.entry.lines) - ENDS):
            return ANSWER * decayed(survey.now - seen.entry.step, HALF_NAME)
        if len(line.core) < SHORTEST_EDIT or seen.replaced > seen.written:
            return 0.0
        written, other, marks = known.get(seen.entry) or of(seen.entry)
        found = written if line.origin == "written" else other
        if seen.entries > 1:
            found *= AGAIN
        if marks and marks[seen.place]:
            found *= NEAR
        return found * USER if line.names and not user_names.isdisjoint(line.names) else found

    return worth


def _worth_of_asked(seen: LineSightings, survey: Survey) -> float:
    """The worth of a line with a path, or with commands that may be run again."""
    if len(seen.line.core) < SHORTEST_COMMAND:
        return 0.0
    times = min(MOST_COMMANDS, 1 + len(_BETWEEN.findall(seen.line.core))) * (1.5 if seen.entries > 1 else 1.0)
    return times * COMMAND * decayed(survey.now - seen.entry.step, HALF_NAME)


def worth_of_edit(entry: HistoryEntry, survey: Survey, *, written: bool) -> float:
    """How likely a line of ``entry`` is to be edited: by its age, and by what was done to its file."""
    worth = EDIT * decayed(survey.now - entry.step, HALF_LINE)
    if not entry.path or not (written or entry.kind == "read"):
        return worth
    history = survey.files[file_key(entry.path)]
    fresh = not history.edits or survey.now - history.last_edit <= SETTLED
    return worth * OPEN if fresh else worth
