"""Rewrites or removes an entry on disk, where it is a file of its own or a line of a log; raises StoreError."""

from __future__ import annotations

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.daily import is_line_of
from ctxe.knowledge.entries.entry import Entry, update_entry
from ctxe.knowledge.entries.folder import Folder
from ctxe.knowledge.entries.logs import replaced, write_log


def updated(disk: Folder, old: Entry, new: Entry, data: bytes | None = None) -> bytes:
    """The entry's file, or the log that holds it, with the fields that differ rewritten.

    ``data`` is that file's content if other lines of it were rewritten already.
    """
    data = disk.read(old.path) if data is None else data
    if old.path.endswith(".jsonl"):
        return replaced(data, {old.id: write_log([new])})
    if old.path.startswith("daily/"):
        raise StoreError(f"{old.id} is a line of {old.path}", "edit that file")
    if old.problems:
        disk.keep_aside(old.path, data)
    return update_entry(data, old, new)


def without(disk: Folder, entry: Entry, data: bytes | None) -> bytes:
    """The log without this entry's line. ``data`` is the log's content if other lines were removed already."""
    content = disk.read(entry.path) if data is None else data
    if entry.path.endswith(".jsonl"):
        return replaced(content, {entry.id: b""})
    kept = [line for line in content.splitlines(keepends=True) if not is_line_of(line, entry)]
    return b"".join(kept)
