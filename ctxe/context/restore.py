"""Shows folded or cut lines again before the model asks: those of the file that will be edited next.

Most lines that an edit needs and a fold lost are of two kinds (replay benchmark, 61 sessions): 60 % are of a file that
the step before edited already; of the rest, 70 % are of files that the user named and nobody edited yet. So after an
edit the likeliest missing lines of its file are shown again; otherwise those of the next named file, once per epoch.
They are appended, so the prompt cache survives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import islice

from ctxe.context.assemble import Frame
from ctxe.context.fold import request_size
from ctxe.context.known_lines import visible_cores
from ctxe.context.nearness import nearness
from ctxe.context.survey import FileHistory, LineSightings, Survey, file_key
from ctxe.context.tokens import MESSAGE, Count
from ctxe.context.worth import worth_of_lines
from ctxe.domain.conversation import Conversation
from ctxe.domain.pattern import pattern
from ctxe.domain.section import Chunk

PART_EDITED, PART_NAMED = 0.20, 0.06
"""Part of the usable tokens that lines may take at a time: of each file being edited, and of the next named file."""

MOST_OF_LEFT = 0.85
"""Part of the room before the next fold that may be taken; the margin is there because prices are estimated by
characters.
"""

LEAST_LINES = 3
"""Fewest lines that are worth a message."""

HABIT, SOON = 0.2, 3
"""Nothing is shown again after an edit while fewer than HABIT of the edits are followed by another in the same file
within SOON steps (an agent that writes one patch per file).
"""

SHORTEST_NAME = 4
"""Fewest characters of a file's name that is searched in the user's words; shorter names match by chance."""

CHARS = 3.6
"""Approximate characters per token."""

PREFIX = "restored "

_PLANS = pattern(r"todo|task|plan", re.IGNORECASE)


def chunks_to_restore(
    frame: Frame, conversation: Conversation, usable: int, count: Count, survey: Callable[[], Survey]
) -> tuple[Chunk, ...]:
    """Lines worth showing again after the newest step, one chunk per file; empty unless all of them fit.

    ``usable`` are the tokens a request may hold; ``survey`` gives what the conversation has shown.
    """
    left = cache(lambda: usable - request_size(frame, conversation, count))
    chunks = likely_edited_lines(conversation, survey(), usable, left)
    return chunks if chunks and sum(count(chunk.text) + MESSAGE for chunk in chunks) <= left() else ()


def likely_edited_lines(
    conversation: Conversation, survey: Survey, usable: int, left: Callable[[], int]
) -> tuple[Chunk, ...]:
    """Lines worth showing again after the newest step, one chunk per file.

    ``usable`` are the tokens a request may hold. ``left`` gives the tokens this one has room for; it counts the whole
    request, so it is called only where something may be shown.
    """
    edited = list(_being_edited(survey))
    named = _named(survey)
    if not edited and not named:
        return ()
    known, room = visible_cores(conversation), MOST_OF_LEFT * left()
    if edited:
        each = min(PART_EDITED * usable, room / len(edited))
        chunks = [_shown(history, survey, each, known) for history in edited]
        if any(chunks):
            return tuple(chunk for chunk in chunks if chunk)
    before = set(_restored_before(conversation))
    of_named = (
        _shown(history, survey, min(PART_NAMED * usable, room), known)
        for history in named
        if file_key(history.path) not in before
    )
    return tuple(islice((chunk for chunk in of_named if chunk), 1))


def reedit_share(survey: Survey) -> float:
    """Part of the session's edits soon followed by another in the same file, smoothed: 1/2 before any edit is known."""
    past = [(n, step, key) for n, (step, key) in enumerate(survey.edits) if step < survey.now]
    soon = sum(
        any(key == other and step < later <= step + SOON for later, other in survey.edits[n + 1 :])
        for n, step, key in past
    )
    return (soon + 1) / (len(past) + 2)


def _restored_before(conversation: Conversation) -> Iterator[str]:
    """Keys of the files shown again since the last fold."""
    for _, step in conversation.steps(conversation.upto):
        yield from (note.id.removeprefix(PREFIX) for note in step.notes if note.id.startswith(PREFIX))


def _being_edited(survey: Survey) -> Iterator[FileHistory]:
    keys = dict.fromkeys(key for step, key in survey.edits[-8:] if step == survey.now)
    if keys and reedit_share(survey) >= HABIT:
        yield from (survey.files[key] for key in keys)


def _named(survey: Survey) -> list[FileHistory]:
    """Files that the user named, seen and not edited yet, in order of mention; none while nothing is edited."""
    newest = survey.newest()
    if not survey.edits or not any(entry.is_edit or _PLANS.search(entry.what) for entry in newest):
        return []
    words = "\n".join(survey.user_messages())
    places: list[tuple[int, FileHistory]] = []
    for history in survey.files.values():
        name = history.path.replace("\\", "/").rpartition("/")[2]
        if history.lines and not history.edits and len(name) >= SHORTEST_NAME and (place := words.rfind(name)) >= 0:
            places.append((place, history))
    return [history for _, history in sorted(places, key=lambda found: found[0])]


def _shown(history: FileHistory, survey: Survey, room: float, known: Collection[str]) -> Chunk | None:
    """The missing lines of a file worth most per token, in the order seen; None when fewer than LEAST_LINES fit."""
    hidden = [seen for core, seen in history.lines.items() if core not in known and not seen.is_gone]
    near, worth = nearness(history, survey), worth_of_lines(survey)
    hidden.sort(key=lambda seen: -near(seen) * worth(seen) / _cost(seen))
    taken: list[LineSightings] = []
    for seen in hidden:
        room -= _cost(seen)
        if room < 0:
            break
        taken.append(seen)
    if len(taken) < LEAST_LINES:
        return None
    taken.sort(key=lambda seen: (seen.entry.step, seen.place))
    text = "\n".join([f"[lines of {history.path}, as seen before:]", *(seen.line.text for seen in taken)])
    return Chunk(PREFIX + file_key(history.path), text, "its file is being worked on", "region", history.path)


def _cost(seen: LineSightings) -> float:
    return 1 + len(seen.line.text) / CHARS
