"""A file that grows by lines and is held open, so that it can be written again if it was deleted (`git clean -fdx`)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ctxe.storage.files import append, replace

PIECE = 1 << 20
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class AppendFile:
    """An append-only file, whose content survives the deletion of its name as long as this object lives."""

    def __init__(self, path: Path) -> None:
        self.path, self._handle = path, -1
        self._open_handle()

    def __del__(self) -> None:
        self._release()

    def append(self, line: str) -> None:
        """Append a line as ``storage.files.append`` does, restoring a deleted file first. Raises StoreError."""
        if self._handle >= 0 and not os.path.lexists(self.path):
            replace(self.path, self._content())
            self._release()
        append(self.path, line)
        if self._handle < 0:
            self._open_handle()

    def _open_handle(self) -> None:
        with contextlib.suppress(OSError):  # missing, or too many open files: then a deletion loses it
            self._handle = os.open(self.path, FLAGS)

    def _release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _content(self) -> bytes:
        content = bytearray()
        while piece := os.pread(self._handle, PIECE, len(content)):
            content += piece
        return bytes(content)
