"""Handling encrypted reasoning that a host refuses: the request is repeated without it, and so are later ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import BadRequest
from ctxe.domain.model import Carry, Delta, Message, Request
from ctxe.domain.pattern import pattern
from ctxe.domain.value import replace
from ctxe.providers.faults import RequestFault

REASONING_REFUSED = pattern(
    r"signature.{0,20}thinking|thinking.{0,60}(?:modified|match)|encrypted.content", re.IGNORECASE
)
"""How Anthropic and OpenAI refuse reasoning that was changed or is from another conversation, account or key."""


class Seals:
    """The carried blocks that a host has refused, which are not sent again during the session."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def ask(self, request: Request, attempt: Callable[[Request], Iterator[Delta | Reply]]) -> Iterator[Delta | Reply]:
        """Make an attempt, and a second one without carried blocks if the host refuses them. Raises RequestFault."""
        sent = self._without(request)
        try:
            yield from attempt(sent)
        except RequestFault as fault:
            carried = {block.json for message in sent.messages for block in message.blocks if isinstance(block, Carry)}
            if not (carried and isinstance(fault.error, BadRequest) and REASONING_REFUSED.search(fault.error.message)):
                raise
            self._refused |= carried
            yield from attempt(self._without(sent))

    def _without(self, request: Request) -> Request:
        if not self._refused:
            return request
        return replace(request, messages=tuple(self._allowed(message) for message in request.messages))

    def _allowed(self, message: Message) -> Message:
        allowed = (block for block in message.blocks if not (isinstance(block, Carry) and block.json in self._refused))
        return Message(message.role, tuple(allowed))
