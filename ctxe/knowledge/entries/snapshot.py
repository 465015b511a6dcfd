"""Reads the memory folder into entries and caches parsed files between starts, keyed by their stat data."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.section import digest_bytes
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.daily import read_day
from ctxe.knowledge.entries.entry import KEYS, Entry, read_entry
from ctxe.knowledge.entries.logs import read_log
from ctxe.storage import files

FOLDERS = ("memory", "decisions", "failures", "inbox", "daily")
DEPTH = 3
VERSION = 2
RACY_SECONDS = 0.1
"""A file modified this shortly before the cache is written may change again under the same timestamp: not cached."""

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with a file of the memory folder; ``path`` is relative to that folder."""

    path: str
    says: str


@dataclass(frozen=True, slots=True)
class FolderSnapshot:
    """The folder at one moment: entries in causal order, problems, and the content hash of each file by path.

    ``strays`` are temporary files, left by writers that died or in use by one that is writing now.
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    digests: Mapping[str, str]
    strays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    mark: Mark
    digest: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]


class FolderReader:
    """Reads one memory folder repeatedly; opens only the files that changed."""

    def __init__(self, folder: Path, cache: Path) -> None:
        """``cache`` is the folder for parsed entries; everything works without it."""
        self._folder = folder
        self._kept = cache / "entries.json"
        self._records: dict[str, _Record] | None = None
        self._saved: dict[str, Mark] = {}
        self._last: tuple[list[Problem], FolderSnapshot] | None = None

    def snapshot(self) -> FolderSnapshot:
        """The folder's current state. Never raises for bad files."""
        records = self._load() if self._records is None else self._records
        problems: list[Problem] = []
        current: dict[str, _Record] = {}
        changed = False
        strays: list[str] = []
        for path, mark in _files(self._folder, problems):
            if mark is None:
                strays.append(path)
                continue
            record = records.get(path)
            if record is None or record.mark != mark:
                record = self._read(path, mark)
                changed = True
            current[path] = record
        same = not changed and len(current) == len(records)
        if not same:
            self._save(current)
        elif self._last and self._last[0] == problems and not strays:
            return self._last[1]
        self._records = current
        folder_problems = list(problems)
        entries = sorted((entry for record in current.values() for entry in record.entries), key=order)
        problems += [Problem(path, says) for path, record in current.items() for says in record.problems]
        problems += _duplicate_ids(entries)
        digests = {path: record.digest for path, record in current.items()}
        snapshot = FolderSnapshot(tuple(entries), tuple(problems), digests, tuple(strays))
        self._last = (folder_problems, snapshot)
        return snapshot

    def _read(self, path: str, mark: Mark) -> _Record:
        try:
            data = files.read(self._folder / path, files.MOST_BYTES)
        except StoreError as error:
            return _Record(mark, "", (), (error.message,))
        content_hash = digest_bytes(data)
        cut = (f"only its first {files.MOST_BYTES:,} bytes are read",) if mark[1] > files.MOST_BYTES else ()
        if path.endswith(".jsonl"):
            entries, problems = read_log(data[: data.rfind(b"\n") + 1] if cut else data, path)
            return _Record(mark, content_hash, entries, (*problems, *cut))
        if path.startswith("daily/"):
            return _Record(mark, content_hash, read_day(data, path), cut)
        entry = read_entry(data, path)
        return _Record(mark, content_hash, (entry,), (*entry.problems, *cut))

    def _load(self) -> dict[str, _Record]:
        try:
            cached = json.loads(files.read(self._kept, files.MOST_CACHED))
            if cached["v"] != VERSION or cached["keys"] != list(KEYS):
                return {}
            loaded = {path: _from_row(path, row) for path, row in cached["files"].items()}
            self._saved = {path: record.mark for path, record in loaded.items()}
            return loaded
        except (StoreError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def _save(self, records: Mapping[str, _Record]) -> None:
        """Cache the entries that have a file of their own, if any changed. Logs are read anew at every start."""
        limit = (time.time() - RACY_SECONDS) * 1e9
        cacheable = {
            path: record
            for path, record in records.items()
            if len(record.entries) == 1 and not path.startswith(("daily/", "memory/log/")) and record.mark[0] < limit
        }
        saved = {path: record.mark for path, record in cacheable.items()}
        if saved == self._saved:
            return
        self._saved = saved
        rows = {
            path: [record.mark, record.digest, record.problems, _to_row(record.entries[0])]
            for path, record in cacheable.items()
        }
        text = json.dumps({"v": VERSION, "keys": KEYS, "files": rows}, separators=(",", ":"))
        files.replace_quickly(self._kept, text.encode())


def _duplicate_ids(entries: list[Entry]) -> Iterator[Problem]:
    """A problem for each file whose id another file has, after a copy or a merge. Both entries stay."""
    first_paths: dict[str, str] = {}
    for entry in entries:
        first_path = first_paths.setdefault(entry.id, entry.path)
        if first_path != entry.path:
            yield Problem(entry.path, f"has the id of {first_path}")


def order(entry: Entry) -> tuple[int, float, int, str]:
    """Sort key for causal order: imports by their own time, then entries written here by number, not by clock."""
    if entry.number and not entry.ts:
        return (1, 0.0, entry.number, entry.id)
    return (0, entry.time, 0, entry.id)


def content_of(path: Path) -> str | None:
    """Content hash of a regular file; None if it cannot be read."""
    try:
        return digest_bytes(files.read(path, files.MOST_BYTES))
    except StoreError:
        return None


def _to_row(entry: Entry) -> list[Any]:
    return [*(getattr(entry, key) for key in KEYS), entry.text, dict(entry.extra)]


def _from_row(path: str, row: list[Any]) -> _Record:
    mark, content, problems, values = row
    *plain, text, extra = values
    flat = [tuple(value) if value.__class__ is list else value for value in plain]
    fields: dict[str, Any] = dict(zip(KEYS, flat, strict=True))
    more = {key: _tupled(value) for key, value in extra.items()}
    entry = Entry(**fields, text=text, path=path, extra=more, problems=tuple(problems))
    return _Record((mark[0], mark[1], mark[2]), content, (entry,), tuple(problems))


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _files(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, Mark | None]]:
    for name in FOLDERS:
        yield from _walk(folder, name, DEPTH, problems)


def _walk(root: Path, inside: str, depth: int, problems: list[Problem]) -> Iterator[tuple[str, Mark | None]]:
    """Path and stat data of each entry file, sorted by name; temporary files have None."""
    try:
        found = sorted(os.scandir(root / inside), key=lambda item: item.name)
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(Problem(inside, f"cannot be read: {error.strerror}"))
        return
    suffix = ".jsonl" if inside == "memory/log" else ".md"
    for item in found:
        path = f"{inside}/{item.name}"
        if item.name.startswith("."):
            if item.name.endswith(".tmp"):
                yield path, None
            continue
        if item.is_dir(follow_symlinks=False):
            if item.name.endswith(suffix):
                problems.append(Problem(path, "is a folder where a file should be"))
            elif depth:
                yield from _walk(root, path, depth - 1, problems)
        elif item.name.endswith(suffix):
            facts = item.stat(follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode):
                yield path, (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            else:
                problems.append(Problem(path, "is not a regular file and is not read"))
