"""The history of the code base: which words past commits used, which files they changed, and when."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.lexical.words import term_counts
from ctxe.repo.git import Git
from ctxe.repo.indexing.commits import MOST_COMMITS, Commit, edge_of, read_commits, short
from ctxe.repo.indexing.database import transaction

MOST_FILES = 40
"""Files above which a commit is ignored: formatting or renames say nothing about what belongs together."""
MOST_SEGMENTS = 24
MOST_LOST = 1_000
"""Commits that a rewritten past may have lost; when it lost more, the whole past is read anew."""
_TRAILER = pattern(
    r"^\s*(?:signed-off-by|co-authored-by|co-developed-by|reviewed-by|acked-by|tested-by|reported-by|change-id|git-svn-id|cc)\s*:.*$",
    re.IGNORECASE | re.MULTILINE,
)
TITLE = "\x01"
"""Prefix of a term in a commit's first line."""


@dataclass(slots=True)
class History:
    """Past commits, oldest first; ``when`` in seconds since 1970; ``edge`` see ``edge_of``.

    The files of commit ``n`` are ``touched[starts[n]:starts[n + 1]]``, which are indexes into ``paths``.
    """

    head: str = ""
    edge: str = ""
    paths: list[str] = field(default_factory=list)
    when: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("I", [0]))
    touched: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.when)

    def files(self, commit: int) -> array[int]:
        """The paths that a commit changed, as indexes into ``paths``."""
        return self.touched[self.starts[commit] : self.starts[commit + 1]]


def load(db: sqlite3.Connection) -> History:
    """The history as it was last stored; empty when none was."""
    rows = dict(db.execute("SELECT key, value FROM history WHERE key!='names'"))
    if "head" not in rows:
        return History()
    stored = History(str(rows["head"]), str(rows.get("edge", "")))
    stored.paths = [os.fsdecode(path) for path in rows["paths"].split(b"\0")] if rows["paths"] else []
    stored.starts = array("I")
    for values, key in ((stored.when, "when"), (stored.starts, "starts"), (stored.touched, "touched")):
        values.frombytes(rows[key])
    return stored


def head_in(db: sqlite3.Connection) -> str:
    """The commit up to which history is stored; empty when no history is stored."""
    row = db.execute("SELECT value FROM history WHERE key='head'").fetchone()
    return str(row[0]) if row else ""


def messages(db: sqlite3.Connection, terms: Iterable[str]) -> dict[str, array[int]]:
    """For every term that occurs in commit messages: (commit << 8 | times), oldest first."""
    commits_by_term: dict[str, array[int]] = {}
    query = "SELECT term, commits FROM messages WHERE term IN (SELECT value FROM json_each(?)) ORDER BY segment"
    for term, commits in db.execute(query, (json.dumps(list(dict.fromkeys(terms))),)):
        commits_by_term.setdefault(term, array("I")).frombytes(commits)
    return commits_by_term


def numbered(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, list[int]]:
    """For each abbreviated commit hash (seven digits or more): the numbers of the commits it may stand for."""
    wanted = list(names)
    order = sorted((hash_number, place) for place, hash_number in enumerate(_names(db))) if wanted else []
    matches = {}
    for name in wanted:
        first, last = (int(name[:16].ljust(16, digit), 16) for digit in "0f")
        matches[name] = [
            place for _, place in order[bisect_left(order, (first, 0)) : bisect_left(order, (last + 1, 0))]
        ]
    return matches


def refresh(db: sqlite3.Connection, git: Git) -> History:
    """Bring the stored history up to HEAD: new commits are added, commits lost by a rewritten past are removed."""
    stored, edge = load(db), edge_of(git)
    if stored.head and (stored.head, stored.edge) == (git.commit(), edge):
        return stored  # the usual case; no git is started
    head = git.head()
    if not head or (head == stored.head and edge == stored.edge):
        return stored
    kept = _still_reachable(db, git, stored, head) if edge == stored.edge else 0
    new_commits = list(read_commits(git, stored.head if kept else ""))
    if kept:
        kept, new_commits = _by_date(db, git, stored, kept, new_commits)
    if kept and kept + len(new_commits) > 2 * MOST_COMMITS:
        kept, new_commits = 0, list(read_commits(git))
    new_commits.reverse()
    with transaction(db):
        current = load(db)
        if (current.head, current.edge) != (stored.head, stored.edge):
            return current  # another session came first
        base, names = (stored, _names(db)[:kept]) if kept else (History(), array("Q"))
        _forget(db, base, kept)
        names.extend(commit.name for commit in new_commits)
        _add_messages(db, kept, new_commits)
        _extend(base, new_commits)
        base.head, base.edge = head, edge
        _keep(db, base, names)
    return base


