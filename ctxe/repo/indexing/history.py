"""What git remembers: which words past commits used, which files they changed, and when; read commit by commit."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ctxe.lexical.words import counts
from ctxe.repo.git import Git, stream
from ctxe.repo.indexing.database import transaction

MOST_COMMITS = 10_000
MOST_FILES = 40
"""Files above which a commit is a sweep (formatting, renames) that says nothing about what belongs together."""
MOST_SEGMENTS = 24
_TRAILER = re.compile(
    r"^\s*(?:signed-off-by|co-authored-by|co-developed-by|reviewed-by|acked-by|tested-by|reported-by|change-id|git-svn-id|cc)\s*:.*$",
    re.IGNORECASE | re.MULTILINE,
)
TITLE = "\x01"
"""Mark in front of a term of a commit's first line."""


@dataclass(slots=True)
class History:
    """Past commits, oldest first; ``when`` is in seconds since 1970.

    The files of commit ``n`` are ``touched[starts[n]:starts[n + 1]]``, numbers in ``paths``.
    """

    head: str = ""
    paths: list[str] = field(default_factory=list)
    when: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("I", [0]))
    touched: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.when)

    def files(self, commit: int) -> array[int]:
        """The numbers of the paths that a commit changed."""
        return self.touched[self.starts[commit] : self.starts[commit + 1]]


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as git tells it."""

    when: int
    message: str
    paths: tuple[str, ...]


def read_commits(git: Git, since: str = "") -> Iterator[Commit]:
    """Commits reachable from HEAD but not from ``since``, newest first, at most 10,000, merges left out."""
    span = f"{since}..HEAD" if since else "HEAD"
    form = "--format=%x02%H%x00%ct%x00%B%x00%x03"
    process = git.start("log", "-z", f"-{MOST_COMMITS}", "--no-merges", "--no-renames", form, "--name-only", span, "--")
    for record in stream(process, b"\x02"):
        head, mark, names = record.partition(b"\x03")
        pieces = head.split(b"\0")
        if not mark or len(pieces) < 3 or not pieces[1].isdigit():
            continue
        paths = tuple(os.fsdecode(name) for name in names.lstrip(b"\0\n").split(b"\0") if name.strip(b"\n"))
        yield Commit(int(pieces[1]), pieces[2].decode("utf-8", "replace"), paths)


def load(db: sqlite3.Connection) -> History:
    """The history as it was last kept; empty when nothing is."""
    rows = dict(db.execute("SELECT key, value FROM history"))
    if "head" not in rows:
        return History()
    found = History(str(rows["head"]))
    found.paths = [os.fsdecode(path) for path in rows["paths"].split(b"\0")] if rows["paths"] else []
    found.starts = array("I")
    for values, key in ((found.when, "when"), (found.starts, "starts"), (found.touched, "touched")):
        values.frombytes(rows[key])
    return found


def messages(db: sqlite3.Connection, terms: Iterable[str]) -> dict[str, array[int]]:
    """For every term that a message used: (commit << 8 | times)."""
    found: dict[str, array[int]] = {}
    query = "SELECT term, commits FROM messages WHERE term IN (SELECT value FROM json_each(?)) ORDER BY segment"
    for term, commits in db.execute(query, (json.dumps(list(dict.fromkeys(terms))),)):
        found.setdefault(term, array("I")).frombytes(commits)
    return found


def refresh(db: sqlite3.Connection, git: Git) -> History:
    """The history up to HEAD, with what is new added to the database; a rewritten past is read anew."""
    known = load(db)
    head = head_of(git)
    if not head or head == known.head:
        return known
    since = known.head if known.head and git.output("merge-base", "--is-ancestor", known.head, head) is not None else ""
    fresh = list(read_commits(git, since))
    if since and len(known) + len(fresh) > 2 * MOST_COMMITS:
        since, fresh = "", list(read_commits(git))
    fresh.reverse()
    with transaction(db):
        now = load(db)
        if now.head != known.head:
            return now  # another session was quicker
        base = known if since else History()
        if not since:
            db.execute("DELETE FROM messages")
        _add_messages(db, len(base), fresh)
        _extend(base, fresh, head)
        _keep(db, base)
    return base


def head_of(git: Git) -> str:
    """The commit that HEAD is at; empty when there is none."""
    out = git.output("rev-parse", "--verify", "-q", "HEAD")
    return out.decode("ascii", "replace").strip() if out else ""


def _extend(base: History, fresh: Iterable[Commit], head: str) -> None:
    number = {path: place for place, path in enumerate(base.paths)}
    for commit in fresh:
        paths = commit.paths if len(commit.paths) <= MOST_FILES else ()
        for path in paths:
            if path not in number:
                number[path] = len(number)
                base.paths.append(path)
            base.touched.append(number[path])
        base.starts.append(len(base.touched))
        base.when.append(commit.when)
    base.head = head


def _keep(db: sqlite3.Connection, found: History) -> None:
    rows = {
        "head": found.head, "paths": b"\0".join(map(os.fsencode, found.paths)), "when": found.when.tobytes(),
        "starts": found.starts.tobytes(), "touched": found.touched.tobytes(),
    }  # fmt: skip
    db.executemany("INSERT OR REPLACE INTO history VALUES (?,?)", rows.items())


def _add_messages(db: sqlite3.Connection, first: int, fresh: list[Commit]) -> None:
    """Write which commits (numbered from ``first``) used which words, as one segment."""
    found: dict[str, array[int]] = {}
    for number, commit in enumerate(fresh, first):
        if len(commit.paths) > MOST_FILES:
            continue
        title, _, body = _TRAILER.sub("", commit.message[:8000]).strip().partition("\n")
        named = {TITLE + term: times for term, times in counts(title).items()}
        for term, times in {**named, **counts(body[:3000])}.items():
            found.setdefault(term, array("I")).append(number << 8 | min(times, 255))
    segment = (db.execute("SELECT max(segment) FROM messages").fetchone()[0] or 0) + 1
    db.executemany(
        "INSERT INTO messages VALUES (?,?,?)", ((term, segment, found[term].tobytes()) for term in sorted(found))
    )
    if segment > MOST_SEGMENTS:
        _merge(db)


def _merge(db: sqlite3.Connection) -> None:
    """Join all segments of the messages into one."""
    found: dict[str, bytearray] = {}
    for term, commits in db.execute("SELECT term, commits FROM messages ORDER BY term, segment"):
        found.setdefault(term, bytearray()).extend(commits)
    db.execute("DELETE FROM messages")
    db.executemany("INSERT INTO messages VALUES (?,1,?)", found.items())
