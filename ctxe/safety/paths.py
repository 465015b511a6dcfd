"""Checking what a command would read, with symlinks and globs resolved as the kernel and the shell do."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.domain.pattern import pattern
from ctxe.safety.policy import ReadPath
from ctxe.safety.programs import configured_programs
from ctxe.safety.protected import protection
from ctxe.safety.secrets import is_secret_file

MOST_NAMES = 3_000
"""Names that a glob may expand to; a larger one is asked about."""
MOST_FILES = 20_000
"""Files below a folder that are checked for secrets."""
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "site-packages", "__pycache__", ".tox", "target"})


def inside(root: Path, path: str) -> Path:
    """The real path of a name from a model or a file, symlinks and ``..`` resolved, whether it exists or not.

    Raises ToolError when it is outside ``root`` or not a valid path.
    """
    if not path or "\0" in path:
        raise ToolError(f"{path!r} is not a path")
    if path.startswith("~"):
        raise ToolError(f"{path} is not expanded; give the path relative to the work tree")
    home = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(home, path))  # noqa: PTH118 (a trailing slash and .. must stay for realpath)
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} is not a path: {error}") from error
    if not _below(home, real):
        raise ToolError(f"{path} is outside the work tree")
    return Path(real)


def _below(home: str, real: str) -> bool:
    """Whether a real path is ``home`` or below it: /w/repo-evil is not below /w/repo."""
    return real == home or real.startswith(home.rstrip(os.sep) + os.sep)


def reach(root: Path, is_content: Callable[[Path, str], bool]) -> Callable[[ReadPath], str]:
    """A check for ``Policy.reach`` that resolves symlinks and globs in the file system.

    ``is_content`` tells whether a hash names a file's content in the git repository of a folder.
    """

    def look_at(look: ReadPath) -> str:
        if look.git and look.shows:
            place, _, name = look.path.rpartition("/")
            return f"{name} is a file's content without its name" if is_content(root / place, name) else ""
        for count, name in enumerate(_named(root, look.path)):
            try:
                real = inside(root, name)
            except ToolError as error:
                return str(error)
            if count > MOST_NAMES:
                return f"{look.path} stands for too many files to look at"
            if count and any(part.startswith("-") for part in name.split("/")):
                return f"{look.path} stands for {name}, which a program may take for an option"
            if why := _looked_at(look, root, name, real):
                return why
        return ""

    return look_at


def _looked_at(look: ReadPath, root: Path, name: str, real: Path) -> str:
    """Why one real path must not be read, written or used by git without a question; empty when it may."""
    if look.git:
        runs = configured_programs(real) if _is_nested(root, real) else ()
        return f"git would run {runs[0]} of the repository in {name}" if runs else ""
    if look.writes:
        # a harmless name may be a symlink to a protected place
        place = os.path.relpath(real, os.path.realpath(root))
        why = protection(place)
        return f"it writes {place}, which is protected: {why}" if why else ""
    if look.shows and is_secret_file(str(real)):
        return f"{name} may hold keys and passwords"
    if look.shows and look.deep and real.is_dir():
        if look.links and (link := _leads_away(real)):
            return f"it would also read what {link} leads to"
        found = _secret_below(real, look.hidden)
        return f"it would also read {found}" if found else ""
    return ""


def _is_nested(root: Path, place: Path) -> bool:
    """Whether a path below the root belongs to an inner repository."""
    between = (place, *place.parents)
    home = Path(os.path.realpath(root))
    return any(os.path.lexists(folder / ".git") for folder in between if folder != home and folder.is_relative_to(home))


_CLASS = pattern(r"\[[^/]*")


def _named(root: Path, path: str) -> Iterator[str]:
    """The path itself and, for a glob, the names that match it now.

    The shell knows more bracket syntax than Python (``[^a]``, ``[[:alpha:]]``), so brackets and the rest of the name
    match anything here.
    """
    yield path
    if any(c in path for c in "*?["):
        wider = _CLASS.sub("*", path)
        hidden = wider.rpartition("/")[2].startswith(".")
        # pathlib's globs refuse absolute patterns and cannot match hidden files
        yield from glob.iglob(wider, root_dir=root, include_hidden=hidden)  # noqa: PTH207


def _leads_away(folder: Path) -> str:
    """The first symlink below a folder that leads out of it; ``.`` when there are too many files to check."""
    home, seen = os.path.realpath(folder), 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)  # noqa: PTH118 (as below: a Path for each of 20,000 costs a second)
            if os.path.islink(path) and not _below(home, os.path.realpath(path)):  # noqa: PTH114
                return os.path.relpath(path, folder)
        seen += len(files)
        if seen > MOST_FILES:
            return "."
    return ""


def _secret_below(folder: Path, hidden: bool) -> str:
    """The first secret file below a folder. Keys in .pem and .key files, often for tests, are left to masking."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and (hidden or not name.startswith(".")))
        seen += len(files)
        for name in files:
            if (hidden or not name.startswith(".")) and not name.endswith((".pem", ".key")):
                path = f"{place}/{name}"
                if is_secret_file(path):
                    return Path(path).relative_to(folder).as_posix()
        if seen > MOST_FILES:
            break
    return ""
