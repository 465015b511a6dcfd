"""Storing which file imports which: updated when a file changes, and when a file that others import comes or goes."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Set

from ctxe.repo.indexing.database import meta, transaction
from ctxe.repo.indexing.imports import resolve
from ctxe.repo.indexing.path_lookup import PathLookup
from ctxe.repo.indexing.scan import HOLLOW

_WORD = re.compile(r"[\w-]+")
MOST_ATTEMPTS = 20
_ROOTS = {"lib": ("crate", "super", "self"), "main": ("crate", "super", "self")}
"""Stems of files at the root of a Rust crate, and the words by which imports refer to that root."""


def link(db: sqlite3.Connection, again: Iterable[int] = ()) -> None:
    """Resolve the imports of files that were scanned or lost a target since, and of the files ``again`` (ids).

    Repeated when another session writes in the meantime; after 20 attempts it is left to the next update.
    """
    again = set(again)
    for _ in range(MOST_ATTEMPTS):
        generation = meta(db, "generation")
        wanted = {number for (number,) in db.execute("SELECT importer FROM unlinked")} | again
        if not wanted:
            return
        edges = _edges(db, wanted)
        with transaction(db):
            if meta(db, "generation") == generation:
                db.executemany("DELETE FROM imports WHERE importer=?", ((number,) for number in wanted))
                db.executemany("DELETE FROM unlinked WHERE importer=?", ((number,) for number in wanted))
                db.executemany("INSERT OR IGNORE INTO imports VALUES (?,?)", edges)
                return


def _edges(db: sqlite3.Connection, wanted: Set[int]) -> list[tuple[int, int]]:
    """(importer, imported file) for the ``wanted`` importers; all are ids."""
    files = {
        file_id: (os.fsdecode(path), language)
        for file_id, path, language in db.execute("SELECT id,path,language FROM files")
    }
    paths = {path: number for number, (path, _) in files.items()}
    tree = PathLookup(paths)
    edges: list[tuple[int, int]] = []
    for number, imports in _imports(db, wanted & files.keys()):
        path, language = files[number]
        for spec in imports:
            edges.extend((number, paths[target]) for target in resolve(language, path, spec, tree))
    return edges


def importers_of(db: sqlite3.Connection, changed_paths: Iterable[str]) -> set[int]:
    """Ids of files with an import that may mean one of the ``changed_paths``, which are new or gone."""
    words = {word for path in changed_paths for word in _names(path)}
    if not words:
        return set()
    rows = db.execute("SELECT id, imports FROM details WHERE imports<>''")
    return {number for number, imports in rows if not words.isdisjoint(_WORD.findall(imports))}


def _names(path: str) -> Iterator[str]:
    """The words by which an import may refer to a file: its stem, or the folder that it stands for."""
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
