"""Outdated text of files in a request: which rows hold it, and what replaced it.

Nothing is removed within an epoch, so an earlier read of a file stays in place after an edit or a newer read. The
ledger says so until the next fold.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.domain.conversation import Conversation
from ctxe.domain.value import dataclass

CHANGED = "changed "
"""Prefix of the ids of notes about changed files."""

TOLD = ("read", "create")
"""Operations whose call or result holds the file's text."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file's content (``digest`` is its hash) as something showed or left it.

    ``row`` is the row it happened in; ``shown_rows`` are the rows (step names, content hashes of chunks) that hold the
    text.
    """

    path: str
    digest: str
    row: str
    shown_rows: tuple[str, ...] = ()


def superseded_rows(conversation: Conversation) -> dict[str, str]:
    """For each row with outdated text of files (a step's name, a chunk's hash): the files, and where each was replaced.

    A text is outdated when the newest known content of its file differs. When the same content comes back (an undo),
    the text is valid again.
    """
    newest: dict[str, FileVersion] = {}
    found: dict[str, dict[str, str]] = {}
    for sight in reversed(list(_sights(conversation))):
        known = newest.setdefault(sight.path, sight)
        if known.digest == sight.digest:
            newest[sight.path] = sight
        else:
            for row in sight.shown_rows:
                found.setdefault(row, {}).setdefault(sight.path, known.row)
    return {row: ", ".join(f"{path} by {where}" for path, where in paths.items()) for row, paths in found.items()}


def _sights(conversation: Conversation) -> Iterator[FileVersion]:
    """Every file content that the model was shown or made, oldest first."""
    for t, turn in enumerate(conversation.turns, start=1):
        for section in turn.gathered:
            for chunk in section.chunks:
                if chunk.path and (chunk.of or chunk.id.startswith(CHANGED)):
                    yield FileVersion(
                        chunk.path, chunk.of, f"turn {t}", (chunk.digest,) if chunk.tier != "name" else ()
                    )
        for s, step in enumerate(turn.steps, start=1):
            name = f"step {t}.{s}"
            for result in step.results:
                for touch in result.touches:
                    yield FileVersion(touch.path, touch.digest, name, (name,) if touch.operation in TOLD else ())
            dated = (note for note in step.notes if note.path and (note.of or note.id.startswith(CHANGED)))
            yield from (FileVersion(note.path, note.of, name, () if note.tier == "name" else (name,)) for note in dated)
