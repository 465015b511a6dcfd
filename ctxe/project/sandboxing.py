"""The sandbox that commands of a session run in, where the system has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project


@dataclass(frozen=True, slots=True)
class Boxed:
    """A sandbox ready for use: whether it is active, what it is in words, and how a command line is put into it."""

    active: bool
    says: str
    wrap: Callable[[Sequence[str]], Sequence[str]]


UNBOXED = Boxed(False, "commands run without a sandbox", lambda argv: argv)


def boxed(project: Project) -> Boxed:
    """The sandbox of a project."""
    return UNBOXED
