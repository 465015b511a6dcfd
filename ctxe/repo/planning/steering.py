"""What a session and its user add to a task: files in use, and those that are wanted in or out of its plan."""

from __future__ import annotations

from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Steering:
    """What the session and its user add to a task.

    ``touched``: files read or changed, oldest first; ``named``: files that memory speaks of; ``added`` and ``dropped``:
    files that the user wants in or out whatever their score; ``asked`` and ``declined``: the same by a model that
    looked the plan over.
    """

    touched: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()


UNSTEERED = Steering()
"""Nothing is known beside the words of the task."""
