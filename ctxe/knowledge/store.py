"""The memory folder: everything the project remembers, found, added, changed, retired and taken back as plain files."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.knowledge import links, names
from ctxe.knowledge.daily import day_of
from ctxe.knowledge.entry import Entry, read_entry, stamp, update_entry, write_entry
from ctxe.knowledge.journal import Journal, Outside, Written, paths_of
from ctxe.knowledge.logs import write_log
from ctxe.knowledge.shelf import Reader, Shelf, content_of
from ctxe.storage import files
from ctxe.storage.locks import lock

IGNORE_ALL = b"*\n"
IGNORE_PRIVATE = b"sessions/\ncache/\ndamaged/\n"
MERGE_BY_LINE = b"daily/*.md merge=union\nmemory/log/*.jsonl merge=union\n"
LOCK_SECONDS = 60.0
MASKED = ("title", "text", "command", "error", "tried", "outcome", "fix")
MANY = 8
"""From so many files on a write is made durable in one pass."""

Check = Callable[[Entry], None]


def no_check(_entry: Entry) -> None:
    """Nothing is refused."""


def as_it_is(text: str) -> str:
    """Nothing is masked."""
    return text


@dataclass(frozen=True)
class Store:
    """One memory folder. ``now`` gives unix seconds, ``token`` random hex of so many bytes.

    ``check`` raises StoreError for an entry that must not be kept (a secret in it); ``mask`` takes secrets out of text
    that comes in bulk or from a machine. Every writing method returns only
    when the disk has it, holds a lock between processes, and raises StoreError with one line when it cannot.
    """

    folder: Path
    cache: Path
    now: Callable[[], float] = time.time
    token: Callable[[int], str] = secrets.token_hex
    check: Check = no_check
    mask: Callable[[str], str] = as_it_is
    _reader: list[Reader] = field(default_factory=list, repr=False, compare=False)

    @property
    def journal(self) -> Journal:
        """What was written last, and what is known of the files."""
        return Journal(self.cache)

    def shelf(self) -> Shelf:
        """Everything as it stands now, problems included. Never raises for bad files."""
        if not self._reader:
            self._reader.append(Reader(self.folder, self.cache))
        shelf = self._reader[0].shelf()
        if shelf.strays:
            with contextlib.suppress(StoreError):
                self._clean(shelf.strays)
        return shelf

    def entries(self) -> tuple[Entry, ...]:
        """Every entry in causal order, retired and proposed ones included."""
        return self.shelf().entries

    def get(self, ref: str) -> Entry:
        """The entry a person means: an id, the start of one, its number, its path. Raises StoreError."""
        found = names.matching(self.entries(), ref)
        if len(found) == 1:
            return found[0]
        if not found:
            raise StoreError(f"no entry {ref}", "`ctxe memory show` lists them")
        shown = ", ".join(f"{entry.id} ({entry.path})" for entry in found[:5])
        raise StoreError(f"{ref} could be {len(found)} entries: {shown}", "write more of the id, or the path")

    def add(self, draft: Entry, says: str = "") -> Entry:
        """Keep a new entry; its id, creation time and path are made here unless it brings an id of its own."""
        self.check(draft)
        with self._locked():
            entry = self._placed(draft)
            changes: dict[str, bytes | None] = {entry.path: write_entry(entry)}
            for old in self._retired_by(entry):
                changes[old.path] = self._updated(old, replace(old, status="superseded"))
            self._write(says or f"add {entry.kind} {entry.id}", changes)
        return read_entry(changes[entry.path] or b"", entry.path)

    def masked(self, entry: Entry) -> Entry:
        """The entry without secrets in its words."""
        words: dict[str, Any] = {key: self.mask(text) for key in MASKED if (text := getattr(entry, key))}
        return replace(entry, **words)

    def change(self, ref: str, **values: Any) -> Entry:
        """Set fields of an entry; only the lines of what differs are rewritten."""
        with self._locked():
            old = self.get(ref)
            new = replace(old, **values)
            self.check(new)
            if old.path.endswith(".jsonl"):
                self._write(f"change {old.id}", {old.path: self._log_with(old, new)})
                return new
            data = self._updated(old, new)
            self._write(f"change {old.kind} {old.id}", {old.path: data})
        return read_entry(data, old.path)

    def move(self, ref: str, **values: Any) -> Entry:
        """Take a proposal (or any entry) to where its kind lives, with fields set: how one is accepted."""
        with self._locked():
            old = self.get(ref)
            new = replace(old, **values)
            self.check(new)
            path = names.path_of(new, new.id)
            data = self._updated(old, new)
            changes = {path: data} if path == old.path else {path: data, old.path: None}
            for retired in self._retired_by(new):
                changes[retired.path] = self._updated(retired, replace(retired, status="superseded"))
            self._write(f"accept {new.kind} {new.id}", changes)
        return read_entry(data, path)

    def forget(self, *refs: str) -> tuple[Entry, ...]:
        """Remove entries; what they had superseded holds again."""
        with self._locked():
            gone = tuple(self.get(ref) for ref in dict.fromkeys(refs))
            changes: dict[str, bytes | None] = {}
            for entry in gone:
                in_log = entry.path.endswith(".jsonl") or entry.path.startswith("daily/")
                changes[entry.path] = self._without(entry, changes.get(entry.path)) if in_log else None
            left = [entry for entry in self.entries() if entry not in gone]
            still = links.successors(left)
            for old in left:
                freed = any(old.id in entry.supersedes for entry in gone) and old.id not in still
                if freed and old.status == "superseded" and old.path.endswith(".md"):
                    changes[old.path] = self._updated(old, replace(old, status="current"))
            self._write("forget " + ", ".join(entry.id for entry in gone), changes)
        return gone

    def supersede(self, ref: str, draft: Entry) -> Entry:
        """Keep a new entry in place of an old one, which stays readable and is never shown as current again."""
        old = self.get(ref)
        return self.add(replace(draft, supersedes=(*draft.supersedes, old.id)), f"supersede {old.id}")

    def log(self, line: str) -> Path:
        """Append a line to the log of the day."""
        path = self.folder / "daily" / f"{day_of(self.now())}.md"
        with self._locked():
            self._inside(path)
            files.append(path, " ".join(line.splitlines()))
            known = self.journal.known()
            if known is not None:
                relative = path.relative_to(self.folder).as_posix()
                self.journal.know({**known, relative: content_of(path)})
        return path

    def undo(self) -> str:
        """Take the last write back and say what it was. Raises StoreError when its files changed since."""
        with self._locked():
            last = self.journal.newest()
            for path in last.before:
                self._inside(self.folder / path)
            for path, content in last.after.items():
                if content_of(self.folder / path) != content:
                    raise StoreError(f"{path} was changed since", "nothing was taken back")
            self._put(last.before)
            self.journal.forget_newest()
            known = self.journal.known()
            if known is not None:
                self.journal.know({**known, **{path: content_of(self.folder / path) for path in last.before}})
        return last.says

    def outside(self) -> tuple[Outside, ...]:
        """Files that something other than ctxe changed since the last look."""
        return self.journal.outside(self._digests())

    def seen(self) -> str:
        """Tell what changed outside in one line (empty for nothing) and take the present state as known."""
        digests = self._digests()
        changes = self.journal.outside(digests)
        self.journal.know(digests)
        return f"memory changed outside ctxe since the last session: {paths_of(changes)}" if changes else ""

    def _clean(self, strays: Sequence[str]) -> None:
        """Whoever holds the lock is the only writer: every temporary file was left by one that died."""
        with lock(self._lock, 0.0):
            for path in strays:
                self._inside(self.folder / path)
                files.remove(self.folder / path)

    def prepare(self) -> None:
        """Make the folder, hidden from git until ``share`` is called."""
        fresh = not (self.folder / ".gitignore").exists()
        files.make_folder(self.folder)
        if fresh:
            files.replace(self.folder / ".gitignore", IGNORE_ALL)
        if not (self.folder / ".gitattributes").exists():
            files.replace(self.folder / ".gitattributes", MERGE_BY_LINE)

    def share(self) -> None:
        """Let git see the memory, all but sessions and cache: what ``ctxe init`` does. A file of one's own stays."""
        self.prepare()
        ignore = self.folder / ".gitignore"
        if files.read(ignore) == IGNORE_ALL:
            files.replace(ignore, IGNORE_PRIVATE)

    def write(self, says: str, changes: Callable[[], Mapping[str, bytes | None]]) -> None:
        """Replace or remove (None) files of the folder in one undoable write.

        ``changes`` says which, by path relative to the folder, and is asked while the lock is held.
        """
        with self._locked():
            self._write(says, changes())

    def _locked(self) -> Any:
        if self.folder.is_symlink():
            raise StoreError(f"{self.folder} is a symbolic link", "make it a folder of its own")
        self.prepare()
        return lock(self._lock, LOCK_SECONDS)

    @property
    def _lock(self) -> Path:
        return self.folder / "cache" / "store"

    def _inside(self, path: Path) -> None:
        """Nothing is written through a link that leads out of the folder."""
        home = self.folder.resolve()
        if path.is_symlink() or not path.parent.resolve().is_relative_to(home) or ".." in path.parts:
            raise StoreError(f"{path} leads out of the memory folder", "remove the symbolic link")
        if path.is_dir():
            raise StoreError(f"{path} is a folder where a file should be", "move it away")

    def _placed(self, draft: Entry) -> Entry:
        created = draft.created or stamp(self.now())
        held = names.held(self.folder)
        held = replace(held, highest=self.journal.highest(held.highest))
        name = draft.id or names.new_id(replace(draft, created=created), held, self.token)
        entry = replace(draft, id=name, created=created)
        if entry.number > held.highest:
            self.journal.gave(entry.number)
        return replace(entry, path=names.path_of(entry, name))

    def _retired_by(self, entry: Entry) -> list[Entry]:
        if entry.status == "proposed" or not entry.supersedes:
            return []
        mine = [old for old in self.entries() if old.id in entry.supersedes and old.path.endswith(".md")]
        return [old for old in mine if old.status in ("current", "stale", "open") and old.id != entry.id]

    def _updated(self, old: Entry, new: Entry) -> bytes:
        path = self.folder / old.path
        self._inside(path)
        data = files.read(path, files.MOST_BYTES)
        if old.problems:
            self._keep_aside(old.path, data)
        return update_entry(data, old, new)

    def _keep_aside(self, path: str, data: bytes) -> None:
        """A damaged file is kept as it was before anything in it is rewritten."""
        name = re.sub(r"[^\w.-]", "-", path)
        aside = self.folder / "damaged" / f"{name}.{names.hashed(data)}"
        if not aside.exists():
            files.replace(aside, data)

    def _log_with(self, old: Entry, new: Entry | None, data: bytes | None = None) -> bytes:
        from ctxe.knowledge.logs import replaced

        held = files.read(self.folder / old.path, files.MOST_BYTES) if data is None else data
        return replaced(held, {old.id: write_log([new]) if new else b""})

    def _without(self, entry: Entry, data: bytes | None) -> bytes:
        if entry.path.endswith(".jsonl"):
            return self._log_with(entry, None, data)
        held = files.read(self.folder / entry.path, files.MOST_BYTES) if data is None else data
        kept = [line for line in held.splitlines(keepends=True) if not names.is_line_of(line, entry)]
        return b"".join(kept)

    def _write(self, says: str, changes: Mapping[str, bytes | None]) -> None:
        before: dict[str, bytes | None] = {}
        for path in changes:
            full = self.folder / path
            self._inside(full)
            before[path] = files.read(full, files.MOST_BYTES) if full.exists() else None
        self._put(changes)
        after = {path: None if data is None else names.content(data) for path, data in changes.items()}
        self.journal.note(Written(says, self.now(), before, after))

    def _put(self, changes: Mapping[str, bytes | None]) -> None:
        """New content first, removals last: a crash between them leaves a duplicate and loses nothing."""
        new = {self.folder / path: data for path, data in changes.items() if data is not None}
        if len(new) >= MANY:
            files.replace_many(new)
        else:
            for full, content in new.items():
                files.replace(full, content)
        for path, data in changes.items():
            if data is None:
                files.remove(self.folder / path)

    def _digests(self) -> dict[str, str]:
        digests = dict(self.shelf().digests)
        for name in ("MEMORY.md", "../MEMORY.md"):
            content = content_of(self.folder / name)
            if content:
                digests[name] = content
        return digests
