"""What the model holds of files, and what of it is no longer so: the user, git or a command changed them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.agent.state import State
from ctxe.domain.conversation import Turn
from ctxe.domain.section import Chunk

GONE = ""


def held(state: State, *, told: bool = False) -> dict[str, str]:
    """Path → content hash as the model last saw it; with ``told`` also what it only knows to have changed."""
    found: dict[str, str] = {}
    for turn in state.conversation.turns:
        found.update((path, digest) for path, digest, tier in _seen(turn) if told or tier in ("full", "region"))
    return found


def _seen(turn: Turn) -> Iterator[tuple[str, str, str]]:
    for section in turn.gathered:
        yield from ((chunk.path, chunk.of, chunk.tier) for chunk in section.chunks if chunk.path and chunk.of)
    for step in turn.steps:
        for result in step.results:
            yield from ((touch.path, touch.digest, "full") for touch in result.touches)
        yield from ((note.path, note.of, note.tier) for note in step.notes if note.path)


def freshen(state: State, digest_of: Callable[[str], str]) -> list[Chunk]:
    """A note for every file that changed since the model saw it or was told; ``digest_of`` a missing file is empty."""
    notes = []
    for path, before in held(state, told=True).items():
        now = digest_of(path)
        if now == before:
            continue
        what = "is gone" if now == GONE else "changed" if before else "is there again"
        text = f"[ctxe: {path} {what} since you last saw it, and not by you. Read it again before you rely on it.]"
        notes.append(Chunk(f"changed {path}", text, "changed on disk", "name", path, now))
    return notes
