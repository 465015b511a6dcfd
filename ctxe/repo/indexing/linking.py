"""Imports between files: resolved when a file changes, and again when a file comes that somebody waited for."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence, Set

from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.imports import resolve
from ctxe.repo.indexing.tree import Tree


def link(db: sqlite3.Connection, changed: Sequence[str], new: Set[str]) -> None:
    """Resolve the imports of changed files, and those that were waiting for a file that is new."""
    paths = {os.fsdecode(path): number for path, number in db.execute("SELECT path, id FROM files")}
    languages = dict(db.execute("SELECT id, language FROM files"))
    name = {number: path for path, number in paths.items()}
    tree = Tree(paths)
    again = {paths[path] for path in changed if path in paths}
    stems = {path.rpartition("/")[2].partition(".")[0] for path in new}
    if len(again) < len(paths):
        waiting = db.execute("SELECT importer, spec FROM missing").fetchall()
        again |= {number for number, spec in waiting if not spec or not stems.isdisjoint(_words(spec))}
    edges: list[tuple[int, int]] = []
    missing: list[tuple[int, str]] = []
    wanted = [number for number in again if number in name]
    for number, imports in _imports(db, wanted):
        for spec in imports:
            targets = resolve(languages[number], name[number], spec, tree)
            edges.extend((number, paths[target]) for target in targets)
            if not targets:
                missing.append((number, spec))
    with transaction(db):
        db.executemany("DELETE FROM imports WHERE importer=?", ((number,) for number in wanted))
        db.executemany("DELETE FROM missing WHERE importer=?", ((number,) for number in wanted))
        db.executemany("INSERT OR IGNORE INTO imports VALUES (?,?)", edges)
        db.executemany("INSERT OR IGNORE INTO missing VALUES (?,?)", missing)


def _imports(db: sqlite3.Connection, ids: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
    query = "SELECT id, imports FROM details WHERE imports<>'' AND id IN (SELECT value FROM json_each(?))"
    for number, imports in db.execute(query, (json.dumps(list(ids)),)):
        yield number, imports.split("\0")


def _words(spec: str) -> Iterator[str]:
    word = ""
    for letter in spec + " ":
        if letter.isalnum() or letter in "_-":
            word += letter
        elif word:
            yield word
            word = ""
