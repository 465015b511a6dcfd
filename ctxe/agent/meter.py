"""Measures an answer that is still streaming: its text so far, and its usage as the provider or else ctxe counts it."""

from __future__ import annotations

from ctxe.context.tokens import Count
from ctxe.domain.conversation import Usage
from ctxe.domain.events import Event, Kept
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Billed, CallDelta, ReasoningDelta, TextDelta, Waiting
from ctxe.domain.value import dataclass, field, replace

CHARACTERS = 4
"""Characters per token of a call's arguments: while they stream, only their size is known."""


@dataclass(slots=True)
class Meter:
    """Follows an answer while it streams: the provider charges for what it read and wrote even if it is cut off."""

    count: Count
    billed: Usage | None = None
    words: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    written: list[tuple[str, int]] = field(default_factory=list)

    def observe(self, event: Event) -> None:
        """Take in an event of the loop. Any kept event ends the answer; a retry (Waiting) voids it."""
        match event:
            case Billed(usage):
                self.billed = usage
            case TextDelta(text):
                self.words.append(text)
            case ReasoningDelta(text):
                self.thoughts.append(text)
            case CallDelta(name, size):
                if self.written and self.written[-1][0] == name and self.written[-1][1] <= size:
                    self.written.pop()
                self.written.append((name, size))
            case _ if isinstance(event, Waiting | Kept):
                self.billed = None
                for parts in (self.words, self.thoughts, self.written):
                    parts.clear()

    @property
    def text(self) -> str:
        """The text of the answer so far."""
        return "".join(self.words)

    def usage(self, ledger: Ledger | None) -> Usage | None:
        """Tokens of the current answer; ``ledger`` is that of its request. None while nothing has come."""
        wrote = self.count(self.text) + self.count("".join(self.thoughts))
        wrote += sum(size for _, size in self.written) // CHARACTERS
        if self.billed:
            return replace(self.billed, output=max(self.billed.output, wrote))
        if ledger is None or not (self.words or self.thoughts or self.written):
            return None
        return Usage(ledger.used, wrote, cache_read=min(ledger.cached, ledger.used))
