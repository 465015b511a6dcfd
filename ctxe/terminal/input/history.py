"""What was entered before, in a private file that stays small. Imports prompt-toolkit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

from ctxe.storage import files

MOST_BYTES = 1_000_000


class Entered(FileHistory):
    """A private file of what was entered; pasted text whole. A disk that refuses it is no reason to stop."""

    def __init__(self, path: Path, whole: Callable[[str], str]) -> None:
        self.whole = whole
        with contextlib.suppress(Exception):
            _shorten(path)
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        """The newest first."""
        try:
            yield from super().load_history_strings()
        except OSError:
            return

    def append_string(self, string: str) -> None:
        """Keep a line, whole, for this session and the file."""
        super().append_string(self.whole(string))

    def store_string(self, string: str) -> None:
        """Add a line to the file."""
        with contextlib.suppress(OSError):
            super().store_string(string)


def _shorten(path: Path) -> None:
    """Make the file private, and drop its older half when it has become large."""
    if not path.exists():
        files.replace(path, b"")
        return
    path.chmod(files.PRIVATE_FILE)
    if path.stat().st_size > MOST_BYTES:
        kept = path.read_bytes()[-MOST_BYTES // 2 :]
        files.replace(path, kept[kept.find(b"\n\n#") + 1 :])
