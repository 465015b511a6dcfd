"""Text of files that stands in a request and is true no longer: which, and what came in its place.

Nothing is taken out of an epoch's history, so a file's earlier read stays where it is after an edit or a newer read;
the account of the request says so until the next fold.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.domain.conversation import Conversation
from ctxe.domain.value import dataclass

CHANGED = "changed "
"""What the names of notes about changed files begin with."""

TOLD = ("read", "create")
"""What a tool did to a file so that its result, or its call, holds the file's text."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A file's content, by its hash, as something showed or left it.

    ``where`` is the row it happened in, ``shows`` the rows (a step's name, a chunk's content hash) that hold the text.
    """

    path: str
    of: str
    where: str
    shows: tuple[str, ...] = ()


def superseded(conversation: Conversation) -> dict[str, str]:
    """For each row that holds outdated text of files, by the step's name or the chunk's hash: of which, since when.

    A text is outdated when the newest thing known of its file is another content. Where the same content came back
    (an undo), the text holds again.
    """
    newest: dict[str, Sight] = {}
    found: dict[str, dict[str, str]] = {}
    for sight in reversed(list(_sights(conversation))):
        known = newest.setdefault(sight.path, sight)
        if known.of == sight.of:
            newest[sight.path] = sight
        else:
            for row in sight.shows:
                found.setdefault(row, {}).setdefault(sight.path, known.where)
    return {row: ", ".join(f"{path} by {where}" for path, where in paths.items()) for row, paths in found.items()}


def _sights(conversation: Conversation) -> Iterator[Sight]:
    """Every content of a file that the model was shown or made, oldest first."""
    for t, turn in enumerate(conversation.turns, start=1):
        for section in turn.gathered:
            for chunk in section.chunks:
                if chunk.path and (chunk.of or chunk.id.startswith(CHANGED)):
                    yield Sight(chunk.path, chunk.of, f"turn {t}", (chunk.digest,) if chunk.tier != "name" else ())
        for s, step in enumerate(turn.steps, start=1):
            name = f"step {t}.{s}"
            for result in step.results:
                for touch in result.touches:
                    yield Sight(touch.path, touch.digest, name, (name,) if touch.operation in TOLD else ())
            dated = (note for note in step.notes if note.path and (note.of or note.id.startswith(CHANGED)))
            yield from (Sight(note.path, note.of, name, () if note.tier == "name" else (name,)) for note in dated)
