"""Paths as the kernel sees them: inside the root or not at all, checked again at the moment a file is opened."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.safety.policy import Look
from ctxe.safety.secrets import is_secret_file

MOST_NAMES = 300
"""Names that a glob is followed to."""
MOST_FILES = 20_000
"""Files that are looked at for secrets below a folder."""
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "site-packages", "__pycache__", ".tox", "target"})


def inside(root: Path, path: str) -> Path:
    """The real path of what a model or a file named, links and ``..`` resolved, existing or not.

    Raises ToolError that names the path when it lies outside of ``root`` or cannot be a path.
    """
    if not path or "\0" in path:
        raise ToolError(f"{path!r} is no path")
    if path.startswith("~"):
        raise ToolError(f"{path} is not expanded; give the path relative to the work tree")
    home = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(home, path))  # noqa: PTH118 (a trailing slash and .. must stay for realpath)
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} is no path: {error}") from error
    if not _below(home, real):
        raise ToolError(f"{path} is outside the work tree")
    return Path(real)


def relative(root: Path, path: str) -> str:
    """Like ``inside``, as a path relative to the root with forward slashes (``.`` for the root itself)."""
    return inside(root, path).relative_to(os.path.realpath(root)).as_posix()


def _below(home: str, real: str) -> bool:
    """By whole components: /w/repo-evil is not below /w/repo."""
    return real == home or real.startswith(home.rstrip(os.sep) + os.sep)


@contextlib.contextmanager
def opened(root: Path, path: str, flags: int, mode: int = 0o666) -> Iterator[int]:
    """A descriptor of a file inside the root, every folder on the way opened without following a link.

    A link that somebody puts in the way between the check and the opening is refused. Raises ToolError.
    """
    real = inside(root, path)
    with told(path):
        folder = open_folder(root, real.parent)
        try:
            handle = os.open(real.name or ".", flags | SAFE, mode, dir_fd=folder)
        finally:
            os.close(folder)
    try:
        yield handle
    finally:
        os.close(handle)


SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_WALK = SAFE | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", os.O_RDONLY)


def open_folder(root: Path, folder: Path, *, make: bool = False) -> int:
    """A descriptor of a real folder below the root, reached step by step; ``make`` creates what is missing.

    Raises OSError: ELOOP or ENOTDIR where a link stands that was not there when the path was resolved.
    """
    home = os.path.realpath(root)
    handle = os.open(home, _WALK)
    try:
        for name in folder.relative_to(home).parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=handle)
            inner = os.open(name, _WALK, dir_fd=handle)
            os.close(handle)
            handle = inner
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Turn an operating system error into a line for the model that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise ToolError(f"{path} changed into a link while it was opened") from error
        raise ToolError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def kind(mode: int) -> str:
    """What a file is, in words."""
    tests = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((words for test, words in tests if test(mode)), "a file")


def reach(root: Path) -> Callable[[Look], str]:
    """A check of what a command would read, for ``permissions.Policy``: links and globs followed for real."""

    def look_at(look: Look) -> str:
        for name in _named(root, look.path):
            try:
                real = inside(root, name)
            except ToolError as error:
                return str(error)
            if look.shows and is_secret_file(str(real)):
                return f"{name} may hold keys and passwords"
            if look.shows and look.deep and real.is_dir() and (found := _secret_below(real, look.hidden)):
                return f"it would also read {found}"
        return ""

    return look_at


def _named(root: Path, path: str) -> Iterator[str]:
    """The path itself and, for a glob, what it stands for now."""
    yield path
    if any(c in path for c in "*?["):
        # pathlib's globs would refuse absolute patterns and know no hidden files
        found = glob.iglob(path, root_dir=root, include_hidden=path.rpartition("/")[2].startswith("."))  # noqa: PTH207
        yield from (name for _, name in zip(range(MOST_NAMES), found, strict=False))


def _secret_below(folder: Path, hidden: bool) -> str:
    """The first file below a folder that holds settings with keys; test certificates are left to masking."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and (hidden or not name.startswith(".")))
        seen += len(files)
        for name in files:
            if (hidden or not name.startswith(".")) and not name.endswith((".pem", ".key")) and is_secret_file(name):
                return Path(place, name).relative_to(folder).as_posix()
        if seen > MOST_FILES:
            break
    return ""
