"""The input history in a private file of bounded size. Imports prompt-toolkit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

from ctxe.storage import files

MOST_BYTES = 1_000_000


class InputHistory(FileHistory):
    """The input history in a private file, with pasted text in full. Write errors of the disk are ignored."""

    def __init__(self, path: Path, whole: Callable[[str], str]) -> None:
        self.whole = whole
        with contextlib.suppress(Exception):
            _shorten(path)
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        """The entries, newest first."""
        try:
            yield from super().load_history_strings()
        except OSError:
            return

    def append_string(self, string: str) -> None:
        """Add an entry, with pasted text in full, to the session's history and the file."""
        super().append_string(self.whole(string))

    def store_string(self, string: str) -> None:
        """Add an entry to the file."""
        with contextlib.suppress(OSError):
            super().store_string(string)


def _shorten(path: Path) -> None:
    """Make the file private, and drop its older half once it is too large."""
    if not path.exists():
        files.replace(path, b"")
        return
    path.chmod(files.PRIVATE_FILE)
    if path.stat().st_size > MOST_BYTES:
        kept = path.read_bytes()[-MOST_BYTES // 2 :]
        files.replace(path, kept[kept.find(b"\n\n#") + 1 :])
