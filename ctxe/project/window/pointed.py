"""Files that answers of delegates point at: what is planned or remembered later goes by them as by files read here."""

from __future__ import annotations

from ctxe.domain.conversation import Conversation
from ctxe.lexical.patterns import compiled

_PLACE = r"(?<![\w./-])(?=[\w+-]*[./])((?:[\w.+-]+/)*[\w.+-]*\w):\d+"


def pointed_at(conversation: Conversation) -> tuple[str, ...]:
    """The paths of ``path:line`` in those answers, each once, in order; a delegate's reads are no reads of this one."""
    found: dict[str, None] = {}
    for _, step in conversation.steps():
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if call.name == "delegate" and result.ok:
                found.update(dict.fromkeys(compiled(_PLACE).findall(result.text)))
    return tuple(found)
