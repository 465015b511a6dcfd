"""The ledger of one request: every section and chunk, what it asked for, what it got, and why."""

from __future__ import annotations

from ctxe.domain.conversation import Usage
from ctxe.domain.section import Placement, Priority, Tier
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ledger. ``given`` is 0 when it was left out; ``cached`` means that the provider had it already.

    ``superseded`` names the files whose text in it is outdated, each with the row that changed it.
    """

    section: str
    chunk: str
    priority: Priority
    asked: int
    given: int
    placement: Placement
    why: str = ""
    tier: Tier = "full"
    cached: bool = False
    digest: str = ""
    superseded: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """How the budget of one request was spent, row by row; the rows sum to ``used`` (tokens, an upper bound)."""

    model: str
    window: int
    reserve: int
    rows: tuple[Row, ...]
    exact: bool = True
    usage: Usage | None = None
    usd: float | None = None
    broke: str = ""

    @property
    def usable(self) -> int:
        """Tokens that a request may hold."""
        return self.window - self.reserve

    @property
    def used(self) -> int:
        """Tokens that this request holds by ctxe's own count."""
        return sum(row.given for row in self.rows)

    @property
    def cached(self) -> int:
        """Tokens of this request that are, byte for byte, the beginning of the request before."""
        return sum(row.given for row in self.rows if row.cached)

    @property
    def superseded(self) -> tuple[Row, ...]:
        """The rows of this request with outdated text."""
        return tuple(row for row in self.rows if row.given and row.superseded)

    @property
    def drift(self) -> float | None:
        """The provider's count over ours, minus one; None until the provider reports a usable count."""
        if self.usage is None or self.usage.input <= 0 or self.used == 0:
            return None
        return self.usage.input / self.used - 1
