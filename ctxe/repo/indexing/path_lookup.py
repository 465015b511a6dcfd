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
        paths_by_tail: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            for tail in {_tail(path), path.rpartition("/")[2]}:
                paths_by_tail.setdefault(tail, []).append(path)
        return paths_by_tail

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Paths by their folder."""
        paths_by_folder: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            paths_by_folder.setdefault(path.rpartition("/")[0], []).append(path)
        return paths_by_folder

    def ending(self, tail: str, near: str) -> str | None:
        """The path that equals ``tail`` or ends in ``/tail``; of several the one sharing most folders with ``near``."""
        if tail in self.paths:
            return tail
        matches = self._ending.get(tail)
        if matches is None:
            matches = [path for path in self._by_tail.get(_tail(tail), ()) if path.endswith("/" + tail)]
            self._ending[tail] = matches
        if len(matches) < 2:
            return matches[0] if matches else None
        return max(matches, key=lambda path: (_common(path, near), -len(path), path))

    def first(self, candidates: Iterable[str]) -> str | None:
        """The first candidate that is a path of the code base."""
        return next((path for path in candidates if path in self.paths), None)


def _tail(path: str) -> str:
    """The file name with its folder. Many files share a name, few share both."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _common(path: str, other: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for part, other_part in zip(path.split("/"), other.split("/"), strict=False):
        if part != other_part:
            break
        count += 1
    return count
