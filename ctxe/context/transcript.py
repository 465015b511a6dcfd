"""The transcript a model reads to summarise a session; its oldest parts are dropped when not all of it fits."""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.context.tokens import Count
from ctxe.context.trim import trim
from ctxe.domain.conversation import Conversation, Step

WORDS, REMARK, ASKED, OUTPUT = 1_000, 400, 150, 250
"""Most tokens of a user message, of a remark, of a call's arguments and of a result."""


def render_transcript(conversation: Conversation, since: int, room: int, count: Count) -> str:
    """User messages, replies, calls and results after step ``since`` in ``room`` tokens; the oldest are dropped."""
    texts = list(_parts(conversation, since, count))
    kept: list[str] = []
    for text in reversed(texts):
        room -= count(text) + 1
        if room < 0:
            break
        kept.append(text)
    missing = len(texts) - len(kept)
    return "\n".join([*([f"[{missing} earlier parts are left out]"] if missing else []), *reversed(kept)])


def _parts(conversation: Conversation, since: int, count: Count) -> Iterator[str]:
    number = 0
    for turn in conversation.turns:
        if number + len(turn.steps) > since or not turn.steps:
            yield f"[user] {trim(turn.words, 'other', WORDS, count).text}"
        for step in turn.steps:
            number += 1
            if number > since:
                yield from _step_parts(step, number, count)


def _step_parts(step: Step, number: int, count: Count) -> Iterator[str]:
    if step.reply.text.strip():
        yield f"[step {number}] {trim(step.reply.text, 'other', REMARK, count).text}"
    for call, result in zip(step.reply.calls, step.results, strict=True):
        asked = trim(call.arguments, "other", ASKED, count).text
        outcome = "" if result.ok else " (failed)"
        yield f"[step {number}: {call.name}{outcome}] {asked}\n{trim(result.text, 'shell', OUTPUT, count).text}"
