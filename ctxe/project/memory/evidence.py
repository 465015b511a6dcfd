"""The facts in the work tree against which the evidence of memories is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest_bytes
from ctxe.knowledge.upkeep.evidence import Facts

if TYPE_CHECKING:
    from ctxe.project import Project

MOST_BYTES = 4_000_000
"""Largest file in bytes to read for a hash or a test's name; a larger one counts as unchanged."""
MOST_SYMBOLS = 40
"""Most names to look up in the whole tree; later ones count as present, so that a listing stays quick."""
_COMMIT = pattern(r"[0-9a-f]{7,40}")


def facts_of(project: Project) -> Facts:
    """Checks of evidence against the work tree; each thing is looked up once.

    What cannot be checked counts as valid: without a repository, in a shallow clone, for a name that is no commit id,
    for a large file.
    """

    @cache
    def exists(path: str) -> bool:
        try:
            return (project.root / path).exists()
        except OSError:  # no file can have such a name
            return False

    @cache
    def data(path: str) -> bytes | None:
        file = project.root / path
        try:
            return file.read_bytes() if file.is_file() and file.stat().st_size <= MOST_BYTES else None
        except OSError:
            return None

    def digest(path: str) -> str:
        held = data(path)
        return "" if held is None else digest_bytes(held)

    def test(name: str) -> bool:
        path, _, inner = name.partition("::")
        held, words = data(path), re.findall(r"\w+", inner.partition("[")[0])
        return held is None or not words or words[-1].encode() in held

    return Facts(exists, _commits(project), _symbols(project), test, digest)


def _cited(project: Project, kind: str) -> Iterable[str]:
    for entry in project.store.entries():
        for item in entry.evidence:
            if item.startswith(f"{kind} "):
                yield item.partition(" ")[2].strip()


def _commits(project: Project) -> Callable[[str], bool]:
    """A check whether git has a commit; all cited commits are looked up at once."""
    git = project.git

    @cache
    def known() -> tuple[str, ...] | None:
        if not project.place.git or git.output("rev-parse", "--is-shallow-repository") != b"false\n":
            return None
        names = sorted({name for name in _cited(project, "commit") if _COMMIT.fullmatch(name)})
        found = git.output("rev-list", "--no-walk", "--ignore-missing", *names) if names else b""
        return None if found is None else tuple(found.decode().split())

    def stands(name: str) -> bool:
        held = known() if _COMMIT.fullmatch(name) else None
        return held is None or any(full.startswith(name) for full in held)

    return stands


def _symbols(project: Project) -> Callable[[str], bool]:
    """A check whether any file of the tree contains the last part of a dotted name."""
    from ctxe.repo.git import finish

    git = project.git
    asked: set[str] = set()
    code = ("--", ".", f":(exclude){project.place.memory.name}")

    @cache
    def stands(name: str) -> bool:
        words = re.findall(r"\w+", name)
        if not words or not project.place.git or len(asked) >= MOST_SYMBOLS:
            return True
        asked.add(name)
        options = ("--quiet", "--untracked", "--word-regexp", "--fixed-strings", "-e", words[-1])
        process = git.start("grep", *options, *code)
        finish(process)
        return process is None or process.returncode != 1

    return stands
