"""The part of a project's cache that only this user's ctxe can have made: no repository knows its name.

A repository can hold files below ``.ctxe/cache``, and git writes them over ignored ones; an archive can as well. What
ctxe believes without a look at its source therefore lies in a folder whose name follows from a key in the user's own
folder and from the project's folder on this disk (its inode: a rename keeps it; a clone, a copy, an archive do not).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import weakref
from hashlib import blake2b
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.storage.files import IGNORE_ALL, read, replace, replace_quickly
from ctxe.storage.locks import lock

KEY = "cache.key"
KEY_BYTES = 32
NAME_BYTES = 8
NAME = re.compile(r"[0-9a-f]{16}")
MOST_OTHERS = 3
"""Caches of other homes (a container's, say) or of a copy's origin that are left beside one that is begun."""


def own(cache: Path, root: Path, user: Path) -> Path | None:
    """The folder below ``cache`` that is ours for the project at ``root``; None where ``user`` can hold no key.

    It is made with the first file in it. Others beside it, which are read by nobody here, are bounded when it is begun.
    """
    key = _key(user / KEY)
    if key is None:
        return None
    place = f"{root.stat().st_ino:x}".encode()
    ours = cache / blake2b(place, key=key, digest_size=NAME_BYTES).hexdigest()
    if not ours.exists():
        _bound(cache)
    return ours


def fleeting(owner: object) -> Path:
    """A folder for a cache that goes with its ``owner`` or the process, for lookers and where no key can be kept.

    On a full disk there is none: a place where nothing can be written, as the cache of a read-only tree may be.
    """
    import shutil
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix="ctxe-"))
    except OSError:
        return Path(os.devnull) / "cache"
    maker = os.getpid()

    def gone() -> None:
        if os.getpid() == maker:  # not for a process that was forked off
            shutil.rmtree(folder, ignore_errors=True)

    weakref.finalize(owner, gone)
    return folder


def hide(ours: Path) -> None:
    """Keep our part of the cache from git whatever a repository's own ignore file says: its name would be told."""
    if not (ours / ".gitignore").exists():
        replace_quickly(ours / ".gitignore", IGNORE_ALL)


def _key(path: Path) -> bytes | None:
    """The user's key, made at first use; one that others could have written is left alone and not used."""
    with contextlib.suppress(OSError, StoreError):
        if known := _sound(path):
            return known
        with lock(path):
            known = _sound(path)
            if known is None:
                replace(path, os.urandom(KEY_BYTES), 0o600)
                known = _sound(path)
            return known
    return None


def _sound(path: Path) -> bytes | None:
    """What the file holds when that is a key; None where there is none yet. Raises StoreError for somebody else's."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    foreign = os.name == "posix" and (facts.st_uid != os.geteuid() or bool(facts.st_mode & 0o022))
    if foreign or not stat.S_ISREG(facts.st_mode):
        raise StoreError(f"{path} may be somebody else's", "remove it; a new one is made")
    held = read(path, KEY_BYTES + 1)
    return held if len(held) == KEY_BYTES else None


def _bound(cache: Path) -> None:
    """Remove caches of others but the newest, never through a link."""
    if cache.is_symlink() or cache.parent.is_symlink():
        return
    import shutil

    with contextlib.suppress(OSError):
        others = [one for one in os.scandir(cache) if NAME.fullmatch(one.name) and one.is_dir(follow_symlinks=False)]
        others.sort(key=lambda one: one.stat(follow_symlinks=False).st_mtime, reverse=True)
        for other in others[MOST_OTHERS:]:
            shutil.rmtree(other.path, ignore_errors=True)
