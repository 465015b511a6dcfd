"""A command that failed and has not passed yet, and whether another one that passes is it, put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.commands import program

NEAR = 0.6
"""How alike two command lines of one program are when the second is the first, put right."""
SPAN = 6
"""Commands after a failure within which another one that passes may be its correction."""
UNKNOWN = "?"
"""Stands for the content hash of a file that is not known."""
_WRONG_CALL = (
    "command not found",
    "not found",
    "No such file or directory",
    "usage",
    "no tests ran",
    "file or directory",
    "unrecognized arguments",
    "No module named",
    "unknown option",
)
_WRONG_PATH = ("No such file", "file or directory", "no tests ran", "does not exist")
"""What is said of a path that is wrong: only then may the right call name other files."""

INSTALLS = pattern(
    r"\b(?:(?:pip[\d.]*|uv|uv pip|poetry|pipenv|pdm|conda|mamba|npm|pnpm|yarn|bun|brew|apt(?:-get)?|apk|dnf|gem|bundle"
    r"|composer|cargo|go|mix|rustup|playwright)\s+(?:install|add|sync|ci|i|get|update|require|deps\.get|mod)"
    r"|yarn\s*$|uv sync|nvm use)\b"
)
"""Commands that bring what is missing around a project."""
_SCRIPTS = frozenset(f"{name} run" for name in ("bun", "mise", "npm", "pnpm", "yarn"))
"""Programs of which two calls have nothing in common but that."""
_ASKS_HOW = pattern(r"(?:^|\s)(?:--help|-h|help|--version)(?:\s|$)")
"""What only asks a program how it is called puts nothing right."""


@dataclass(slots=True)
class Edits:
    """Files that were edited since something failed: their newest diffs, and their hashes as they were then.

    ``over``: it is not what the command fails for any more, so what is edited from now on is for something else.
    """

    diffs: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    over: bool = False

    def take(self, path: str, diff: str, before: str | None) -> None:
        """One more edit; ``before`` is None where nobody knows what the file held."""
        self.diffs[path] = diff or self.diffs.get(path, "")
        if before is not None:
            self.before.setdefault(path, before)

    @property
    def then(self) -> dict[str, str]:
        """The hashes of the edited files as they were when it failed."""
        return {**dict.fromkeys(self.diffs, UNKNOWN), **self.before}


@dataclass(slots=True)
class FailedCommand:
    """A command of this session that failed (``ids``) and has not passed yet, and what was done since.

    ``changes`` is what had changed by the newest failure; ``tried`` holds what was done between failures that had the
    same signature (``fresh`` since the newest), ``since`` the edits since each was first seen. ``failing`` are, by
    failure, the tests that failed with it where all are known; the first is the one it tells of; ``counted`` are how
    many failed when it was seen last.
    """

    ids: list[str]
    command: str
    raw: str
    error: str
    changes: int = 0
    commands: int = 0
    whole: Edits = field(default_factory=Edits)
    since: dict[str, Edits] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    failing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    @property
    def edits(self) -> dict[str, str]:
        """What was edited since the command failed first."""
        return self.whole.diffs

    def noted(self, name: str, failing: Sequence[str]) -> None:
        """It failed in this way, with these tests: of the ways before, one that was edited for is over."""
        if name not in self.ids:
            self.ids.append(name)
        for other, edits in self.since.items():
            edits.over = edits.over or bool(edits.diffs and self.failing.get(other, ("",))[0] not in failing)
        self.since.setdefault(name, Edits()).over = False

    def edited(self, path: str, diff: str, before: str | None) -> None:
        """A file was changed (see Edits.take)."""
        for edits in (self.whole, *(since for since in self.since.values() if not since.over)):
            edits.take(path, diff, before)
        self.fresh[path] = diff or self.fresh.get(path, "")

    def edited_since(self, name: str) -> Edits:
        """What was edited for a failure; where nothing was, what was since the command failed first."""
        own = self.since.get(name, self.whole)
        return own if own.diffs else self.whole

    def fewer(self, name: str, count: int) -> bool:
        """Whether fewer tests fail, ``count``, than when a failure was seen last: what was done helped."""
        before, self.counted[name] = self.counted.get(name, 0), count
        return 0 < count < before

    def outgrown(self, name: str, failing: tuple[str, ...]) -> bool:
        """Whether the test that a failure tells of passes since an edit, while no other test fails that passed then."""
        told, *others = self.failing.get(name) or ("",)
        return bool(told and self.edits and failing) and set(failing) <= set(others) - {told}

    def put_right(self, command: str) -> bool:
        """Whether ``command``, which passes, is the one that failed, put right, maybe with edits that it needed too."""
        from ctxe.lexical.similarity import close

        if command == self.command or self.commands > SPAN or _ASKS_HOW.search(command):
            return False
        if INSTALLS.search(command) and not INSTALLS.search(self.command) and program(command) != program(self.command):
            return False
        near = close(*_told_apart(self.command, command)) >= NEAR
        same_files = set(named_files(self.command)) <= set(named_files(command))
        wrong = self._says(_WRONG_CALL) and (self._says(_WRONG_PATH) or same_files)
        same = program(self.command) == program(command) and program(command) not in _SCRIPTS
        return wrong and (near or (same and not self.edits))

    def _says(self, words: tuple[str, ...]) -> bool:
        return any(word.lower() in self.error.lower() for word in words)


def all_failing(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The tests that failed in a run, where it named them all."""
    tests = facts.get("tests")
    listed = tests.get("failed") if isinstance(tests, Mapping) else ()
    named = tuple(map(str, listed)) if isinstance(listed, list | tuple) else ()
    return named if isinstance(tests, Mapping) and len(named) == tests.get("failures") else ()


def count_failing(facts: Mapping[str, Any]) -> int:
    """How many tests failed in a run; 0 where it does not say."""
    tests = facts.get("tests")
    count = tests.get("failures") if isinstance(tests, Mapping) else 0
    return count if isinstance(count, int) else 0


def _told_apart(one: str, other: str) -> tuple[str, str]:
    """Two command lines; of scripts of one runner what follows it."""
    runner = f"{program(one)} "
    shared = program(one) in _SCRIPTS and one.startswith(runner) and other.startswith(runner)
    return (one.removeprefix(runner), other.removeprefix(runner)) if shared else (one, other)
