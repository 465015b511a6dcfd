"""A repository may bring a memory folder of its own: links in it give no way to write files of the user."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import ctxe, environment, git, own_cache, repository

FILES = {"parser.py": "def parse(text):\n    return text.split()\n"}
DATABASES = ("index.db", "counts.db", "counters.db", "recall.db")
FOLDERS = (
    "", "cache", "sessions", "cache/sessions", "OWN", "OWN/restore", "OWN/restore/points", "OWN/restore/blobs",
    "OWN/restore/trees", "OWN/servers", "memory", "daily",
)  # fmt: skip
"""OWN is the part of the cache that is believed, should a repository ever know its name."""


def database(path: Path) -> None:
    """A database of another program, with what it holds."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (name TEXT)")
        db.execute("INSERT INTO bookmarks VALUES ('precious')")
    db.close()


def linked_database(cache: Path, outside: Path) -> None:
    """Each database of the cache is a link to one of the user's."""
    cache.mkdir(parents=True)
    for name in DATABASES:
        database(outside / name)
        (cache / name).symlink_to(outside / name)


def linked_neighbours(cache: Path, outside: Path) -> None:
    """What SQLite writes beside a database, and locks, are links to texts of the user's."""
    cache.mkdir(parents=True)
    (outside / "store.lock").write_bytes(b"precious\n" * 2_000)
    (cache.parent / "store.lock").symlink_to(outside / "store.lock")
    for name in (f"{one}{end}" for one in DATABASES for end in ("-wal", "-shm", "-journal")):
        (outside / name).write_bytes(b"precious\n" * 2_000)
        (cache / name).symlink_to(outside / name)


def linked_folder(name: str) -> Callable[[Path, Path], None]:
    """A folder that ctxe writes is a link to one of the user's, in which files have names like ctxe's."""

    def linked(cache: Path, outside: Path) -> None:
        memory = cache.parents[1]
        place = memory / name.replace("OWN", str(cache.relative_to(memory)))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(outside)
        database(outside / "index.db")
        (outside / "ab").mkdir()
        (outside / ".draft.0a0b0c0d.tmp").write_text("precious")
        os.utime(outside / ".draft.0a0b0c0d.tmp", (1, 1))
        for number in range(100):
            (outside / f"{number:06d}.json").write_text("{}")
            (outside / "ab" / f"{number:038x}").write_text("precious")

    return linked


SCENES = {"databases": linked_database, "their neighbours": linked_neighbours} | {
    f".ctxe/{name}": linked_folder(name) for name in FOLDERS
}


def held(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("scene", SCENES)
def test_links_in_the_memory_folder_let_no_command_write_or_remove_outside_it(
    home: Path, tmp_path: Path, scene: str
) -> None:
    repo, outside = repository(tmp_path / "repo", FILES), tmp_path / "outside"
    outside.mkdir()
    SCENES[scene](own_cache(repo, environment(home)), outside)
    git(repo, "add", "-Af", ".ctxe")
    git(repo, "commit", "-qm", "A gift")
    before = held(outside)
    env = environment(home)
    for words in (("plan", "fix the parser"), ("memory", "add", "Parse twice"), ("-p", "what is the parser?")):
        done = ctxe(repo, env, *words)
        assert (done.code in (0, 7), "a bug in ctxe" in done.err) == (True, False), done.err
        assert held(outside) == before, words
    assert ctxe(repo, env, "plan", "fix the parser").code == 0
