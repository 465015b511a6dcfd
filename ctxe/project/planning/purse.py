"""Money of a session that goes to models beside the conversation: whether there is any left, and what was bought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ctxe.domain.events import Consulted


@dataclass(frozen=True, slots=True)
class Purse:
    """``limit`` is what the session may cost in US dollars (0: no limit), ``spent`` what its log says it has cost.

    What is bought while a request is made up stays here until the session takes it into its log.
    """

    limit: float = 0.0
    spent: Callable[[], float] = lambda: 0.0
    _bought: list[Consulted] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing more may be asked."""
        waiting = sum(one.usd or 0.0 for one in self._bought)
        return bool(self.limit) and self.spent() + waiting >= self.limit

    def pay(self, bought: Consulted) -> None:
        """Note an answer that came."""
        self._bought.append(bought)

    def taken(self) -> Iterator[Consulted]:
        """What was bought since the last call, for the log."""
        while self._bought:
            yield self._bought.pop(0)
