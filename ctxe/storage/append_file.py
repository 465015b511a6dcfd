"""A file that grows by lines, held open: what it has is written again where its name was removed (`git clean -fdx`)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ctxe.storage.files import append, replace

PIECE = 1 << 20
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class AppendFile:
    """The file of a path; as long as this lives its bytes do, whatever becomes of its name."""

    def __init__(self, path: Path) -> None:
        self.path, self._handle = path, -1
        self._hold()

    def __del__(self) -> None:
        self._let_go()

    def append(self, line: str) -> None:
        """Add a line as ``storage.files.append`` does, behind all that was there. Raises StoreError."""
        if self._handle >= 0 and not os.path.lexists(self.path):
            replace(self.path, self._whole())
            self._let_go()
        append(self.path, line)
        if self._handle < 0:
            self._hold()

    def _hold(self) -> None:
        with contextlib.suppress(OSError):  # not there yet, or no more files can be open: it is as any other then
            self._handle = os.open(self.path, FLAGS)

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _whole(self) -> bytes:
        whole = bytearray()
        while piece := os.pread(self._handle, PIECE, len(whole)):
            whole += piece
        return bytes(whole)
