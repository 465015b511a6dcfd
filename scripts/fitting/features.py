"""Computes every case's signals by the planner's own code, from one index per case kept outside the repository."""

from __future__ import annotations

import contextlib
import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ctxe.repo.files import decode
from ctxe.repo.git import Git
from ctxe.repo.indexing.database import VERSION
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.mix import Fitted
from ctxe.repo.planning.outline import blocks
from ctxe.repo.planning.pack import owners
from ctxe.repo.planning.ranking import measure, rank
from ctxe.repo.planning.relevance import features, task_names
from scripts.fitting.cases import Case, git, lines_of, mirror_of, text_of, without_names

TOP_FILES = 25
"""Number of top files whose units are kept, to fit which of their lines are shown."""


@dataclass(frozen=True)
class Seen:
    """Signals of the candidates of one case: ``said[signal]`` holds one number per file of ``paths``."""

    case: Case
    paths: list[str]
    said: dict[str, list[float]]


@dataclass(frozen=True)
class Inside:
    """The units of one file: traits of each, lines of the change in each, and blocks (unit, first, last, tokens)."""

    path: str
    score: float
    traits: list[dict[str, float]]
    touched: list[int]
    blocks: list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Opened:
    """The top files of one case with their units; ``lines`` are the changed lines, by path."""

    case: Case
    files: list[Inside]
    lines: dict[str, set[int]]


class Checkout:
    """One work tree per repository, moved from case to case; its history ends at the case's base."""

    def __init__(self, mirror: Path, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self._run("init", "-q")
        alternates = root / ".git/objects/info/alternates"
        alternates.parent.mkdir(parents=True, exist_ok=True)
        alternates.write_text(f"{mirror / 'objects'}\n")

    def _run(self, *words: str) -> None:
        env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *words], cwd=self.root, env=env, capture_output=True, check=True)

    def at(self, commit: str) -> None:
        """Move the tree to a commit. Raises CalledProcessError."""
        self._run("update-ref", "--no-deref", "HEAD", commit)
        self._run("reset", "-q", "--hard")
        self._run("clean", "-q", "-fdx")


def snapshot(cases: Iterable[Case], mirrors: Path, folder: Path) -> None:
    """Build an index for every case without one, each from the previous index of its repository."""
    by_repo: dict[str, list[Case]] = {}
    for case in cases:
        if not _kept(folder, case):
            by_repo.setdefault(case.repo, []).append(case)
    for repo, some in by_repo.items():
        mirror = mirror_of(mirrors, repo)
        span = ("--no-walk", "--date-order", "--reverse", "--format=%H")
        order = git(mirror, "log", *span, *sorted({case.base for case in some})).split()
        with tempfile.TemporaryDirectory() as work:
            tree = Checkout(mirror, Path(work) / "tree")
            for case in sorted(some, key=lambda case: (order.index(case.base), case.id)):
                tree.at(case.base)
                index = Index(tree.root, Git(tree.root, os.environ), Path(work) / "index.db", workers=1)
                index.refresh()
                index.count_exactly()
                _place(folder, case).unlink(missing_ok=True)
                index.db.execute("VACUUM INTO ?", (str(_place(folder, case)),))
                index.close()
                print(f"indexed {case.id}", file=sys.stderr, flush=True)


def _place(folder: Path, case: Case) -> Path:
    return folder / ((case.near or case.id).replace("/", "+").replace(":", "_") + ".db")


def _kept(folder: Path, case: Case) -> bool:
    """Whether a case has an index in the current format. Opening one of another format would empty it."""
    place = _place(folder, case)
    if not place.exists():
        return False
    with contextlib.closing(sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return bool(db.execute("PRAGMA user_version").fetchone()[0] == VERSION)


def asked(cases: Iterable[Case], mirrors: Path, folder: Path, hard: bool) -> Iterator[tuple[Case, str, Index]]:
    """Every case with its words and its index; ``hard``: without words that name a file of the change.

    Left out are cases without an index, and those near one that does not know a file of their change yet.
    """
    for case in cases:
        words = text_of(mirrors, case)
        bare = without_names(words, case.gold) if hard else words
        if _kept(folder, case) and not (hard and bare == words):
            index = Index(folder, Git(folder, os.environ), _place(folder, case), workers=1)
            index.load()
            if not case.near or index.files.by_path.keys() >= set(case.gold):
                yield case, bare, index
            index.close()


def see(cases: Iterable[Case], mirrors: Path, folder: Path, fitted: Fitted, hard: bool = False) -> Iterator[Seen]:
    """The value of every signal for every source candidate."""
    for case, words, index in asked(cases, mirrors, folder, hard):
        evidence, said = measure(index, words, fitted)
        order = [n for n in sorted(evidence.candidates) if evidence.is_source(n) or evidence.file(n).path in case.gold]
        paths = [evidence.file(number).path for number in order]
        yield Seen(case, paths, {name: [scores.get(n, 0.0) for n in order] for name, scores in said.items()})


def look_inside(
    cases: Iterable[Case], mirrors: Path, folder: Path, fitted: Fitted, hard: bool = False
) -> Iterator[Opened]:
    """The top files of every ranking with their units."""
    for case, words, index in asked(cases, mirrors, folder, hard):
        ranking = rank(index, words, fitted)
        evidence, lines = ranking.evidence, lines_of(mirrors, case)
        said, files = task_names(evidence), []
        for number in ranking.order[:TOP_FILES]:
            path, known = evidence.file(number).path, evidence.details.get(number)
            text = decode(subprocess.run(
                ["git", f"--git-dir={mirror_of(mirrors, case.repo)}", "show", f"{case.base}:{path}"],
                capture_output=True, check=False).stdout)  # fmt: skip
            if known is None or not known.line_tokens or text is None:
                continue
            rows = text.split("\n")[: len(known.line_tokens)]
            owner = owners(known.units, len(rows))
            touched = [0] * len(known.units)
            for line in lines.get(path, ()):
                if line <= len(owner) and owner[line - 1] >= 0:
                    touched[owner[line - 1]] += 1
            own = [owner.count(unit) for unit in range(len(known.units))]
            cut = blocks(known.units, owner, known.definitions, rows)
            files.append(Inside(
                path, ranking.scores[number], features(evidence, said, number, own), touched,
                [(b.unit, b.first, b.last, sum(known.line_tokens[b.first - 1 : b.last])) for b in cut],
            ))  # fmt: skip
        yield Opened(case, files, lines)


def keep(rows: Iterable[object], path: Path) -> int:
    """Write rows to a file of the cache and return their number."""
    done = list(rows)
    path.write_bytes(pickle.dumps(done))
    return len(done)
