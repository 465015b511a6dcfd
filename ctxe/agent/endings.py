"""Replies that did not end properly: cut at the model's output limit, refused, or stopped by a filter."""

from __future__ import annotations

from ctxe.domain.conversation import Reply
from ctxe.domain.section import Chunk

PATIENCE = 2
"""A turn ends after this many replies in a row whose calls do not fit: a third would not fit either."""
TOO_LONG = "the model's tool calls do not fit its output limit"

REASONS = {
    "length": "the answer was cut at the model's output limit",
    "refusal": "the model refused to answer",
    "filtered": "the provider's filter stopped the answer",
}


def warning_of(reply: Reply) -> str:
    """A line for the user about how a reply ended; empty when it ended properly."""
    reason = REASONS.get(reply.stop, "")
    return f"{reason}; {_names(reply)} was not run" if reason and reply.dropped else reason


def dropped_calls_note(reply: Reply) -> Chunk | None:
    """A note for the model that calls of its reply were dropped: they never ran, and why; None when none were."""
    if not reply.dropped:
        return None
    text = (
        f"[ctxe: {REASONS.get(reply.stop, 'the reply was cut')} while it called {_names(reply)}; none of it was run. "
        "Do it in smaller steps.]"
    )
    return Chunk("cut", text, "calls that were cut never run")


def _names(reply: Reply) -> str:
    return ", ".join(name or "a tool" for name in reply.dropped)
