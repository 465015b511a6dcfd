"""How a session shall be opened, as the command line says it."""

from __future__ import annotations

from ctxe.domain.events import Choice
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """How a session is opened. ``resume`` is an id or its beginning, ``newest`` the one used last.

    ``fork`` goes on in a copy, of what came before turn ``before`` (from 1; 0: of all). ``tools`` (empty: all) are the
    only ones offered. ``files`` are (path, choice).
    ``skills`` are names of modules that stand in every request of it.
    ``mode`` is an approval mode in place of the settings' (empty: theirs).
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
