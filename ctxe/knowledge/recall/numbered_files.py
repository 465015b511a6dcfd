"""A cache file that is rebuilt under the next number, since other processes may have the old one open."""

from __future__ import annotations

import contextlib
from pathlib import Path

LONGEST_NUMBER = 10


def newest_file(path: Path) -> tuple[int, Path]:
    """The current file, which has the highest number, and that number; 0 and ``path`` itself if there is no other."""
    found = [(0, path)]
    for place in path.parent.glob(f"{path.stem}-*{path.suffix}"):
        number = place.stem.removeprefix(f"{path.stem}-")
        found += [(int(number), place)] if number.isdecimal() and len(number) < LONGEST_NUMBER else []
    return max(found)


def replace_file(path: Path, number: int) -> None:
    """Create the next file and delete the older ones, unless another process did. Raises StoreError or OSError.

    The new file exists before an old one is deleted, so a process that opened the old one sees that it was replaced.
    """
    from ctxe.storage.locks import lock

    with lock(path, 1.0):
        if newest_file(path)[0] != number:
            return
        path.with_name(f"{path.stem}-{number + 1}{path.suffix}").touch(mode=0o600)
        old = [path, *path.parent.glob(f"{path.stem}-*{path.suffix}")]
        for place in (one for one in old if one != newest_file(path)[1]):
            for name in (place, place.with_name(place.name + "-wal"), place.with_name(place.name + "-shm")):
                with contextlib.suppress(OSError):
                    name.unlink()
