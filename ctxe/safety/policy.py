"""The permission policy of a session, and its decisions on a single path."""

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
    """A path that a command would read, as written but joined to the folder it runs in, relative to the root.

    ``shows``: the content would be printed. ``deep``: everything below is read, including ``hidden`` files and
    following ``links``. ``git``: git would work in this folder or, with ``shows``, show the object whose hash is the
    last part. ``writes``: the file would be written.
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
    """The permissions: ``allow`` and ``deny`` are rules of the settings, ``granted`` those given in this session.

    ``reach`` tells why a path must not be read, or an empty text (see ``paths.reach``; without it only names are
    checked). ``git_runs`` lists settings by which git would start programs (see ``programs.configured_programs``).
    ``own_program`` gives the program of the repository that a name would start (see ``programs.own_program``).
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
    own_program: Callable[[str], str] = lambda _: ""

    @property
    def given(self) -> tuple[str, ...]:
        """The rules that allow without a question."""
        return (*self.allow, *self.granted)


def may_edit(paths: tuple[str, ...], policy: Policy) -> bool:
    """Whether the mode or a rule allows writing all of these files without a question."""
    if policy.mode in ("auto", "auto-edit"):
        return True
    allowed = rest_of(policy.given, "edit")
    return all(any(covers(rule, path) for rule in allowed) for path in paths)


def outside(path: str, root: str) -> bool:
    """Whether a path leads out of the root, by its name alone."""
    full = posixpath.normpath(posixpath.join(root, path))
    return full != root.rstrip("/") and not full.startswith(root.rstrip("/") + "/")


def folded(text: str) -> str:
    """A path or rule as a file system compares it that ignores case and Unicode normal form."""
    return unicodedata.normalize("NFC", text).casefold()
