"""What was last written to the memory folder, so that it can be taken back, and how its files were last seen."""

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
"""A write that replaced more than this is not kept for undo."""


@dataclass(frozen=True, slots=True)
class JournalWrite:
    """One write: the words for it, and every file with its bytes before and its content hash after (None: no file)."""

    says: str
    at: float
    before: Mapping[str, bytes | None]
    after: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Journal:
    """Both records of one memory folder; they live in the cache, and losing them loses no memory."""

    cache: Path

    @property
    def _steps(self) -> Path:
        return self.cache / "undo.json"

    @property
    def _known(self) -> Path:
        return self.cache / "known.json"

    @property
    def _number(self) -> Path:
        return self.cache / "number"

    def note(self, written: JournalWrite) -> None:
        """Keep a write for undo and know its files from now on."""
        if sum(len(data or b"") for data in written.before.values()) <= MOST_BYTES:
            rows = [*self._rows(), _row(written)][-STEPS:]
            files.replace_quickly(self._steps, json.dumps(rows).encode())
        known = self.known()
        if known is not None:
            self.know({**known, **written.after})

    def highest(self, found: int) -> int:
        """The highest number ever given here, ``found`` being that of what is there now; it is kept from now on.

        The number of an entry that was forgotten is not given again: people may still speak of it.
        """
        try:
            known = int(files.read(self._number, 20))
        except (StoreError, ValueError):
            known = 0
        return max(found, known) if known < 100_000_000 else found

    def gave(self, number: int) -> None:
        """This number is taken."""
        files.replace_quickly(self._number, str(number).encode())

    def newest(self) -> JournalWrite:
        """The last write that can be taken back. Raises StoreError when there is none."""
        rows = self._rows()
        if not rows:
            raise StoreError("nothing to take back", "only the last writes of this folder's sessions can be undone")
        try:
            return _written(rows[-1])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StoreError("the record of the last write is damaged", f"remove {self._steps}") from None

    def forget_newest(self) -> None:
        """The last write was taken back."""
        files.replace_quickly(self._steps, json.dumps(self._rows()[:-1]).encode())

    def known(self) -> dict[str, str | None] | None:
        """Content hashes as they were last looked at; None when nobody ever looked."""
        held = _json(self._known)
        return held if isinstance(held, dict) else None

    def know(self, digests: Mapping[str, str | None]) -> None:
        """From now on these are the files as they should be."""
        held = {path: content for path, content in digests.items() if content is not None}
        files.replace_quickly(self._known, json.dumps(held).encode())

    def _rows(self) -> list[Any]:
        held = _json(self._steps)
        return held if isinstance(held, list) else []


def _json(path: Path) -> Any:
    try:
        return json.loads(files.read(path, files.MOST_CACHED))
    except (StoreError, ValueError, RecursionError):
        return None


def _row(written: JournalWrite) -> dict[str, Any]:
    before = {path: None if data is None else base64.b64encode(data).decode() for path, data in written.before.items()}
    return {"says": written.says, "at": written.at, "before": before, "after": dict(written.after)}


def _written(row: Mapping[str, Any]) -> JournalWrite:
    before = {path: None if data is None else base64.b64decode(data) for path, data in row["before"].items()}
    return JournalWrite(str(row["says"]), float(row["at"]), before, dict(row["after"]))
