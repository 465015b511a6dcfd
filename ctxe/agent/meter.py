"""What an answer took that was cut off before its end: as its provider counted by then, else by our own count."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ctxe.context.tokens import Count
from ctxe.domain.conversation import Usage
from ctxe.domain.events import Event, Kept
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Billed, CallDelta, ReasoningDelta, TextDelta, Waiting

CHARACTERS = 4
"""Of a call's arguments only the size is told while they come: so many characters count as a token."""


@dataclass(slots=True)
class Meter:
    """Hears an answer while it comes. A provider takes money for what it read and wrote, whoever hangs up."""

    count: Count
    billed: Usage | None = None
    came: list[str] = field(default_factory=list)
    written: list[tuple[str, int]] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Take in an event of the loop; an answer is over with whatever is kept of it, and void when asked again."""
        match event:
            case Billed(usage):
                self.billed = usage
            case TextDelta(text) | ReasoningDelta(text):
                self.came.append(text)
            case CallDelta(name, size):
                if self.written and self.written[-1][0] == name and self.written[-1][1] <= size:
                    self.written.pop()
                self.written.append((name, size))
            case _ if isinstance(event, Waiting | Kept):
                self.billed = None
                self.came.clear()
                self.written.clear()

    def usage(self, ledger: Ledger | None) -> Usage | None:
        """Tokens of the answer that is coming, ``ledger`` being that of its request; None while nothing has come."""
        wrote = self.count("".join(self.came)) + sum(size for _, size in self.written) // CHARACTERS
        if self.billed:
            return replace(self.billed, output=max(self.billed.output, wrote))
        if ledger is None or not (self.came or self.written):
            return None
        return Usage(ledger.used, wrote, cache_read=min(ledger.cached, ledger.used))
