"""A session's money for models beside the conversation: how much is left, and what was bought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass, field

if TYPE_CHECKING:
    from ctxe.domain.events import Consulted, Notice


@dataclass(frozen=True, slots=True)
class Allowance:
    """``limit`` is what the session may cost in US dollars (0: no limit), ``spent`` its cost so far by its log.

    What is bought while a request is being composed waits here until the session logs it.
    """

    limit: float = 0.0
    spent: Callable[[], float] = lambda: 0.0
    _bought: list[Consulted] = field(default_factory=list)

    @property
    def is_spent(self) -> bool:
        """Whether the limit is reached."""
        return bool(self.limit) and self.left <= 0.0

    @property
    def left(self) -> float:
        """US dollars that are left; negative when the limit is exceeded, 0 without a limit."""
        waiting = sum(one.usd or 0.0 for one in self._bought)
        return self.limit - self.spent() - waiting if self.limit else 0.0

    def charge(self, bought: Consulted) -> None:
        """Add a paid answer."""
        self._bought.append(bought)

    def take_purchases(self) -> Iterator[Consulted | Notice]:
        """What was bought since the last call, for the log, and a warning when most of the money is gone.

        ``spent`` is read again for each purchase: by then the log holds the one before.
        """
        from ctxe.agent.limits import Limits
        from ctxe.domain.events import Notice

        while self._bought:
            before = self.spent()
            yield self._bought.pop(0)
            if said := Limits(usd=self.limit).cost_warning(before, self.spent()):
                yield Notice(said, "warning")
