"""An index updated through any changes of a tree equals one that is built anew."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.scan import DEFINED, PATH, STEM

PATHS = [
    f"{folder}{name}" for folder in ("", "pkg/", "tests/") for name in ("cup.py", "pot.py", "pot/__init__.py", "tin.js")
]
WORDS = ("cup", "pot", "pour", "lid")
TEXTS = (
    "",
    "import cup\n\n\ndef pour():\n    return cup.lid\n",
    "from pot import pour, lid\nfrom . import cup\r\n",
    "import x from './cup'\nexport const lid = 1\n",
    "class Pot:\n    def pour(self, lid):\n        return lid\n",
    "\0binary\1",
)
path, text, word = st.sampled_from(PATHS), st.sampled_from(TEXTS), st.sampled_from(WORDS)
branch = st.sampled_from(["main", "other"])
step = st.one_of(
    st.tuples(st.just("write"), path, text),
    st.tuples(st.just("write"), path, text),
    st.tuples(st.just("move"), path, path),
    st.tuples(st.just("remove"), path, st.just("")),
    st.tuples(st.just("link"), path, path),
    st.tuples(
        st.just("hide"), st.sampled_from([".gitignore", ".ctxeignore"]), st.sampled_from(["", "pkg/\n", "*.js\n"])
    ),
    st.tuples(st.just("commit"), word, st.sampled_from(["", "--amend"])),
    st.tuples(st.sampled_from(["switch", "merge", "rebase", "reset", "stash", "stash pop"]), branch, st.just("")),
)


def git(root: Path, *args: str) -> None:
    """git may refuse (a conflict, nothing to stash): the tree is then what it is."""
    subprocess.run(["git", "-C", str(root), *args], check=False, capture_output=True)


def write(root: Path, name: str, words: str) -> None:
    place = root / name
    for folder in (*reversed(place.relative_to(root).parents), Path(name)):
        if (root / folder).is_symlink() or ((root / folder).is_file() and str(folder) != name):
            (root / folder).unlink()
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(words.encode())


def move(root: Path, name: str, to: str) -> None:
    if (root / name).is_file() and not (root / to).exists():
        (root / to).parent.mkdir(parents=True, exist_ok=True)
        (root / name).rename(root / to)


def remove(root: Path, name: str, _: str) -> None:
    if not (root / name).is_dir():
        (root / name).unlink(missing_ok=True)


def link(root: Path, name: str, to: str) -> None:
    remove(root, name, "")
    if (root / name).parent.is_dir() and not (root / name).exists():
        (root / name).symlink_to(root / to)


def commit(root: Path, words: str, how: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", words, *filter(None, [how]))


def turn(what: str) -> Callable[[Path, str, str], None]:
    def turned(root: Path, other: str, _: str) -> None:
        match what:
            case "switch":
                git(root, "checkout", "-qf", other)
            case "merge" | "rebase":
                git(root, what, "-q", other)
                git(root, what, "--abort")
            case "reset":
                git(root, "reset", "-q", "--hard", "HEAD~1")
            case _:
                git(root, *what.split(), "-q")

    return turned


DOES: dict[str, Callable[[Path, str, str], None]] = {
    "write": write, "move": move, "remove": remove, "link": link, "hide": write, "commit": commit,
    **{what: turn(what) for what in ("switch", "merge", "rebase", "reset", "stash", "stash pop")},
}  # fmt: skip


def held(index: Index) -> dict[str, Any]:
    """All that an index says of its tree, without the numbers by which it says it."""
    name = {number: file.path for number, file in index.files.items()}
    inside = index.details(name)
    files = {
        file.path: (file[2:4], file[6:], inside[number].definitions, inside[number].imports, inside[number].units,
                    *(sorted(name[other] for other in side) for side in index.neighbours(number)))
        for number, file in index.files.items()
    }  # fmt: skip
    terms = [*WORDS, *(mark + word for mark in (DEFINED, PATH, STEM) for word in WORDS)]
    posted = {
        term: sorted((name[number], mark) for number, mark in zip(heads[::2], heads[1::2], strict=True))
        for term, (heads, _) in index.postings(terms).items()
    }
    past = index.history.commits
    commits = [(past.when[n], sorted(past.paths[p] for p in past.files(n))) for n in range(len(past))]
    messages = {word: list(found) for word, found in index.history.messages(WORDS).items()}
    return {"files": files, "postings": {t: p for t, p in posted.items() if p}, "past": commits, "messages": messages}


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.lists(step, min_size=1, max_size=4), min_size=3, max_size=6))
def test_an_updated_index_equals_a_rebuilt_one(happens: list[list[tuple[str, str, str]]]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        write(root, "cup.py", TEXTS[1])
        commit(root, "cup", "")
        git(root, "branch", "other")
        index = Index(root, Git(root, os.environ), Path(folder) / "index.db", 1)
        for steps in happens:
            for what, one, other in steps:
                DOES[what](root, one, other)
            index.refresh()
            fresh = Index(root, Git(root, os.environ), None, 1)
            fresh.refresh()
            assert held(index) == held(fresh)
            fresh.close()
        index.close()
