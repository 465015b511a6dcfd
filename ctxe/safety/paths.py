"""What a command would read, as the kernel sees it: links and globs followed, inside the root or not at all."""

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
"""Names that a glob is followed to; what stands for more is asked about."""
MOST_FILES = 20_000
"""Files that are looked at for secrets below a folder."""
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "site-packages", "__pycache__", ".tox", "target"})


def inside(root: Path, path: str) -> Path:
    """The real path of what a model or a file named, links and ``..`` resolved, existing or not.

    Raises ToolError that names the path when it lies outside of ``root`` or cannot be a path.
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
    """By whole components: /w/repo-evil is not below /w/repo."""
    return real == home or real.startswith(home.rstrip(os.sep) + os.sep)


def reach(root: Path, is_content: Callable[[Path, str], bool]) -> Callable[[ReadPath], str]:
    """A check of what a command would read, for ``permissions.Policy``: links and globs followed for real.

    ``is_content`` says of a folder and a hash whether that is a file's content to the git of the folder.
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
            if why := _looked_at(look, root, name, real):
                return why
        return ""

    return look_at


def _looked_at(look: ReadPath, root: Path, name: str, real: Path) -> str:
    """Why one real path must not be read, written or given to git."""
    if look.git:
        runs = configured_programs(real) if _is_nested(root, real) else ()
        return f"git would run {runs[0]} of the repository in {name}" if runs else ""
    if look.writes:
        # the kernel follows links where the name alone says nothing
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
    """Whether a place below the root belongs to a repository of its own."""
    between = (place, *place.parents)
    home = Path(os.path.realpath(root))
    return any(os.path.lexists(folder / ".git") for folder in between if folder != home and folder.is_relative_to(home))


_CLASS = pattern(r"\[[^/]*")


def _named(root: Path, path: str) -> Iterator[str]:
    """The path itself and, for a glob, what it stands for now.

    The shell knows more in brackets than Python does (``[^a]``, ``[[:alpha:]]``): any rest stands for them here.
    """
    yield path
    if any(c in path for c in "*?["):
        wider = _CLASS.sub("*", path)
        hidden = wider.rpartition("/")[2].startswith(".")
        # pathlib's globs would refuse absolute patterns and know no hidden files
        yield from glob.iglob(wider, root_dir=root, include_hidden=hidden)  # noqa: PTH207


def _leads_away(folder: Path) -> str:
    """The first link below a folder that leads out of it; the folder itself when there is too much to look at."""
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
    """The first file below a folder that holds settings with keys; test certificates are left to masking."""
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
