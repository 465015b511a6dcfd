"""A failed command that has not passed yet, and the check whether a passing command is its correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.commands import program

NEAR = 0.6
"""Minimum similarity of two command lines of one program for the second to count as a correction of the first."""
SPAN = 6
"""Commands after a failure within which a passing command may be its correction."""
UNKNOWN = "?"
"""The content hash of a file whose content is not known."""
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
_WRONG_NAME = (
    "missing script",
    "no such command",
    "no such subcommand",
    "unknown command",
    "not a git command",
    "No rule to make target",
    "no such option",
    "unknown flag",
    "unexpected argument",
    "unrecognized option",
    "invalid choice",
)
SPELLED = 0.7
"""Least similarity of two words for the second to be the first without its slip."""
_WRONG_PATH = ("No such file", "file or directory", "no tests ran", "does not exist")
"""Messages about a wrong path: only then may the corrected call name other files."""

INSTALLS = pattern(
    r"\b(?:(?:pip[\d.]*|uv|uv pip|poetry|pipenv|pdm|conda|mamba|npm|pnpm|yarn|bun|brew|apt(?:-get)?|apk|dnf|gem|bundle"
    r"|composer|cargo|go|mix|rustup|playwright)\s+(?:install|add|sync|ci|i|get|update|require|deps\.get|mod)"
    r"|yarn\s*$|uv sync|nvm use)\b"
)
"""Commands that install what the project's environment lacks."""
_SCRIPTS = frozenset(f"{name} run" for name in ("bun", "mise", "npm", "pnpm", "yarn"))
"""Script runners: two of their calls have only the runner in common."""
_ASKS_HOW = pattern(r"(?:^|\s)(?:--help|-h|help|--version)(?:\s|$)")
"""Calls that only ask for help or a version correct nothing."""


@dataclass(slots=True)
class Edits:
    """Files edited since a failure: newest diff of each, and its hash at the time of the failure.

    ``over``: the command no longer fails for this reason, so later edits serve another purpose.
    """

    diffs: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    over: bool = False

    def take(self, path: str, diff: str, before: str | None) -> None:
        """Add an edit; ``before`` is None if the content before it is unknown."""
        self.diffs[path] = diff or self.diffs.get(path, "")
        if before is not None:
            self.before.setdefault(path, before)

    @property
    def then(self) -> dict[str, str]:
        """The hashes of the edited files when the failure happened; UNKNOWN where it is not known."""
        return {**dict.fromkeys(self.diffs, UNKNOWN), **self.before}


@dataclass(slots=True)
class FailedCommand:
    """A command of this session that failed and has not passed yet, and what was done since.

    ``ids`` are its failures, ``changes`` is the gate's count of changes at the newest. ``whole`` are the edits since
    the first failure, ``since`` those since each failure was first seen, ``fresh`` those since the newest. ``tried``
    are edits between failures of the same signature. ``commands`` counts the other commands since, ``others`` are those
    that passed and may have changed something. ``failing`` maps each failure to the tests that failed with it, if all
    are known; the first is the one it names. ``counted`` is how many failed when it was last seen.
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
        """Diffs of the files edited since the command first failed."""
        return self.whole.diffs

    def noted(self, name: str, failing: Sequence[str]) -> None:
        """Note that the command failed in this way, with these tests failing.

        Another failure is over once files were edited for it and its test no longer fails.
        """
        if name not in self.ids:
            self.ids.append(name)
        for other, edits in self.since.items():
            edits.over = edits.over or bool(edits.diffs and self.failing.get(other, ("",))[0] not in failing)
        self.since.setdefault(name, Edits()).over = False

    def edited(self, path: str, diff: str, before: str | None) -> None:
        """Note that a file changed (see Edits.take)."""
        for edits in (self.whole, *(since for since in self.since.values() if not since.over)):
            edits.take(path, diff, before)
        self.fresh[path] = diff or self.fresh.get(path, "")

    def edited_since(self, name: str) -> Edits:
        """The edits made for a failure; if there are none, those since the command first failed."""
        own = self.since.get(name, self.whole)
        return own if own.diffs else self.whole

    def fewer(self, name: str, count: int) -> bool:
        """Whether fewer tests fail than when this failure was last seen, so that the edits helped."""
        before, self.counted[name] = self.counted.get(name, 0), count
        return 0 < count < before

    def outgrown(self, name: str, failing: tuple[str, ...]) -> bool:
        """Whether the failure's test passes since an edit, and every test that fails now failed back then, too."""
        named, *others = self.failing.get(name) or ("",)
        return bool(named and self.edits and failing) and set(failing) <= set(others) - {named}

    def put_right(self, command: str) -> bool:
        """Whether ``command``, which passes, is a correction of the failed one, possibly along with edits."""
        from ctxe.lexical.similarity import wording_similarity

        if command == self.command or self.commands > SPAN or _ASKS_HOW.search(command):
            return False
        if INSTALLS.search(command) and not INSTALLS.search(self.command) and program(command) != program(self.command):
            return False
        similar = wording_similarity(*_without_shared_runner(self.command, command)) >= NEAR
        same_files = set(named_files(self.command)) <= set(named_files(command))
        wrong = self._error_contains(_WRONG_CALL) and (self._error_contains(_WRONG_PATH) or same_files)
        same = program(self.command) == program(command) and program(command) not in _SCRIPTS
        misspelt = self._error_contains(_WRONG_NAME) and _spelt_right(self.command, command)
        return misspelt or (wrong and (similar or (same and not self.edits)))

    def _error_contains(self, words: tuple[str, ...]) -> bool:
        return any(word.lower() in self.error.lower() for word in words)


def _spelt_right(wrong: str, right: str) -> bool:
    """Whether one word, and no more, is spelled otherwise."""
    from ctxe.lexical.similarity import wording_similarity

    one, other = wrong.split(), right.split()
    differ = [(a, b) for a, b in zip(one, other, strict=False) if a != b]
    return len(one) == len(other) and len(differ) == 1 and wording_similarity(*differ[0]) >= SPELLED


def all_failing(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The tests that failed in a run; empty unless all of them are named."""
    tests = facts.get("tests")
    listed = tests.get("failed") if isinstance(tests, Mapping) else ()
    named = tuple(map(str, listed)) if isinstance(listed, list | tuple) else ()
    return named if isinstance(tests, Mapping) and len(named) == tests.get("failures") else ()


def count_failing(facts: Mapping[str, Any]) -> int:
    """How many tests failed in a run; 0 if not stated."""
    tests = facts.get("tests")
    count = tests.get("failures") if isinstance(tests, Mapping) else 0
    return count if isinstance(count, int) else 0


def _without_shared_runner(one: str, other: str) -> tuple[str, str]:
    """Both command lines; for two scripts of the same runner only the part after it."""
    runner = f"{program(one)} "
    shared = program(one) in _SCRIPTS and one.startswith(runner) and other.startswith(runner)
    return (one.removeprefix(runner), other.removeprefix(runner)) if shared else (one, other)
