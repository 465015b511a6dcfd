"""What a name or a line of the past is worth keeping: about how likely one of the next calls has to spell it.

Judged from the session alone: who used a name, how often and how lately; whether a file was read and not edited yet.
The numbers are few and round on purpose. A model of 250 weights, fitted on 61 recorded sessions and tested on others
than it was fitted on, kept no more than these do (docs/decisions/0011).
"""

from __future__ import annotations

import math

from ctxe.context.lines import Entry
from ctxe.context.survey import Mentions, Sightings, Survey, file_key

HALF_NAME, HALF_LINE = 24.0, 48.0
"""Steps after which a name, and a line of a file, is worth half."""

NAME, EDIT, COMMAND = 0.06, 0.02, 0.25
"""What a fresh mention, a line that may be edited, a line that was asked for (a path, a command) are worth."""

SEEN, USED, PATH, USER = 0.5, 1.0, 2.0, 2.0
"""How much more: per doubling of mentions, for the model's own use, for a path, for what the user named."""

OPEN = 2.5
"""A file that was read and not edited, or is being edited now, is so much likelier to be edited next."""

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


def worth_of_lines(survey: Survey) -> list[float]:
    """What it is worth that a line stands there whole, beside the names in it: for each of ``survey.lines``."""
    likely: dict[tuple[Entry, bool], float] = {}
    return [_worth_of_line(seen, survey, likely) for seen in survey.lines.values()]


def worth_of_line(seen: Sightings, survey: Survey) -> float:
    """The same for one line."""
    return _worth_of_line(seen, survey, {})


def _worth_of_line(seen: Sightings, survey: Survey, likely: dict[tuple[Entry, bool], float]) -> float:
    """``likely`` keeps what was found for an entry, since all its lines share it."""
    line, entry = seen.line, seen.entry
    if seen.asked:
        again = 1.5 if seen.entries > 1 else 1.0
        known = len(line.core) >= SHORTEST_COMMAND
        return again * COMMAND * faded(survey.now - entry.step, HALF_NAME) if known else 0.0
    if len(line.core) < SHORTEST_EDIT or seen.gone:
        return 0.0
    key = entry, line.origin == "written"
    worth = likely.get(key)
    if worth is None:
        worth = likely[key] = worth_of_edit(*key, survey)
    return worth * USER if line.names and not survey.words.keys().isdisjoint(line.names) else worth


def worth_of_edit(entry: Entry, written: bool, survey: Survey) -> float:
    """How likely a line of an entry is to be edited: its age, and what was done to its file."""
    worth = EDIT * faded(survey.now - entry.step, HALF_LINE)
    if not entry.path or not (written or entry.kind == "read"):
        return worth / 2
    history = survey.files[file_key(entry.path)]
    fresh = not history.edits or survey.now - history.last_edit <= SETTLED
    return worth * OPEN if fresh else worth
