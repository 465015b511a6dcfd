"""The sandbox in which a session's commands run, if the system has one."""

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


class CommandSandbox(Protocol):
    """Where commands run: in a sandbox or not."""

    @property
    def active(self) -> bool:
        """Are commands really confined?"""
        ...

    @property
    def says(self) -> str:
        """A one-line description."""
        ...

    @property
    def limits(self) -> str:
        """What a command may do in the sandbox, for a model whose command was blocked."""
        ...

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """The command line that runs a command (its last word), wrapped in the sandbox or unchanged."""
        ...


@dataclass(frozen=True, slots=True)
class NoSandbox:
    """No sandbox; ``says`` tells why."""

    says: str = "commands run without a sandbox"
    active: bool = False
    limits: str = ""

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """The command line, unchanged."""
        return argv


class SystemSandbox:
    """A sandbox, detected when first needed. ``alone``: commands run without approval at the moment.

    A command that nobody approved runs inside. An approved one runs with the rights of the person who approved it,
    unless the settings say ``always`` (docs/decisions/0006).
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
        """Does this machine have a working sandbox?"""
        return self._found.active

    @property
    def says(self) -> str:
        """A one-line description."""
        return self._found.says

    @property
    def limits(self) -> str:
        """The description, and whether the network is reachable."""
        return self.says + ("" if self._project.config.tools.network else ", without network")

    def wrap(self, argv: Sequence[str]) -> Sequence[str]:
        """The command line, in the sandbox when nobody approved the command or the settings say ``always``."""
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


NO_SANDBOX = NoSandbox()


def sandbox_for(project: Project, alone: Callable[[], bool] = lambda: True) -> CommandSandbox:
    """The sandbox of a project, by its settings."""
    return NO_SANDBOX if project.config.tools.sandbox == "off" else SystemSandbox(project, alone)
