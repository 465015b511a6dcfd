"""The offline model, which needs no key: it answers from the repository and explains how to connect a real model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.domain.conversation import Reply, Usage
from ctxe.domain.model import Delta, Model, Request, Text, TextDelta
from ctxe.providers.catalog import OFFLINE

CONNECT = (
    "This is the offline model, which reads but does not think. For a real one set ANTHROPIC_API_KEY or OPENAI_API_KEY,"
    " or name a local server: `ctxe chat --model ollama/NAME`."
)


class Offline:
    """Answers with the result of ``answer`` for the user's newest words and their request."""

    def __init__(self, answer: Callable[[str, Request], str], model: Model = OFFLINE) -> None:
        self.model, self._answer = model, answer

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """The answer line by line, then the reply (see Provider); without tools, cost or tokens."""
        text = f"{self._answer(newest_words(request), request).rstrip()}\n\n{CONNECT}".lstrip()
        yield from (TextDelta(line) for line in text.splitlines(keepends=True))
        yield Reply(text, usage=Usage(), model=self.model.id)


def newest_words(request: Request) -> str:
    """The user's newest words: the last text of the last user message that has one."""
    for message in reversed(request.messages):
        if message.role == "user":
            texts = [block.text for block in message.blocks if isinstance(block, Text)]
            if texts:
                return texts[-1]
    return ""
