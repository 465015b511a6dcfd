"""Locates a project's folders: the repository's root, its memory folder, the cache, the user's folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ctxe.domain.errors import ConfigError, StoreError
from ctxe.domain.value import dataclass
from ctxe.storage.files import IGNORE_ALL, read


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one project. ``working`` is the user's folder, ``root`` the repository around it (or the same).

    ``memory`` is ``<root>/.ctxe``; ``cache`` lies below it, or in the user's cache folder if the tree is read-only. The
    cache may contain files that came with the repository: only locks are kept in it directly. What is trusted lies in a
    folder of its own below it.
    """

    working: Path
    root: Path
    memory: Path
    cache: Path
    user: Path
    git: bool
    writable: bool

    @property
    def sessions(self) -> Path:
        """The folder of session logs; below the cache if the tree is read-only."""
        return (self.memory if self.writable else self.cache) / "sessions"


def home_of(environment: Mapping[str, str]) -> Path:
    """The user's home folder."""
    return Path(environment.get("HOME") or Path.home())


def person() -> int:
    """The number of the current user. On systems without user numbers it is 0, which every file has there."""
    return os.geteuid() if os.name == "posix" else 0


def find(
    start: Path, user: Path, user_cache: Path, home: Path, person: int, environment: Mapping[str, str] | None = None
) -> Place:
    """The project around ``start``: the nearest folder upwards that holds .git, else .ctxe, else ``start`` itself.

    A .ctxe in the home folder, left by a session there, does not count for folders below it; nor does one that belongs
    to another user than ``person`` (a user's number). A repository in the home folder usually keeps settings: it counts
    for the folders below in which it tracks files, by git in the ``environment``. Raises ConfigError when the folder
    ``start`` does not exist.
    """
    try:
        working = start.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"no folder {start}", "name an existing folder with --project") from error
    if not working.is_dir():
        raise ConfigError(f"{start} is not a folder", "name a folder with --project")
    home = home.resolve()
    git = next((folder for folder in (working, *working.parents) if (folder / ".git").exists()), None)
    if git in (home, *home.parents) and git != working and not _tracks(git, working, environment or {}):
        git = None
    root = git or _nearest_memory(working, home, person) or working
    memory = root / ".ctxe"
    writable = os.access(memory if memory.exists() else root, os.W_OK)
    from ctxe.domain.section import digest

    cache = memory / "cache" if writable else user_cache / digest(str(root))[:16]
    return Place(working, root, memory, cache, user, git is not None, writable)


def _tracks(git: Path, folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether a repository tracks files below a folder."""
    from ctxe.repo.git import Git

    return bool(Git(git, environment).output("ls-files", "--", f":(literal){folder.relative_to(git)}"))


def _nearest_memory(working: Path, home: Path, person: int) -> Path | None:
    """The nearest folder upwards that holds .ctxe. The home folder and its parents count only as ``working`` itself."""
    if _in_use(working / ".ctxe"):
        return working
    beyond = (home, *home.parents)
    above = (folder for folder in working.parents if folder not in beyond)
    return next((one for one in above if _in_use(one / ".ctxe") and (one / ".ctxe").stat().st_uid == person), None)


def _in_use(memory: Path) -> bool:
    """Whether a memory folder holds more than what merely looking at a project leaves: a cache, hidden from git."""
    try:
        names = set(os.listdir(memory))  # noqa: PTH208 (only names are needed)
        hidden = ".gitignore" in names and read(memory / ".gitignore", 9) == IGNORE_ALL
    except OSError:
        return False
    except StoreError:
        return True
    return not hidden or bool(names - {"cache", ".gitignore", ".gitattributes"})
