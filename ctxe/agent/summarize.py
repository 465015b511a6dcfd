"""Asks a model for a summary, twice at most and with a time limit; the summary stands beside the record.

It replaces nothing. A summariser that lies, says nothing, hangs or finds the text too long costs one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.agent.state import State
from ctxe.context.tokens import Count
from ctxe.context.transcript import render_transcript
from ctxe.context.trim import trim
from ctxe.domain.closing import closed_at_end
from ctxe.domain.conversation import Reply
from ctxe.domain.errors import CtxeError
from ctxe.domain.events import Consulted, Notice, Summarized
from ctxe.domain.model import Message, Provider, Request, Text
from ctxe.domain.value import dataclass

PATIENCE = 2
"""Failures after which a session stops asking."""

MOST_READ, MOST_SAID = 24_000, 800
"""Tokens of the session that the model reads, and tokens of its summary that are kept (about 500 words)."""

SECONDS = 60.0
"""Longest wait for a summary."""


@dataclass(slots=True)
class Summarizer:
    """Summarises a session with the model that ``connect`` reaches, which may raise CtxeError.

    ``prompt`` says what a summary is, ``clean`` sanitises text from outside, ``clock`` gives seconds.
    """

    connect: Callable[[], Provider]
    prompt: str
    count: Count
    clean: Callable[[str], str]
    clock: Callable[[], float]
    failures: int = 0

    def __call__(self, state: State, focus: str = "") -> Iterator[Summarized | Consulted | Notice]:
        """A summary of what came since the last one, or a notice why there is none; nothing after two failures.

        An answer without text is still recorded with its cost.
        """
        why = ""
        while self.failures < PATIENCE:
            try:
                summary = self._asked(state, focus)
            except CtxeError as error:
                self.failures, why = self.failures + 1, error.message
                continue
            if summary.text:
                self.failures = 0
                yield summary
                return
            self.failures, why = self.failures + 1, "it said nothing"
            if summary.usage:
                yield Consulted("sum up", summary.model, summary.usage, summary.usd)
        if why:
            yield Notice(f"no summary by the model: {why}; the record stands without one", "warning")

    def _asked(self, state: State, focus: str) -> Summarized:
        """One attempt at a summary; each failure halves the tokens that the model reads."""
        provider = self.connect()
        model = provider.model
        room = min(MOST_READ, model.window // 2) >> self.failures
        request = Request((), (self.prompt,), (self._question(state, focus, room),), min(2_000, model.max_output))
        reply = self._reply(provider, request)
        steps = sum(1 for _ in state.conversation.steps())
        if reply is None:
            return Summarized("", steps)
        text = trim(self.clean(reply.text).strip(), "other", MOST_SAID, self.count).text
        usd = model.prices.cost(reply.usage) if model.prices and reply.usage else None
        return Summarized(text, steps, model.id, reply.usage, usd)

    def _question(self, state: State, focus: str, room: int) -> Message:
        before = state.summary
        parts = [f"The summary so far:\n{before.text}"] if before else []
        parts.append(render_transcript(state.conversation, before.steps if before else 0, room, self.count))
        parts += [f"What matters most to the user: {focus}"] if focus else []
        return Message("user", (Text("\n\n".join([*parts, "Write the summary."])),))

    def _reply(self, provider: Provider, request: Request) -> Reply | None:
        """The whole answer; None when the stream ends without one. Raises CtxeError after SECONDS."""
        stream = provider.stream(request)
        until = self.clock() + SECONDS
        with closed_at_end(stream):
            for item in stream:
                if isinstance(item, Reply):
                    return item
                if self.clock() > until:
                    raise CtxeError(f"no answer within {SECONDS:.0f} seconds")
        return None
