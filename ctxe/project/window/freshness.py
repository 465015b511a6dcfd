"""What the model holds of files, and what of it is no longer so: the user, git or a command changed them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.agent.state import State
from ctxe.context.superseded import CHANGED
from ctxe.context.tokens import Count
from ctxe.domain.conversation import Turn
from ctxe.domain.section import Chunk

GONE = ""


def held(state: State, *, told: bool = False) -> dict[str, str]:
    """Path → content hash as the model last saw it; with ``told`` also what it only knows to have changed."""
    found: dict[str, str] = {}
    for turn in state.conversation.turns:
        found.update((path, digest) for path, digest, tier in _seen(turn) if told or tier in ("full", "region"))
    return found


def known(state: State) -> dict[str, str]:
    """Path → content hash of what the model may change: as it last saw it, or made it with a call of this same reply.

    What calls of the reply read it has not seen yet.
    """
    made = {touch.path: touch.digest for one in state.results for touch in one.touches if touch.operation != "read"}
    return held(state) | made


def _seen(turn: Turn) -> Iterator[tuple[str, str, str]]:
    for section in turn.gathered:
        dated = (chunk for chunk in section.chunks if chunk.path and (chunk.of or chunk.id.startswith(CHANGED)))
        yield from ((chunk.path, chunk.of, chunk.tier) for chunk in dated)
    for step in turn.steps:
        for result in step.results:
            yield from ((touch.path, touch.digest, "full") for touch in result.touches)
        # Of what else is told of a file (rules, lines shown again) nobody knows which version it is of.
        dated = (note for note in step.notes if note.of or note.id.startswith(CHANGED))
        yield from ((note.path, note.of, note.tier) for note in dated)


def freshen(
    state: State, digest_of: Callable[[str], str], told: Callable[[str, str], str] = lambda path, before: ""
) -> list[Chunk]:
    """A note for every file that changed since the model saw it or was told; ``digest_of`` a missing file is empty.

    ``told`` says what a file is now, for one that was of a content hash before, or nothing where that is too long.
    """
    notes = []
    for path, before in held(state, told=True).items():
        now = digest_of(path)
        if now == before:
            continue
        what = "is gone" if now == GONE else "changed" if before else "is there again"
        news = told(path, before) if now else ""
        then = "Now, in place of what stands above:" if news else "Read it again before you rely on it."
        text = f"[ctxe: {path} {what} since you last saw it, not by an edit of yours. {then}]" + (
            f"\n{news}" if news else ""
        )
        notes.append(Chunk(CHANGED + path, text, "changed on disk", "region" if news else "name", path, now))
    return notes


def within(room: int, told: Callable[[str, str], str], count: Count) -> Callable[[str, str], str]:
    """What ``told`` says of files until that takes ``room`` tokens in all: a pull may have changed every one."""
    left = room

    def bounded(path: str, before: str) -> str:
        nonlocal left
        news = told(path, before) if left > 0 else ""
        if (cost := count(news)) > left:
            return ""
        left -= cost
        return news

    return bounded


def news_of(before: str | None, now: str, room: int, count: Count) -> str:
    """What a file is now: what changed in it or all of it, whichever is shorter; empty beyond ``room`` tokens.

    Without the text ``before`` only all of it can be told.
    """
    ways = [now]
    if before is not None:
        import difflib

        changes = difflib.unified_diff(before.splitlines(), now.splitlines(), n=2, lineterm="")
        ways.append("\n".join(list(changes)[2:]))
    shortest = min(ways, key=len)
    return shortest if shortest.strip() and count(shortest) <= room else ""
