"""A tool's output as the model is told it, decided once when it is born: without what stands already, and cut."""

from __future__ import annotations

from ctxe.context.budget import birth_limit
from ctxe.context.seen import standing, unrepeated
from ctxe.context.tokens import Count
from ctxe.context.trim import Kind, Trimmed, handle_of, trim
from ctxe.domain.conversation import Conversation


def born(text: str, kind: Kind, window: int, count: Count, conversation: Conversation, *, again: bool) -> Trimmed:
    """What is told of an output, and the handle of its whole text where something was left out.

    ``again`` says that its file was read before: longer runs of lines that stand in the request are told as a number.
    """
    handle = handle_of(text)
    fresh = unrepeated(text, standing(conversation), handle) if again and kind == "read" else text
    done = trim(fresh, kind, birth_limit(kind, window), count, handle)
    return Trimmed(done.text, handle if done.cut or fresh != text else "")
