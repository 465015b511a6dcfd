"""The memory store: finds, adds, changes, supersedes, forgets and restores entries, all of them plain files."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries import links, names
from ctxe.knowledge.entries.daily import day_of
from ctxe.knowledge.entries.entry import Entry, read_entry, stamp, write_entry
from ctxe.knowledge.entries.folder import Changes, Folder
from ctxe.knowledge.entries.journal import Journal
from ctxe.knowledge.entries.rewriting import updated, without
from ctxe.knowledge.entries.snapshot import FolderReader, FolderSnapshot

MASKED = ("title", "text", "command", "error", "tried", "outcome", "fix", "call", "by", "session")
LISTED = ("scope", "files", "evidence")
"""Entry fields in which secrets are masked: single strings, and lists of strings."""
Check = Callable[[Entry], None]


def no_check(_entry: Entry) -> None:
    """Accept every entry."""


def as_it_is(text: str) -> str:
    """Mask nothing."""
    return text


def _token(size: int) -> str:
    """``size`` random bytes in hex. ``secrets.token_hex`` does the same, but importing it costs four times as much."""
    return os.urandom(size).hex()


@dataclass(frozen=True)
class Store:
    """One memory folder. ``now`` returns unix seconds, ``token`` the given number of random bytes in hex.

    ``check`` raises StoreError for an entry that must not be kept, such as one with a secret; ``mask`` removes secrets
    from text that is imported or machine-made. Every method that writes holds a lock between processes and returns only
    after the data is on disk. It raises StoreError if that fails.
    """

    folder: Path
    cache: Path
    now: Callable[[], float] = time.time
    token: Callable[[int], str] = _token
    check: Check = no_check
    mask: Callable[[str], str] = as_it_is
    _reader: list[FolderReader] = field(default_factory=list, repr=False, compare=False)

    @property
    def disk(self) -> Folder:
        """The folder's files, with locks and undo."""
        return Folder(self.folder, Journal(self.cache), self.now)

    def snapshot(self) -> FolderSnapshot:
        """The folder's current state, problems included. Never raises for bad files."""
        if not self._reader:
            self._reader.append(FolderReader(self.folder, self.cache))
        snapshot = self._reader[0].snapshot()
        if snapshot.strays:
            with contextlib.suppress(StoreError):
                self.disk.clean(snapshot.strays)
        return snapshot

    def entries(self) -> tuple[Entry, ...]:
        """Every entry in causal order, retired and proposed ones included."""
        return self.snapshot().entries

    def get(self, ref: str) -> Entry:
        """The entry that ``ref`` names by id, start of an id, number or path.

        Raises StoreError unless there is just one.
        """
        found = names.matching(self.entries(), ref)
        if len(found) == 1:
            return found[0]
        if not found:
            raise StoreError(f"no entry {ref}", "`ctxe memory show` lists them")
        shown = ", ".join(f"{entry.id} ({entry.path})" for entry in found[:5])
        raise StoreError(f"{ref} could be {len(found)} entries: {shown}", "write more of the id, or the path")

    def add(self, draft: Entry, says: str = "") -> Entry:
        """Keep a new entry and supersede those it names. Sets id and creation time unless the draft has them."""
        self.check(draft)
        with self.disk.locked():
            entry = self._with_id_and_path(draft)
            changes: dict[str, bytes | None] = {entry.path: write_entry(entry)}
            for old in self._superseded_by(entry):
                changes[old.path] = updated(self.disk, old, replace(old, status="superseded"))
            self.disk.write(says or f"add {entry.kind} {entry.id}", changes)
        return read_entry(changes[entry.path] or b"", entry.path)

    def masked(self, entry: Entry) -> Entry:
        """The entry with the secrets in its text removed."""
        words: dict[str, Any] = {key: self.mask(text) for key in MASKED if (text := getattr(entry, key))}
        lists: dict[str, Any] = {key: tuple(map(self.mask, items)) for key in LISTED if (items := getattr(entry, key))}
        return replace(entry, **words, **lists)

    def change(self, ref: str, **values: Any) -> Entry:
        """Set fields of an entry; only the lines of fields that differ are rewritten."""
        with self.disk.locked():
            old = self.get(ref)
            new = replace(old, **values)
            self.check(new)
            data = updated(self.disk, old, new)
            self.disk.write(f"change {old.kind} {old.id}", {old.path: data})
        return new if old.path.endswith(".jsonl") else read_entry(data, old.path)

    def move(self, ref: str, **values: Any) -> Entry:
        """Accept a proposal, or move any entry: set its fields and write it to the folder of its kind."""
        with self.disk.locked():
            old = self.get(ref)
            new = replace(old, **values)
            self.check(new)
            path = names.path_of(new, new.id)
            data = updated(self.disk, old, new)
            changes = {path: data} if path == old.path else {path: data, old.path: None}
            for retired in self._superseded_by(new):
                changes[retired.path] = updated(self.disk, retired, replace(retired, status="superseded"))
            self.disk.write(f"accept {new.kind} {new.id}", changes)
        return read_entry(data, path)

    def merge(self, ref: str, into: str, **values: Any) -> Entry:
        """Merge ``ref`` into ``into``, whose fields are set; ``ref`` is superseded, or removed if it was a proposal."""
        with self.disk.locked():
            one, old = self.get(ref), self.get(into)
            if one.id == old.id:
                raise StoreError(f"{one.id} cannot be part of itself", "name two entries")
            new = replace(old, **values)
            self.check(new)
            data = updated(self.disk, old, new)
            changes: dict[str, bytes | None] = {old.path: data}
            superseded = replace(one, status="superseded")
            data_so_far = changes.get(one.path)  # both may be lines of one log
            changes[one.path] = None if one.status == "proposed" else updated(self.disk, one, superseded, data_so_far)
            self.disk.write(f"merge {one.id} into {old.id}", changes)
        return new if old.path.endswith(".jsonl") else read_entry(data, old.path)

    def forget(self, *refs: str) -> tuple[Entry, ...]:
        """Remove entries; those that only they superseded are current again."""
        with self.disk.locked():
            gone = tuple(self.get(ref) for ref in dict.fromkeys(refs))
            changes: dict[str, bytes | None] = {}
            for entry in gone:
                in_log = entry.path.endswith(".jsonl") or entry.path.startswith("daily/")
                changes[entry.path] = without(self.disk, entry, changes.get(entry.path)) if in_log else None
            freed_ids = {old for entry in gone if entry.status != "proposed" for old in entry.supersedes}
            remaining = [entry for entry in self.entries() if entry not in gone]
            replaced = links.successors(remaining)
            for old in remaining:
                freed = old.id in freed_ids and old.id not in replaced
                if freed and old.status == "superseded" and old.path.endswith(".md"):
                    changes[old.path] = updated(self.disk, old, replace(old, status="current"))
            self.disk.write("forget " + ", ".join(entry.id for entry in gone), changes)
        return gone

    def supersede(self, ref: str, draft: Entry) -> Entry:
        """Keep a new entry in place of an old one, which stays readable but is no longer current."""
        old = self.get(ref)
        return self.add(replace(draft, supersedes=(*draft.supersedes, old.id)), f"supersede {old.id}")

    def log(self, line: str) -> Path:
        """Append a line to the daily log and return its path."""
        with self.disk.locked():
            return self.disk.append(f"daily/{day_of(self.now())}.md", " ".join(line.splitlines()))

    def undo(self) -> str:
        """Revert the last write and return its description. Raises StoreError if its files changed since."""
        with self.disk.locked():
            return self.disk.undo()

    def prepare(self) -> None:
        """Create the folder, hidden from git until ``share`` is called."""
        self.disk.prepare()

    def share(self) -> None:
        """Let git see the memory except sessions and cache (``ctxe init``). An edited ``.gitignore`` is left alone."""
        self.disk.share()

    def write(self, says: str, changes: Callable[[], Changes]) -> None:
        """Replace or remove (None) files of the folder in one undoable write.

        ``changes`` returns bytes by path relative to the folder; it is called while the lock is held.
        """
        with self.disk.locked():
            self.disk.write(says, changes())

    def _with_id_and_path(self, draft: Entry) -> Entry:
        """The draft with its id, creation time and path; a new number is recorded as given."""
        created = draft.created or stamp(self.now())
        used = names.used_names(self.folder)
        used = replace(used, highest=self.disk.journal.highest(used.highest))
        name = draft.id or names.new_id(replace(draft, created=created), used, self.token)
        entry = replace(draft, id=name, created=created)
        if entry.number > used.highest:
            self.disk.journal.gave(entry.number)
        return replace(entry, path=names.path_of(entry, name))

    def _superseded_by(self, entry: Entry) -> list[Entry]:
        if entry.status == "proposed" or not entry.supersedes:
            return []
        named = [old for old in self.entries() if old.id in entry.supersedes and old.path.endswith(".md")]
        return [old for old in named if old.status in ("current", "stale", "open") and old.id != entry.id]
