"""An entry's bytes on disk, a file of its own or a line of a log: rewritten, or taken out. Both raise StoreError."""

from __future__ import annotations

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.daily import is_line_of
from ctxe.knowledge.entries.entry import Entry, update_entry
from ctxe.knowledge.entries.folder import Folder
from ctxe.knowledge.entries.logs import replaced, write_log


def updated(disk: Folder, old: Entry, new: Entry, data: bytes | None = None) -> bytes:
    """The file of an entry, or of the log it is a line of, with what differs rewritten.

    ``data`` is that file when others of its lines were rewritten already.
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
    """The log of an entry without its line; ``data`` is the log when others were taken out already."""
    held = disk.read(entry.path) if data is None else data
    if entry.path.endswith(".jsonl"):
        return replaced(held, {entry.id: b""})
    kept = [line for line in held.splitlines(keepends=True) if not is_line_of(line, entry)]
    return b"".join(kept)
