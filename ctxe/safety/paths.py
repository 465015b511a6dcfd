"""Checking the files a command would read, with symlinks and globs resolved as the kernel and the shell do."""

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

    def look_at(read_path: ReadPath) -> str:
        if read_path.git and read_path.shows:
            place, _, name = read_path.path.rpartition("/")
            return f"{name} is a file's content without its name" if is_content(root / place, name) else ""
        for count, name in enumerate(_matching_names(root, read_path.path)):
            try:
                real = inside(root, name)
            except ToolError as error:
                return str(error)
            if count > MOST_NAMES:
                return f"{read_path.path} stands for too many files to check"
            if count and any(part.startswith("-") for part in name.split("/")):
                return f"{read_path.path} stands for {name}, which a program may take for an option"
            if reason := _reason_against(read_path, root, name, real):
                return reason
        return ""

    return look_at


def _reason_against(read_path: ReadPath, root: Path, name: str, real: Path) -> str:
    """Why one real path must not be read, written or used by git without a question; empty when it may."""
    if read_path.git:
        configured = configured_programs(real) if _is_nested(root, real) else ()
        return f"git would run {configured[0]} of the repository in {name}" if configured else ""
    if read_path.writes:
        # a harmless name may be a symlink to a protected place
        place = os.path.relpath(real, os.path.realpath(root))
        reason = protection(place)
        return f"it writes {place}, which is protected: {reason}" if reason else ""
    if read_path.shows and is_secret_file(str(real)):
        return f"{name} may hold keys and passwords"
    if read_path.shows and read_path.deep and real.is_dir():
        if read_path.links and (link := _leads_away(real)):
            return f"it would also read what {link} links to"
        secret_name = _secret_below(real, read_path.hidden)
        return f"it would also read {secret_name}" if secret_name else ""
    return ""


def _is_nested(root: Path, place: Path) -> bool:
    """Whether a path below the root belongs to an inner repository."""
    folders = (place, *place.parents)
    home = Path(os.path.realpath(root))
    return any(os.path.lexists(folder / ".git") for folder in folders if folder != home and folder.is_relative_to(home))


_CLASS = pattern(r"\[[^/]*")


def _matching_names(root: Path, path: str) -> Iterator[str]:
    """The path itself and, for a glob, the names that match it now.

    The shell knows more bracket syntax than Python (``[^a]``, ``[[:alpha:]]``), so brackets and the rest of the name
    match anything here.
    """
    yield path
    if any(character in path for character in "*?["):
        wider = _CLASS.sub("*", path)
        hidden = wider.rpartition("/")[2].startswith(".")
        # pathlib's globs refuse absolute patterns and cannot match hidden files
        yield from glob.iglob(wider, root_dir=root, include_hidden=hidden)  # noqa: PTH207


def _leads_away(folder: Path) -> str:
    """The first symlink below a folder that leads out of it; ``.`` when there are too many files to check."""
    home, count = os.path.realpath(folder), 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)  # noqa: PTH118 (as below: a Path for each of 20,000 costs a second)
            if os.path.islink(path) and not _below(home, os.path.realpath(path)):  # noqa: PTH114
                return os.path.relpath(path, folder)
        count += len(files)
        if count > MOST_FILES:
            return "."
    return ""


def _secret_below(folder: Path, hidden: bool) -> str:
    """The first secret file below a folder. Keys in .pem and .key files, often for tests, are left to masking."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and (hidden or not name.startswith(".")))
        count += len(files)
        for name in files:
            if (hidden or not name.startswith(".")) and not name.endswith((".pem", ".key")):
                path = f"{place}/{name}"
                if is_secret_file(path):
                    return Path(path).relative_to(folder).as_posix()
        if count > MOST_FILES:
            break
    return ""
