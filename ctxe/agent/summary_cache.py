"""Summaries of every session of a folder: what was read of a log is cached, and later only its new part is read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctxe.agent.summary import LogScan, ReplyCost, Summary, finish_scan, start_scan
from ctxe.domain.conversation import Usage
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.section import digest
from ctxe.domain.value import dataclass, fields
from ctxe.storage import files

VERSION = 1
CHECKED = 4_096
"""Bytes before the resume position that must be unchanged, since a log only grows."""

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _ReadLog:
    """A log as it was read: size, time and inode; hash of the bytes before the position read; what they say."""

    mark: Mark
    before: str
    scan: LogScan


def summaries(folder: Path, cache: Path | None = None) -> list[Summary]:
    """Every session of a folder, the one used last first; files that are no logs are skipped.

    ``cache`` is a folder for what was read; without it, reading only takes longer.
    """
    kept = cache / "sessions.json" if cache else None
    known = _load(kept) if kept else {}
    now: dict[str, _ReadLog] = {}
    found: list[Summary] = []
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(SessionError, OSError):
            one, now[path.name] = _summary_of(path, known.get(path.name))
            found.append(one)
    if kept and (now.keys() != known.keys() or any(now[name] is not known[name] for name in now)):
        _save(kept, now)
    return sorted(found, key=lambda one: (-one.used, one.id))


def _summary_of(path: Path, known: _ReadLog | None) -> tuple[Summary, _ReadLog]:
    """The summary of a log, and what is known of it now. Raises SessionError, OSError."""
    held = path.stat()
    mark = (held.st_size, held.st_mtime_ns, held.st_ino)
    if known and known.mark == mark and known.scan.offset == held.st_size:
        return known.scan.to_summary(path.stem, held.st_mtime), known
    scan = start_scan(path)
    if known and _grew(path, known, scan):
        scan = known.scan
    one = finish_scan(path, scan)
    return one, _ReadLog(mark, _before(path, scan.offset), scan)


def _grew(path: Path, known: _ReadLog, now: LogScan) -> bool:
    """True when the log still begins as the known one did and has only become longer."""
    then = known.scan
    same = (then.at, then.fork, then.copied) == (now.at, now.fork, now.copied)
    return same and path.stat().st_size >= then.offset and _before(path, then.offset) == known.before


def _before(path: Path, until: int) -> str:
    """Hash of the last CHECKED bytes before ``until``."""
    with path.open("rb") as file:
        file.seek(max(0, until - CHECKED))
        return digest(file.read(min(until, CHECKED)).decode("latin-1"))


def _load(kept: Path) -> dict[str, _ReadLog]:
    """The cache of an earlier run; empty when it is damaged or has another format."""
    with contextlib.suppress(StoreError, ValueError, TypeError, LookupError, RecursionError):
        check, _, text = files.read(kept, files.MOST_CACHED).decode().partition("\n")
        held = json.loads(text) if check == digest(text) else {}
        if held.get("v") == VERSION:
            return {name: _from_row(*row) for name, row in held["logs"].items()}
    return {}


def _save(kept: Path, known: Mapping[str, _ReadLog]) -> None:
    logs = {name: _to_row(one) for name, one in known.items()}
    text = json.dumps({"v": VERSION, "logs": logs}, separators=(",", ":"))
    files.replace_quickly(kept, f"{digest(text)}\n{text}".encode())


def _to_row(known: _ReadLog) -> list[Any]:
    from dataclasses import astuple

    *values, spent = (getattr(known.scan, part.name) for part in fields(LogScan))
    rows = [[one.at, one.model, one.usd, one.delegate, *astuple(one.usage)] for one in spent]
    return [known.mark, known.before, values, rows]


def _from_row(mark: list[int], before: str, values: list[Any], rows: list[list[Any]]) -> _ReadLog:
    spent = [ReplyCost(at, model, Usage(*usage), usd, delegate) for at, model, usd, delegate, *usage in rows]
    scan = LogScan(*values)
    scan.spent = spent
    return _ReadLog((mark[0], mark[1], mark[2]), before, scan)
