"""Token counts cached by content hash, so that a text counted once does not load a tokenizer again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.section import digest
from ctxe.storage.databases import open_database
from ctxe.storage.files import read, replace

SCHEMA = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE IF NOT EXISTS counts "
    "(encoding TEXT, digest TEXT, tokens INTEGER, PRIMARY KEY (encoding, digest)) WITHOUT ROWID",
)
MOST_IN_MEMORY = 20_000
"""Texts whose counts are kept in memory, by the text itself, as a string caches its hash."""
LEAST_RATIO, MOST_RATIO = 0.5, 3.0
"""The range of plausible ratios of a model's tokens to ours."""
WAIT = 2.0
"""Seconds to wait for another process."""


class Counts:
    """Token counts of one encoding, looked up in memory, then in ``<folder>/counts.db``, then by ``tokenize``.

    When the file cannot be used (read-only folder, damage), only memory is used. Safe with several processes and
    threads; losing the file costs only time.
    """

    def __init__(self, encoding: str, tokenize: Callable[[str], int], folder: Path | None = None) -> None:
        self.encoding = encoding
        self._tokenize = tokenize
        self._in_memory: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}
        self._db: sqlite3.Connection | None = None
        if folder is not None:
            with contextlib.suppress(sqlite3.Error, StoreError, OSError):
                self._db = open_database(self, folder / "counts.db", SCHEMA, WAIT)
        self._lock = threading.RLock()

    def __call__(self, text: str) -> int:
        """Tokens of ``text``."""
        tokens = self._in_memory.get(text)
        if tokens is None:
            with self._lock:
                tokens = self._look_up(digest(text), text)
                if len(self._in_memory) >= MOST_IN_MEMORY:
                    self._in_memory.clear()
                self._in_memory[text] = tokens
        return tokens

    def save(self) -> None:
        """Write the counts made since the last call; errors are ignored."""
        with self._lock:
            rows = [(self.encoding, key, tokens) for key, tokens in self._unsaved.items()]
            self._unsaved.clear()
            if self._db is None or not rows:
                return
            with contextlib.suppress(sqlite3.Error), self._db:
                self._db.executemany("INSERT OR IGNORE INTO counts VALUES (?, ?, ?)", rows)

    def _look_up(self, key: str, text: str) -> int:
        tokens = self._unsaved.get(key) or self._from_file(key)
        if tokens is None:
            tokens = self._unsaved[key] = self._tokenize(text)
        return tokens

    def _from_file(self, key: str) -> int | None:
        if self._db is None:
            return None
        try:
            query = "SELECT tokens FROM counts WHERE encoding = ? AND digest = ?"
            row = self._db.execute(query, (self.encoding, key)).fetchone()
        except sqlite3.Error:
            return None
        return int(row[0]) if row else None


class Estimate:
    """Token counts for a model without a public tokenizer: another encoding's, times a factor learnt from usage.

    The factor starts as an upper bound and changes only in ``settle`` (once per epoch), so that counts are stable
    within an epoch. Ratios of all models are kept in ``path``: ``{"provider/name": {"ratio": 1.17, "n": 12}}``.
    """

    START = 1.35
    """The initial factor: Claude's tokenizers give up to a third more tokens for code than o200k."""
    MARGIN = 1.02

    def __init__(self, model: str, counts: Callable[[str], int], path: Path | None = None) -> None:
        self._model, self._counts, self._path = model, counts, path
        self._ratio, self._requests = _learnt(path, model)
        self.factor = self._ratio * self.MARGIN if self._requests else self.START

    def __call__(self, text: str) -> int:
        """Tokens of ``text``, rounded up."""
        return -int(-self._counts(text) * self.factor // 1)

    def learn(self, estimated: int, reported: int) -> None:
        """Learn from one request: its tokens by this estimate (``estimated``) and by the provider (``reported``)."""
        if estimated < 500 or reported <= 0:
            return
        observed = reported / (estimated / self.factor)
        if not LEAST_RATIO < observed < MOST_RATIO:
            return
        self._requests += 1
        self._ratio += (observed - self._ratio) / min(self._requests, 8)

    def settle(self) -> None:
        """Apply the learnt ratio, and store it for other sessions."""
        if not self._requests:
            return
        self.factor = self._ratio * self.MARGIN
        if self._path is not None:
            table = _ratios(self._path)
            table[self._model] = {"ratio": round(self._ratio, 4), "n": min(self._requests, 1000)}
            with contextlib.suppress(StoreError):
                replace(self._path, json.dumps(table, indent=1, sort_keys=True).encode())


def _learnt(path: Path | None, model: str) -> tuple[float, int]:
    """The stored ratio of a model and the number of requests behind it; zeros when there is no plausible one."""
    try:
        entry = _ratios(path)[model]
        ratio, requests = float(entry["ratio"]), int(entry["n"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0.0, 0
    return (ratio, requests) if requests > 0 and LEAST_RATIO < ratio < MOST_RATIO else (0.0, 0)


def _ratios(path: Path | None) -> dict[str, Any]:
    try:
        table = json.loads(read(path)) if path and path.exists() else {}
    except (StoreError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}
