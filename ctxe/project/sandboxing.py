"""The sandbox that commands of a session run in, where the system has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from ctxe.project import Project
    from ctxe.safety.running.sandbox import Sandbox


class Boxed(Protocol):
    """A place for commands to run in."""

    @property
    def active(self) -> bool:
        """Are they really walled in?"""
        ...

    @property
    def says(self) -> str:
        """What there is, in one line."""
        ...

    @property
    def walls(self) -> str:
        """What a command may do in there, for a model whose command met a wall."""
        ...

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """The command line to run for a command (its last word), inside or as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Unboxed:
    """No sandbox, and why."""

    says: str = "commands run without a sandbox"
    active: bool = False
    walls: str = ""

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """The command line as it is."""
        return argv


class Box:
    """A sandbox, looked for when it is first needed. ``alone``: does nobody approve commands just now?

    What no person approved runs inside; what a person approved runs as that person would run it, unless the settings
    say ``always`` (docs/decisions/0006).
    """

    def __init__(self, project: Project, alone: Callable[[], bool]) -> None:
        self._project, self._alone = project, alone

    @cached_property
    def _found(self) -> Sandbox:
        from ctxe.safety.running.sandbox import detect

        return detect(self._project.root)

    @cached_property
    def _temp(self) -> TemporaryDirectory[str]:
        import tempfile

        return tempfile.TemporaryDirectory(prefix="ctxe-")

    @property
    def active(self) -> bool:
        """Does this machine have a sandbox that holds?"""
        return self._found.active

    @property
    def says(self) -> str:
        """What there is, in one line."""
        return self._found.says

    @property
    def walls(self) -> str:
        """What there is, and whether the network is in reach."""
        return self.says + ("" if self._project.config.tools.network else ", without network")

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """Inside when nobody approved the command or the settings want it always."""
        tools = self._project.config.tools
        if tools.sandbox != "always" and not self._alone():
            return argv
        from ctxe.safety.running.sandbox import Confinement, wrap, writes_git

        home = Path(self._project.environment.get("HOME") or "/")
        hidden = (self._project.place.user,)
        git = writes_git(argv[-1])
        room = Confinement(
            self._project.root, Path(self._temp.name), home, hidden=hidden, network=tools.network, git=git
        )
        return wrap(self._found, argv, room)


UNBOXED = Unboxed()


def boxed(project: Project, alone: Callable[[], bool] = lambda: True) -> Boxed:
    """The sandbox of a project, as its settings want it."""
    return UNBOXED if project.config.tools.sandbox == "off" else Box(project, alone)
