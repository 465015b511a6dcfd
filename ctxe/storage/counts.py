"""Token counts remembered by content hash, so that what was counted once never loads a tokenizer again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.section import digest
from ctxe.storage.files import make_folder, read, replace
from ctxe.storage.owned import owned

MOST_NEAR = 20_000
"""Texts whose counts are held in memory, by the text itself: a string knows its own hash."""


class Counts:
    """Token counts of one encoding: in memory, then in ``<folder>/counts.db``, then by the tokenizer.

    Works without the file too (read-only folder, damaged database): then only the memory is used. ``tokenize`` is
    called on a miss. Safe with several processes and threads; losing the file loses nothing.
    """

    def __init__(self, encoding: str, tokenize: Callable[[str], int], folder: Path | None = None) -> None:
        self.encoding = encoding
        self._tokenize = tokenize
        self._near: dict[str, int] = {}
        self._fresh: dict[str, int] = {}
        found = _open(folder / "counts.db") if folder else None
        self._db = owned(self, found) if found else None
        self._using = threading.RLock()

    def __call__(self, text: str) -> int:
        """Tokens of ``text``."""
        found = self._near.get(text)
        if found is None:
            with self._using:
                found = self._far(digest(text), text)
                if len(self._near) >= MOST_NEAR:
                    self._near.clear()
                self._near[text] = found
        return found

    def save(self) -> None:
        """Write what was counted since the last call; silently nothing when the cache cannot be written."""
        with self._using:
            rows = [(self.encoding, key, n) for key, n in self._fresh.items()]
            self._fresh.clear()
            if self._db is None or not rows:
                return
            with contextlib.suppress(sqlite3.Error), self._db:
                self._db.executemany("INSERT OR IGNORE INTO counts VALUES (?, ?, ?)", rows)

    def _far(self, key: str, text: str) -> int:
        found = self._fresh.get(key) or self._stored(key)
        if found is None:
            found = self._fresh[key] = self._tokenize(text)
        return found

    def _stored(self, key: str) -> int | None:
        if self._db is None:
            return None
        try:
            query = "SELECT tokens FROM counts WHERE encoding = ? AND digest = ?"
            row = self._db.execute(query, (self.encoding, key)).fetchone()
        except sqlite3.Error:
            return None
        return int(row[0]) if row else None


def _open(path: Path) -> sqlite3.Connection | None:
    """The database, made anew when it is damaged; None when there can be none."""
    for attempt in range(2):
        try:
            make_folder(path.parent)
            return _connected(path)
        except sqlite3.DatabaseError:
            if attempt:
                return None
            with contextlib.suppress(OSError):
                path.unlink()
        except (StoreError, OSError):
            return None
    return None


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=2.0, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.execute(
            "CREATE TABLE IF NOT EXISTS counts "
            "(encoding TEXT, digest TEXT, tokens INTEGER, PRIMARY KEY (encoding, digest)) WITHOUT ROWID"
        )
    except BaseException:
        db.close()
        raise
    return db


class Estimate:
    """Counts for a model without a public tokenizer: another encoding's, times a factor learnt from its usage.

    The factor starts as an upper bound and moves only when ``settle`` is called (once an epoch), so that counts stay
    the same within one. Ratios of all models are kept in ``path``: ``{"provider/name": {"ratio": 1.17, "n": 12}}``.
    """

    START = 1.35
    """Claude's tokenizers give up to a third more tokens than o200k on code: an upper bound to begin with."""
    MARGIN = 1.02

    def __init__(self, model: str, counts: Callable[[str], int], path: Path | None = None) -> None:
        self._model, self._counts, self._path = model, counts, path
        known = _ratios(path).get(model, {})
        self._ratio: float = float(known.get("ratio", 0.0))
        self._seen: int = int(known.get("n", 0))
        self.factor = self._ratio * self.MARGIN if self._seen else self.START

    def __call__(self, text: str) -> int:
        """Tokens of ``text``, rounded up."""
        return -int(-self._counts(text) * self.factor // 1)

    def learn(self, ours: int, theirs: int) -> None:
        """Take in one request: ``ours`` by this estimate, ``theirs`` by the provider's usage (tokens)."""
        if ours < 500 or theirs <= 0:
            return
        observed = theirs / (ours / self.factor)
        if not 0.5 < observed < 3.0:
            return
        self._seen += 1
        self._ratio += (observed - self._ratio) / min(self._seen, 8)

    def settle(self) -> None:
        """Use what was learnt from now on, and keep it for other sessions."""
        if not self._seen:
            return
        self.factor = self._ratio * self.MARGIN
        if self._path is not None:
            table = _ratios(self._path)
            table[self._model] = {"ratio": round(self._ratio, 4), "n": min(self._seen, 1000)}
            with contextlib.suppress(StoreError):
                replace(self._path, json.dumps(table, indent=1, sort_keys=True).encode())


def _ratios(path: Path | None) -> dict[str, dict[str, float]]:
    try:
        table = json.loads(read(path)) if path and path.exists() else {}
    except (StoreError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
