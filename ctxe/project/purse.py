"""Money of a session that goes to models beside the conversation: whether there is any left, and what was bought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass, field

if TYPE_CHECKING:
    from ctxe.domain.events import Consulted, Notice


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

    def taken(self) -> Iterator[Consulted | Notice]:
        """What was bought since the last call, for the log, and a line for the user when most of the money is gone.

        ``spent`` is asked again when the next is taken: by then the log has the one before.
        """
        from ctxe.agent.limits import Limits
        from ctxe.domain.events import Notice

        while self._bought:
            before = self.spent()
            yield self._bought.pop(0)
            if said := Limits(usd=self.limit).warns(before, self.spent()):
                yield Notice(said, "warning")
