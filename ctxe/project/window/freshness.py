"""Which versions of files the model has seen, and which of them the user, git or a command has changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.agent.state import State
from ctxe.context.superseded import CHANGED
from ctxe.context.tokens import Count
from ctxe.domain.conversation import Conversation, Step, Turn
from ctxe.domain.section import Chunk

GONE = ""
News = Callable[[str, str, bool], str]
"""The new content of a path, given the hash it had before, and whether the whole text may stand for a diff; empty when
that is too long.
"""


def seen_versions(state: State) -> dict[str, str]:
    """Content hash of each file as the model last saw it, by path."""
    found: dict[str, str] = {}
    for turn in state.conversation.turns:
        found.update((path, digest) for path, digest, tier in _seen(turn) if tier in ("full", "region"))
    return found


def announced_versions(state: State) -> dict[str, str]:
    """Content hash of each file of which the model saw that version, or was told that it changed, by path.

    Parts of a file that were chosen for the user's words do not tell what has changed in the rest of it.
    """
    found: dict[str, str] = {}
    for turn in state.conversation.turns:
        for section in turn.gathered:
            for chunk in filter(_is_dated, section.chunks):
                if chunk.tier == "full" or chunk.path not in found or chunk.id.startswith(CHANGED):
                    found[chunk.path] = chunk.of
        for step in turn.steps:
            found.update((path, digest) for path, digest, _ in _in_step(step))
    return found


def editable_versions(state: State) -> dict[str, str]:
    """Content hash, by path, of each file version that the model may edit.

    That is the version it last saw or made with an earlier call of the same reply. Reads in that reply do not count:
    the model has not seen their results yet.
    """
    made = {touch.path: touch.digest for one in state.results for touch in one.touches if touch.operation != "read"}
    return seen_versions(state) | made


def _seen(turn: Turn) -> Iterator[tuple[str, str, str]]:
    """(path, content hash, tier) of every dated file version that a turn showed to the model, oldest first."""
    yield from _gathered(turn)
    for step in turn.steps:
        yield from _in_step(step)


def _gathered(turn: Turn) -> Iterator[tuple[str, str, str]]:
    for section in turn.gathered:
        yield from ((chunk.path, chunk.of, chunk.tier) for chunk in filter(_is_dated, section.chunks))


def _in_step(step: Step) -> Iterator[tuple[str, str, str]]:
    for result in step.results:
        yield from ((touch.path, touch.digest, "full") for touch in result.touches)
    # Other notes about a file (rules, lines shown again) do not say which version they are of.
    yield from ((note.path, note.of, note.tier) for note in filter(_is_dated, step.notes))


def _is_dated(chunk: Chunk) -> bool:
    """Whether a chunk shows a file and says which version of it."""
    return bool(chunk.path) and bool(chunk.of or chunk.id.startswith(CHANGED))


def _in_view(conversation: Conversation) -> set[str]:
    """Files whose text stands behind the fold; of all others no more than lines do, in the record."""
    upto = conversation.upto
    whole = conversation.turns[upto.turn + (upto.step > 0) :]
    shown = [version for turn in whole for version in _gathered(turn)]
    shown += [version for _, step in conversation.steps(upto) for version in _in_step(step)]
    return {path for path, _, tier in shown if tier in ("full", "region")}


def change_notes(
    state: State, digest_of: Callable[[str], str], content: News = lambda path, before, whole: ""
) -> list[Chunk]:
    """A note for every file that changed since the model saw it or was told of a change.

    ``digest_of`` gives the current content hash, empty for a missing file. A file that was folded away is shown as a
    diff or not at all: its whole text would take the place of a few lines.
    """
    notes, in_view = [], _in_view(state.conversation)
    for path, before in announced_versions(state).items():
        now = digest_of(path)
        if now == before:
            continue
        change = "is gone" if now == GONE else "changed" if before else "is there again"
        news = content(path, before, path in in_view) if now else ""
        advice = (
            " Now, in place of what stands above:" if news else " Read it again before you rely on it." if now else ""
        )
        text = f"[ctxe: {path} {change} since you last saw it, not by an edit of yours.{advice}]"
        text += f"\n{news}" if news else ""
        notes.append(Chunk(CHANGED + path, text, "changed on disk", "region" if news else "name", path, now))
    return notes


def within_budget(room: int, content: News, count: Count) -> News:
    """``content`` limited to ``room`` tokens in all, since a pull may have changed every file."""
    left = room

    def bounded(path: str, before: str, whole: bool) -> str:
        nonlocal left
        news = content(path, before, whole) if left > 0 else ""
        if (cost := count(news)) > left:
            return ""
        left -= cost
        return news

    return bounded


def news_of(before: str | None, now: str, room: int, count: Count, *, whole: bool = True) -> str:
    """The new content of a file: a diff or the ``whole`` text, whichever is shorter; empty above ``room`` tokens.

    Without the text ``before`` there is no diff.
    """
    candidates = [now] if whole else []
    if before is not None:
        import difflib

        changes = difflib.unified_diff(before.splitlines(), now.splitlines(), n=2, lineterm="")
        candidates.append("\n".join(list(changes)[2:]))
    shortest = min(candidates, key=len, default="")
    return shortest if shortest.strip() and count(shortest) <= room else ""