def _still_reachable(db: sqlite3.Connection, git: Git, stored: History, head: str) -> int:
    """How many of the stored commits, from the oldest on, HEAD still reaches; 0 when they should be read anew."""
    if not stored.head:
        return 0
    lost = git.output("rev-list", "--no-merges", f"-{MOST_LOST + 1}", f"{head}..{stored.head}", "--")
    if not lost:
        return 0 if lost is None else len(stored)
    lost_names = {short(name) for name in lost.split()}
    kept = len(stored) - len(lost_names)
    return kept if kept > 0 and len(lost_names) <= MOST_LOST and set(_names(db)[kept:]) == lost_names else 0


def _by_date(
    db: sqlite3.Connection, git: Git, stored: History, kept: int, new_commits: list[Commit]
) -> tuple[int, list[Commit]]:
    """How many of the stored commits stay, and the commits to add after them, newest first.

    A merge brings commits that are older than stored ones. The stored commits that are newer are then read again with
    them, so that the order is the same as if all had been read at once. (0, all commits) when that is not possible.
    """
    oldest = min((commit.when for commit in new_commits), default=sys.maxsize)
    stay = kept
    while stay and stored.when[stay - 1] > oldest:
        stay -= 1
    if stay == kept:
        return kept, new_commits
    reread = list(read_commits(git, most=kept - stay + len(new_commits))) if stay and kept - stay <= MOST_LOST else []
    if not reread or not {commit.name for commit in reread}.isdisjoint(_names(db)[:stay]):
        return 0, list(read_commits(git))
    return stay, reread


def _forget(db: sqlite3.Connection, base: History, kept: int) -> None:
    """Remove all commits but the first ``kept``."""
    del base.when[kept:], base.starts[kept + 1 :], base.touched[base.starts[kept] :]
    if not kept:
        db.execute("DELETE FROM messages")
        return
    shorter = []
    for term, segment, commits in db.execute("SELECT term, segment, commits FROM messages"):
        if int.from_bytes(commits[-4:], sys.byteorder) >> 8 >= kept:
            remaining = array("I", [packed for packed in array("I", commits) if packed >> 8 < kept])
            shorter.append((remaining.tobytes(), term, segment))
    db.executemany("UPDATE messages SET commits=? WHERE term=? AND segment=?", shorter)
    db.execute("DELETE FROM messages WHERE commits=x''")


def _names(db: sqlite3.Connection) -> array[int]:
    """The names of the stored commits (see ``short``), oldest first; empty in an index without them."""
    row = db.execute("SELECT value FROM history WHERE key='names'").fetchone()
    return array("Q", row[0] if row else b"")


def _extend(base: History, new_commits: Iterable[Commit]) -> None:
    number = {path: place for place, path in enumerate(base.paths)}
    for commit in new_commits:
        paths = commit.paths if len(commit.paths) <= MOST_FILES else ()
        for path in paths:
            if path not in number:
                number[path] = len(number)
                base.paths.append(path)
            base.touched.append(number[path])
        base.starts.append(len(base.touched))
        base.when.append(commit.when)


def _keep(db: sqlite3.Connection, past: History, names: array[int]) -> None:
    rows = {
        "head": past.head,
        "edge": past.edge,
        "names": names.tobytes(),
        "paths": b"\0".join(map(os.fsencode, past.paths)),
        "when": past.when.tobytes(),
        "starts": past.starts.tobytes(),
        "touched": past.touched.tobytes(),
    }
    db.executemany("INSERT OR REPLACE INTO history VALUES (?,?)", rows.items())


def _add_messages(db: sqlite3.Connection, first: int, new_commits: list[Commit]) -> None:
    """Store which of these commits (numbered from ``first``) used which words, as one segment."""
    commits_by_term: dict[str, array[int]] = {}
    for number, commit in enumerate(new_commits, first):
        if len(commit.paths) > MOST_FILES:
            continue
        title, _, body = _TRAILER.sub("", commit.message[:8000]).strip().partition("\n")
        title_terms = {TITLE + term: times for term, times in term_counts(title).items()}
        for term, times in {**title_terms, **term_counts(body[:3000])}.items():
            commits_by_term.setdefault(term, array("I")).append(number << 8 | min(times, 255))
    segment = (db.execute("SELECT max(segment) FROM messages").fetchone()[0] or 0) + 1
    db.executemany(
        "INSERT INTO messages VALUES (?,?,?)",
        ((term, segment, commits_by_term[term].tobytes()) for term in sorted(commits_by_term)),
    )
    if segment > MOST_SEGMENTS:
        _merge(db)


def _merge(db: sqlite3.Connection) -> None:
    """Merge all segments of the messages into one."""
    commits_by_term: dict[str, bytearray] = {}
    for term, commits in db.execute("SELECT term, commits FROM messages ORDER BY term, segment"):
        commits_by_term.setdefault(term, bytearray()).extend(commits)
    db.execute("DELETE FROM messages")
    db.executemany("INSERT INTO messages VALUES (?,1,?)", commits_by_term.items())
