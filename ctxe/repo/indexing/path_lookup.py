"""Finding the paths of a code base by how they end and by their folders."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property


class PathLookup:
    """All paths of the code base, indexed by their last two parts and by folder."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self._ending: dict[str, list[str]] = {}

    @cached_property
    def _by_tail(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            for tail in {_tail(path), path.rpartition("/")[2]}:
                found.setdefault(tail, []).append(path)
        return found

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Paths by their folder."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            found.setdefault(path.rpartition("/")[0], []).append(path)
        return found

    def ending(self, tail: str, near: str) -> str | None:
        """The path that equals ``tail`` or ends in ``/tail``; of several the one sharing most folders with ``near``."""
        if tail in self.paths:
            return tail
        fitting = self._ending.get(tail)
        if fitting is None:
            fitting = [path for path in self._by_tail.get(_tail(tail), ()) if path.endswith("/" + tail)]
            self._ending[tail] = fitting
        if len(fitting) < 2:
            return fitting[0] if fitting else None
        return max(fitting, key=lambda path: (_common(path, near), -len(path), path))

    def first(self, candidates: Iterable[str]) -> str | None:
        """The first candidate that is a path of the code base."""
        return next((path for path in candidates if path in self.paths), None)


def _tail(path: str) -> str:
    """The file name with its folder. Many files share a name, few share both."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _common(one: str, other: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for a, b in zip(one.split("/"), other.split("/"), strict=False):
        if a != b:
            break
        count += 1
    return count
