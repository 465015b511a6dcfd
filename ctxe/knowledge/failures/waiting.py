"""A failed command that has not passed yet, and the check whether a passing command is its correction."""

from __future__ import annotations

from collections.abc import Mapping

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.changes import adds_to, joined
from ctxe.knowledge.failures.commands import program
from ctxe.knowledge.failures.ended_command import EndedCommand

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
    "bad option",
    "Unknown lifecycle phase",
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
    """Files edited since a failure: what the edits of each change together, and its hash when the failure happened."""

    diffs: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)

    def take(self, path: str, diff: str, before: str | None) -> None:
        """Add an edit; ``before`` is None if the content before it is unknown."""
        so_far = self.diffs.get(path, "")
        self.diffs[path] = joined(so_far, diff)
        if so_far and not self.diffs[path]:
            del self.diffs[path]
        if before is not None:
            self.before.setdefault(path, before)

    @property
    def then(self) -> dict[str, str]:
        """The hashes of the edited files when the failure happened; UNKNOWN where it is not known."""
        return {**dict.fromkeys(self.diffs, UNKNOWN), **self.before}


@dataclass(slots=True)
class SeenFailure:
    """One failure of a command: the edits since it was first seen, and how the tests stood with it.

    ``called`` is the command as it was first called with it. ``failing`` are the tests that failed with it, if all are
    known; the first is the one it names. ``count`` is how many failed when it was last seen, of those that ``ran``.
    ``tried`` are the edits after which it came again, by the words that tell them. ``over``: the command no longer
    fails for this reason, so later edits serve another purpose.
    """

    edits: Edits = field(default_factory=Edits)
    failing: tuple[str, ...] = ()
    count: int = 0
    ran: int = 0
    called: str = ""
    tried: dict[str, Mapping[str, str]] = field(default_factory=dict)
    over: bool = False

    def not_among(self, ended: EndedCommand) -> bool:
        """Whether files were edited for it and its test, if it names one, no longer fails.

        A run of fewer tests than back then (one that did not compile, for instance) does not tell.
        """
        gone = not self.failing or self.failing[0] not in ended.failing
        return bool(self.edits.diffs) and gone and ended.ran >= self.ran

    def tried_in_vain(self, edits: Mapping[str, str]) -> list[str]:
        """What was tried, without what still stands after all ``edits``: it may be a part of what cured the failure."""

        def stands(diffs: Mapping[str, str]) -> bool:
            return any(adds_to(diff, edits.get(path, "")) for path, diff in diffs.items())

        return [words for words, diffs in self.tried.items() if not stands(diffs)]


@dataclass(slots=True)
class FailedCommand:
    """A command of this session that failed and has not passed yet, and what was done since.

    ``ids`` are its unresolved failures, ``seen`` all of them. ``changes`` is the gate's count of changes at the newest.
    ``whole`` are the edits since the first failure, ``fresh`` those since the newest. ``commands`` counts the other
    commands since, ``others`` are those that passed and may have changed something.
    """

    ids: list[str]
    command: str
    raw: str
    error: str
    changes: int = 0
    commands: int = 0
    whole: Edits = field(default_factory=Edits)
    seen: dict[str, SeenFailure] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=dict)

    @property
    def edits(self) -> dict[str, str]:
        """Diffs of the files edited since the command first failed."""
        return self.whole.diffs

    @property
    def was_not_built(self) -> bool:
        """Whether it failed before any test did, and files were edited since."""
        return bool(self.edits) and not any(failure.count for failure in self.seen.values())

    def failed(self, name: str, ended: EndedCommand) -> Mapping[str, str]:
        """Note that the command failed in this way; returns the edits that were made against it without success.

        Another failure is over once files were edited for it and its test no longer fails.
        """
        edits, self.fresh = self.fresh, {}
        known = self.seen.setdefault(name, SeenFailure(called=ended.raw))
        helped = 0 < ended.failures < known.count
        in_vain = {} if helped or self.ids[-1:] != [name] else edits
        if name not in self.ids:
            self.ids.append(name)
        for other in self.seen.values():
            other.over = other.over or other.not_among(ended)
        known.count, known.ran, known.over = ended.failures, ended.ran, False
        return in_vain

    def edited(self, path: str, diff: str, before: str | None) -> None:
        """Note that a file changed (see Edits.take)."""
        for edits in (self.whole, *(failure.edits for failure in self.seen.values() if not failure.over)):
            edits.take(path, diff, before)
        self.fresh[path] = joined(self.fresh.get(path, ""), diff)

    def edited_since(self, name: str) -> Edits:
        """The edits made for a failure; if there are none, those since the command first failed."""
        own = self.seen[name].edits if name in self.seen else self.whole
        return own if own.diffs else self.whole

    def called(self, name: str) -> str:
        """The command as it was called when it first failed in this way."""
        return self.seen[name].called if name in self.seen else self.raw

    def outgrown(self, failing: tuple[str, ...]) -> list[str]:
        """The failures whose test passes since an edit, if every test that fails now failed back then, too."""
        found = []
        for name in self.ids:
            named, *others = self.seen[name].failing or ("",)
            if named and self.edits and failing and set(failing) <= set(others) - {named}:
                found.append(name)
        return found

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


def _without_shared_runner(one: str, other: str) -> tuple[str, str]:
    """Both command lines; for two scripts of the same runner only the part after it."""
    runner = f"{program(one)} "
    shared = program(one) in _SCRIPTS and one.startswith(runner) and other.startswith(runner)
    return (one.removeprefix(runner), other.removeprefix(runner)) if shared else (one, other)
