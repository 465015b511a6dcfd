"""The files that a session edited, and which of its edits were reverted and restored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ctxe.domain.pattern import pattern
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.waiting import UNKNOWN

_GIT = r"\bgit\s+(?:-[cC]\s+\S+\s+)*"
_REVERTS_NAMED = pattern(
    _GIT + r"(?:checkout|restore)\b"
    r"(?![^|;&\n]*\s(?:--ours|--theirs|--merge|--conflict\S*|-[mbB]|--staged(?![^|;&\n]*(?:--worktree|\s-W))|-S)(?:\s|$))"
)
_REVERTS_ALL = pattern(_GIT + r"(?:reset\s+--hard\b|(?:checkout|restore)\s+(?:--\s+)?\.(?=\s|$))")
"""Commands that revert changes: those of named files, and all of them. Choosing a side of a conflict, unstaging and
switching branches revert nothing."""
_REVERTS_COMMIT = pattern(_GIT + r"revert\b(?!\s+--(?:abort|quit|skip))")
"""Commands that revert commits: files that then are as they were before they were edited were reverted."""


class EditedFiles:
    """Paths of the files with the diffs that the session's edits left, and the hashes they had before the first."""

    def __init__(self, memory: MemoryPorts, root: str) -> None:
        self._memory, self._root = memory, root
        self._diffs: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._reverted: dict[str, str] = {}

    def edited(self, path: str, diff: str, before: str | None) -> None:
        """Note an edit; ``before`` is the file's content hash before it, None if unknown."""
        self._diffs[path] = diff or self._diffs.get(path, "")
        if before is not None:
            self._before.setdefault(path, before)

    def reverted_by(self, command: str) -> Sequence[str] | None:
        """The files that a command, which passed, has reverted; None for a command that reverts none."""
        if _REVERTS_ALL.search(command):
            return tuple(self._diffs)
        if _REVERTS_NAMED.search(command):
            return named_files(command, self._root)
        if _REVERTS_COMMIT.search(command):
            return [path for path in self._diffs if self._before.get(path, UNKNOWN) == self._memory.digest_of(path)]
        return None

    def revert(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Mark files as reverted; yields path and diff of those that the session had edited."""
        for path in paths:
            if path in self._diffs:
                self._reverted[path] = self._diffs.pop(path)
                yield path, self._reverted[path]

    def restore(self, paths: Iterable[str]) -> list[str]:
        """Mark files as holding their edits again; returns those whose edits were reverted."""
        restored = {path: self._reverted.pop(path) for path in paths if path in self._reverted}
        self._diffs.update(restored)
        return list(restored)
