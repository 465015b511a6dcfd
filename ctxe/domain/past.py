"""What a session sent, read back from its log: every request with its ledger, its texts, and what was used of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from ctxe.domain.conversation import Fold, Reply, Usage
from ctxe.domain.ledger import Ledger
from ctxe.domain.value import dataclass, field

LaterUse = Literal["edited", "read", "named", ""]
"""How injected context was used later; empty: not at all."""

LEAST_CACHED = 2_048
"""Tokens below which a cache miss does not matter: providers cache nothing under 1,024, and only in blocks."""

WireText = tuple[str, str]
"""A text on the wire: its role (tool, system, user, assistant, call, result, carry) and the text."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request and its reply. ``number`` counts from 1 over the session; ``turn`` and ``step`` say what it was for.

    ``epoch_cause`` says why an epoch began with it (a fold and its cause, another model), empty within one; ``fold`` is
    that fold. ``plain_usd`` is what the reply would have cost without a cache. ``reply`` is None when none came.
    """

    number: int
    turn: int
    step: int
    ledger: Ledger
    at: str = ""
    words: str = ""
    epoch_cause: str = ""
    fold: Fold | None = None
    reply: Reply | None = None
    seconds: float = 0.0
    plain_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """A request for which the provider's cache held much less than what the request before had contained.

    ``expected`` and ``read`` are tokens. ``pause`` is the seconds between the answer before and this request (0:
    unknown): a cache expires after some minutes.
    """

    sent: SentRequest
    expected: int
    read: int
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Injected:
    """A chunk that ctxe gave the model unasked, and whether the model edited, read or named it later."""

    section: str
    chunk: str
    tokens: int
    turn: int
    use: LaterUse = ""


@dataclass(frozen=True, slots=True)
class Consultation:
    """A consultation of a model beside the requests; ``before`` is the number of the request that followed.

    ``replies`` is above one for a delegate, which is a single row whatever it took.
    """

    before: int
    model: str
    usage: Usage = Usage()
    usd: float | None = None
    plain_usd: float | None = None
    purpose: str = "summary"
    replies: int = 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """Steps until the next fold (None: never at this pace), and the request size in tokens at which it comes.

    ``pace`` is the tokens that a step adds. ``fold_usd`` and ``next_usd`` are the prices in dollars of the fold and of
    the next request (None: unknown).
    """

    steps: int | None
    line: int
    pace: int
    fold_usd: float | None = None
    next_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """A session so far. ``texts`` holds the texts of its ledgers' rows by content hash, if asked for.

    ``changed`` are the files that its tools edited, created or deleted.
    """

    session: str
    project: str
    requests: tuple[SentRequest, ...] = ()
    injected: tuple[Injected, ...] = ()
    texts: Mapping[str, tuple[WireText, ...]] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    consultations: tuple[Consultation, ...] = ()

    @property
    def usage(self) -> Usage:
        """Tokens in total as the provider counted them, summaries included."""
        asked = sum((sent.ledger.usage for sent in self.requests if sent.ledger.usage), Usage())
        return sum((one.usage for one in self.consultations), asked)

    @property
    def usd(self) -> float | None:
        """Dollars in total, summaries included; None when no price is known."""
        return known_total([*(sent.ledger.usd for sent in self.requests), *(one.usd for one in self.consultations)])

    @property
    def plain_usd(self) -> float | None:
        """Dollars in total if nothing had been cached."""
        return known_total(
            [*(sent.plain_usd for sent in self.requests), *(one.plain_usd for one in self.consultations)]
        )

    @property
    def prefix_breaks(self) -> tuple[SentRequest, ...]:
        """Requests that changed the beginning of the one before although no epoch began."""
        return tuple(sent for sent in self.requests if sent.ledger.broke and not sent.epoch_cause)

    @property
    def misses(self) -> tuple[Miss, ...]:
        """Requests whose beginning was unchanged but had to be read anew: the provider's cache had expired.

        Empty where the provider never reports its cache.
        """
        if not any(sent.ledger.usage and sent.ledger.usage.cache_read for sent in self.requests):
            return ()
        found = []
        for before, sent in pairwise(self.requests):
            usage, expected = sent.ledger.usage, sent.ledger.cached
            if usage and not sent.epoch_cause and expected >= LEAST_CACHED and usage.cache_read < expected / 2:
                found.append(Miss(sent, expected, usage.cache_read, _pause(before, sent)))
        return tuple(found)

    def growth(self, newest: int = 12) -> tuple[int, ...]:
        """Tokens that each of the newest requests added to the one before, within an epoch."""
        pairs = pairwise(self.requests)
        added = [after.ledger.used - before.ledger.used for before, after in pairs if not after.epoch_cause]
        return tuple(added[-newest:])


def _pause(before: SentRequest, sent: SentRequest) -> float:
    """Seconds between an answer and the next request; 0 when the log does not say."""
    try:
        elapsed = datetime.fromisoformat(sent.at) - datetime.fromisoformat(before.at)
    except (ValueError, TypeError):  # no time, or only one of the two has a zone
        return 0.0
    return max(0.0, elapsed.total_seconds() - before.seconds)


def known_total(amounts: Iterable[float | None]) -> float | None:
    """The sum of the known amounts; None when none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def used_share(injected: Sequence[Injected]) -> tuple[int, int]:
    """Injected tokens that were used later, and all injected tokens."""
    return sum(one.tokens for one in injected if one.use), sum(one.tokens for one in injected)
