"""The context of every command: the folder and settings given on the command line, and the screen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ctxe.domain.errors import ConfigError
from ctxe.domain.value import dataclass, field

if TYPE_CHECKING:
    import typer

    from ctxe.project import Project
    from ctxe.terminal.screen import Screen


def _environment() -> Mapping[str, str]:
    from ctxe.config import read_environment

    return read_environment()


@dataclass(frozen=True, slots=True)
class Invocation:
    """One start of ctxe, available to commands as ``Invocation.of(context)``. ``environment`` is the user's own."""

    directory: Path = Path()
    debug: bool = False
    environment: Mapping[str, str] = field(default_factory=_environment)

    @staticmethod
    def of(context: typer.Context) -> Invocation:
        """The invocation of a Typer context."""
        return cast("Invocation", context.find_root().obj)

    def project(self, flags: Mapping[str, Any] | None = None) -> Project:
        """The project of the folder; ``flags`` are settings by section. Raises ConfigError.

        From then on this process's PATH has no folder inside the project.
        """
        from ctxe.config import search_outside
        from ctxe.project import Project

        project = Project.open(self.directory, self.environment, flags)
        search_outside(project.root)
        return project

    def screen(self) -> Screen:
        """The terminal, pipe or file that output goes to."""
        import sys

        from ctxe.terminal.screen import detect

        return detect(sys.stdin, sys.stdout, sys.stderr, self.environment)


def split_globals(words: list[str]) -> tuple[list[str], Invocation]:
    """Extract ``-C DIR``, ``--project DIR`` and ``--debug`` from a command line, anywhere before ``--``.

    Raises ConfigError when DIR is missing.
    """
    rest: list[str] = []
    directory, debug = Path(), False
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += [word, *queue]
            break
        if word in ("-C", "--project"):
            if not queue:
                raise ConfigError(f"{word} needs a folder", f"ctxe {word} DIR COMMAND")
            directory = Path(queue.pop(0))
        elif word.startswith("--project="):
            directory = Path(word.partition("=")[2])
        elif word == "--debug":
            debug = True
        else:
            rest.append(word)
    return rest, Invocation(directory, debug)
