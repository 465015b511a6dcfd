"""What a command would read, as the kernel sees it: links and globs followed, inside the root or not at all."""

from __future__ import annotations

import glob
import os
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


def _below(home: str, real: str) -> bool:
    """By whole components: /w/repo-evil is not below /w/repo."""
    return real == home or real.startswith(home.rstrip(os.sep) + os.sep)


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
