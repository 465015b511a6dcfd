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
        return bool(self.limit) and self.left <= 0.0

    @property
    def left(self) -> float:
        """US dollars that may still be spent; 0 where there is no limit, and below when it was passed."""
        waiting = sum(one.usd or 0.0 for one in self._bought)
        return self.limit - self.spent() - waiting if self.limit else 0.0

    def pay(self, bought: Consulted) -> None:
        """Note an answer that came."""
        self._bought.append(bought)

    def taken(self) -> Iterator[Consulted]:
        """What was bought since the last call, for the log."""
        while self._bought:
            yield self._bought.pop(0)
