"""How to open a session, from the command line."""

from __future__ import annotations

from ctxe.domain.events import Choice
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """How to open a session. ``resume`` is an id or its beginning; ``newest`` means the session used last.

    ``fork`` continues in a copy that ends before turn ``before`` (from 1; 0: a full copy). Only ``tools`` are offered
    (empty: all). ``files`` are (path, choice) pairs. ``skills`` name modules that every request holds. ``mode``
    replaces the approval mode of the settings (empty: theirs).
    """

    resume: str = ""
    newest: bool = False
    fork: bool = False
    before: int = 0
    interactive: bool = False
    tools: tuple[str, ...] = ()
    files: tuple[tuple[str, Choice], ...] = ()
    skills: tuple[str, ...] = ()
    mode: str = ""
