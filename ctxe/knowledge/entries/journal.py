"""The undo journal of the memory folder, and the content hashes its files had when ctxe last saw them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.storage import files

STEPS = 20
MOST_BYTES = 8_000_000
"""Bytes of replaced files that one write may keep for undo; a larger write cannot be undone."""


@dataclass(frozen=True, slots=True)
class JournalWrite:
    """One write: its description, each file's bytes before, and each file's content hash after (None: no file)."""

    says: str
    at: float
    before: Mapping[str, bytes | None]
    after: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Journal:
    """The undo steps and the known hashes of one memory folder. They live in the cache: losing them loses no memory."""

    cache: Path

    @property
    def _steps_path(self) -> Path:
        return self.cache / "undo.json"

    @property
    def _known_path(self) -> Path:
        return self.cache / "known.json"

    @property
    def _number_path(self) -> Path:
        return self.cache / "number"

    def note(self, written: JournalWrite) -> None:
        """Keep a write for undo, and record its files as known."""
        if sum(len(data or b"") for data in written.before.values()) <= MOST_BYTES:
            rows = [*self._rows(), _to_row(written)][-STEPS:]
            files.replace_quickly(self._steps_path, json.dumps(rows).encode())
        known = self.known()
        if known is not None:
            self.know({**known, **written.after})

    def highest(self, found: int) -> int:
        """The highest number ever given: that of the existing entries (``found``) or the recorded one, whichever is
        greater.

        The number of a forgotten entry is not given again, since people may still refer to it.
        """
        try:
            known = int(files.read(self._number_path, 20))
        except (StoreError, ValueError):
            known = 0
        return max(found, known) if known < 100_000_000 else found

    def gave(self, number: int) -> None:
        """Record this number as given."""
        files.replace_quickly(self._number_path, str(number).encode())

    def newest(self) -> JournalWrite:
        """The last write that can be undone. Raises StoreError when there is none."""
        rows = self._rows()
        if not rows:
            raise StoreError("nothing to take back", "only the last writes of this folder's sessions can be undone")
        try:
            return _from_row(rows[-1])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StoreError("the record of the last write is damaged", f"remove {self._steps_path}") from None

    def forget_newest(self) -> None:
        """Drop the last write, which was undone."""
        files.replace_quickly(self._steps_path, json.dumps(self._rows()[:-1]).encode())

    def known(self) -> dict[str, str | None] | None:
        """Content hashes by path, as last seen; None when nothing was ever recorded."""
        digests = _read_json(self._known_path)
        return digests if isinstance(digests, dict) else None

    def know(self, digests: Mapping[str, str | None]) -> None:
        """Record these content hashes as the known state of the folder."""
        existing = {path: content for path, content in digests.items() if content is not None}
        files.replace_quickly(self._known_path, json.dumps(existing).encode())

    def _rows(self) -> list[Any]:
        rows = _read_json(self._steps_path)
        return rows if isinstance(rows, list) else []


def _read_json(path: Path) -> Any:
    try:
        return json.loads(files.read(path, files.MOST_CACHED))
    except (StoreError, ValueError, RecursionError):
        return None


def _to_row(written: JournalWrite) -> dict[str, Any]:
    before = {path: None if data is None else base64.b64encode(data).decode() for path, data in written.before.items()}
    return {"says": written.says, "at": written.at, "before": before, "after": dict(written.after)}


def _from_row(row: Mapping[str, Any]) -> JournalWrite:
    before = {path: None if data is None else base64.b64decode(data) for path, data in row["before"].items()}
    return JournalWrite(str(row["says"]), float(row["at"]), before, dict(row["after"]))
