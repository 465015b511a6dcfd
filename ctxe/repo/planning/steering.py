"""How the session, its user and a model steer a plan: files in use, and files wanted in the plan or out of it."""

from __future__ import annotations

from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Steering:
    """Paths that influence a plan besides the words of the task.

    ``touched``: files read or changed in the session, oldest first; ``named``: files that memory mentions; ``added``
    and ``dropped``: files that the user wants in or out, whatever their score; ``asked`` and ``declined``: the same by
    a model that reviewed the plan.
    """

    touched: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()


UNSTEERED = Steering()
"""No influence besides the words of the task."""
