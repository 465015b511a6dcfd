"""What the user allows, as a value, and what it says of a single path."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Callable
from typing import Literal

from ctxe.domain.value import dataclass
from ctxe.safety.rules import covers, rest_of

Mode = Literal["ask", "auto-edit", "auto", "read-only"]


@dataclass(frozen=True, slots=True)
class ReadPath:
    """A path that a command would read, as written but joined to the folder it runs in (relative to the root).

    ``shows`` says that contents would come out, ``deep`` that everything below is read, with ``hidden`` files too and
    ``links`` followed. ``git`` is set where git would work in that folder, with ``shows`` where it would
    show the object whose hash is the last part; ``writes`` where the file would be written.
    """

    path: str
    shows: bool = False
    deep: bool = False
    hidden: bool = True
    links: bool = False
    git: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user allows: ``allow`` and ``deny`` are rules of the settings, ``granted`` those of this session.

    ``reach`` says why a path must not be read, or nothing (``paths.reach`` resolves it; without it names decide).
    ``git_runs`` names settings of this repository by which git would run programs (``programs.configured_programs``).
    """

    mode: Mode = "ask"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    interactive: bool = True
    sandboxed: bool = False
    root: str = "/"
    reach: Callable[[ReadPath], str] | None = None
    git_runs: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """Rules that spare a question."""
        return (*self.allow, *self.granted)


def may_edit(paths: tuple[str, ...], policy: Policy) -> bool:
    """Whether the mode or a rule lets each of these files be written."""
    if policy.mode in ("auto", "auto-edit"):
        return True
    allowed = rest_of(policy.given, "edit")
    return all(any(covers(rule, path) for rule in allowed) for path in paths)


def outside(path: str, root: str) -> bool:
    """By its name alone: whether a path leaves the root."""
    full = posixpath.normpath(posixpath.join(root, path))
    return full != root.rstrip("/") and not full.startswith(root.rstrip("/") + "/")


def folded(text: str) -> str:
    """A path or a rule as a file system that forgives case and Unicode form compares it."""
    return unicodedata.normalize("NFC", text).casefold()
