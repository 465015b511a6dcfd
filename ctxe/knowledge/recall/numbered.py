"""A file of the cache that is made anew under the next number, because others may have the one before open."""

from __future__ import annotations

import contextlib
from pathlib import Path

LONGEST_NUMBER = 10


def newest(path: Path) -> tuple[int, Path]:
    """The file that holds the postings now, and its number: the one that was made last under this name."""
    found = [(0, path)]
    for place in path.parent.glob(f"{path.stem}-*{path.suffix}"):
        number = place.stem.removeprefix(f"{path.stem}-")
        found += [(int(number), place)] if number.isdecimal() and len(number) < LONGEST_NUMBER else []
    return max(found)


def make_anew(path: Path, number: int) -> None:
    """Begin the next file and remove the ones before, unless another process did. Raises StoreError, OSError.

    The new one is there before an old one goes, so whoever opened an old one meanwhile sees that it was replaced.
    """
    from ctxe.storage.locks import lock

    with lock(path, 1.0):
        if newest(path)[0] != number:
            return
        path.with_name(f"{path.stem}-{number + 1}{path.suffix}").touch(mode=0o600)
        old = [path, *path.parent.glob(f"{path.stem}-*{path.suffix}")]
        for place in (one for one in old if one != newest(path)[1]):
            for name in (place, place.with_name(place.name + "-wal"), place.with_name(place.name + "-shm")):
                with contextlib.suppress(OSError):
                    name.unlink()
