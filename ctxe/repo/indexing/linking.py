"""Imports between files: resolved when a file changes, and again when one comes or goes that others may mean."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator

from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.imports import resolve
from ctxe.repo.indexing.scan import HOLLOW
from ctxe.repo.indexing.tree import Tree

_WORD = re.compile(r"[\w-]+")
_ROOTS = {"lib": ("crate", "super", "self"), "main": ("crate", "super", "self")}
"""Files that say where a crate begins, and the words by which imports count from there."""


def link(db: sqlite3.Connection, again: Iterable[int] = ()) -> None:
    """Resolve the imports of files that were scanned or lost a target since, and those of ``again`` (ids)."""
    wanted = {number for (number,) in db.execute("SELECT importer FROM unlinked")}.union(again)
    if not wanted:
        return
    paths = {os.fsdecode(path): number for path, number in db.execute("SELECT path, id FROM files")}
    languages = dict(db.execute("SELECT id, language FROM files"))
    name = {number: path for path, number in paths.items()}
    tree = Tree(paths)
    edges: list[tuple[int, int]] = []
    for number, imports in _imports(db, wanted & name.keys()):
        for spec in imports:
            edges.extend((number, paths[target]) for target in resolve(languages[number], name[number], spec, tree))
    with transaction(db):
        db.executemany("DELETE FROM imports WHERE importer=?", ((number,) for number in wanted))
        db.executemany("DELETE FROM unlinked WHERE importer=?", ((number,) for number in wanted))
        db.executemany("INSERT OR IGNORE INTO imports VALUES (?,?)", edges)


def speaking_of(db: sqlite3.Connection, moved: Iterable[str]) -> set[int]:
    """Files with an import that may mean one of these paths, which are new or gone."""
    words = {word for path in moved for word in _names(path)}
    if not words:
        return set()
    written = db.execute("SELECT id, imports FROM details WHERE imports<>''")
    return {number for number, imports in written if not words.isdisjoint(_WORD.findall(imports))}


def _names(path: str) -> Iterator[str]:
    """What an import may call a file: its name, or the folder that it stands for, as crates spell that too."""
    *folders, name = path.split("/")
    stem = name.partition(".")[0]
    yield stem
    yield from _ROOTS.get(stem, ())
    if stem in HOLLOW or path.endswith(".go"):
        for folder in [folder for folder in folders if folder != "src"][-1:]:
            yield from (folder, folder.replace("-", "_"))


def _imports(db: sqlite3.Connection, ids: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
    query = "SELECT id, imports FROM details WHERE imports<>'' AND id IN (SELECT value FROM json_each(?))"
    for number, imports in db.execute(query, (json.dumps(list(ids)),)):
        yield number, imports.split("\0")
