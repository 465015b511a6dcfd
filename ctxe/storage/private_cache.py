"""The trusted part of a project's cache, in a folder whose name no repository can know.

A repository or an archive may contain files below ``.ctxe/cache``, which git even writes over ignored ones. Cached data
that ctxe trusts without looking at its source is therefore kept in a folder named by a keyed hash: the key is in the
user's own folder, and the inode of the project's folder is hashed, which a rename keeps and a clone or copy does not.
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
"""Caches of other users' keys or other inodes (of a container, or the origin of a copy) that are kept beside ours."""


def own_folder(cache: Path, root: Path, user: Path) -> Path | None:
    """Our folder below ``cache`` for the project at ``root``; None when no key can be kept in the folder ``user``.

    It is created with its first file. When it does not exist yet, old folders of others are removed (see MOST_OTHERS).
    """
    key = _key(user / KEY)
    if key is None:
        return None
    inode = f"{root.stat().st_ino:x}".encode()
    folder = cache / blake2b(inode, key=key, digest_size=NAME_BYTES).hexdigest()
    if not folder.exists():
        _prune(cache)
    return folder


def temporary_folder(owner: object) -> Path:
    """A temporary cache folder, deleted with its ``owner`` or the process, for viewing only or when no key can be kept.

    On a full disk it is a path at which nothing can be written.
    """
    import shutil
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix="ctxe-"))
    except OSError:
        return Path(os.devnull) / "cache"
    owner_process = os.getpid()

    def remove() -> None:
        if os.getpid() == owner_process:  # not in a forked process
            shutil.rmtree(folder, ignore_errors=True)

    weakref.finalize(owner, remove)
    return folder


def hide(folder: Path) -> None:
    """Make git ignore our folder whatever the repository's .gitignore says, since a commit would reveal its name."""
    if not (folder / ".gitignore").exists():
        replace_quickly(folder / ".gitignore", IGNORE_ALL)


def _key(path: Path) -> bytes | None:
    """The user's key, created at first use; None when it cannot be kept, or others could have written it."""
    with contextlib.suppress(OSError, StoreError):
        if stored_key := _read_key(path):
            return stored_key
        with lock(path):
            stored_key = _read_key(path)
            if stored_key is None:
                replace(path, os.urandom(KEY_BYTES), 0o600)
                stored_key = _read_key(path)
            return stored_key
    return None


def _read_key(path: Path) -> bytes | None:
    """The key in a file; None when there is none yet. Raises StoreError when others could have written it."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    is_foreign = os.name == "posix" and (status.st_uid != os.geteuid() or bool(status.st_mode & 0o022))
    if is_foreign or not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} may be somebody else's", "remove it; a new one will be created")
    key = read(path, KEY_BYTES + 1)
    return key if len(key) == KEY_BYTES else None


def _prune(cache: Path) -> None:
    """Remove all but the newest folders of others, without following symlinks."""
    if cache.is_symlink() or cache.parent.is_symlink():
        return
    import shutil

    with contextlib.suppress(OSError):
        others = [
            entry for entry in os.scandir(cache) if NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
        others.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime, reverse=True)
        for stale_entry in others[MOST_OTHERS:]:
            shutil.rmtree(stale_entry.path, ignore_errors=True)
