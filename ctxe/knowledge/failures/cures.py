"""Decides which step between a failure and its end cured it: an edit, an installation, another call, or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.calls import command_key, named_files
from ctxe.knowledge.failures.commands import program
from ctxe.knowledge.failures.slips import ELSEWHERE
from ctxe.knowledge.failures.waiting import INSTALLS, FailedCommand

_MISSING = pattern(
    r"No module named|ModuleNotFound|Cannot find (?:module|package)|command not found|not found|is not installed"
    r"|cannot open shared object|exited with code 127|ERR_MODULE_NOT_FOUND|cannot find package|no required module",
    re.IGNORECASE,
)
_PLACE = pattern(
    r"could not find `|cannot find main module|any parent director|not a git repository|No such file|no tests ran"
    r"|file or directory|does not exist|missing script|script not found|No rule to make target|no configuration file"
    r"|can't cd|no go files|package\.json|no POM in",
    re.IGNORECASE,
)
"""Errors of a call made in the wrong folder."""
_NAME = pattern(r"command not found|unknown (?:sub)?command|no such (?:sub)?command|not a git command", re.IGNORECASE)
"""Errors of a call of what does not exist, whatever the project's files hold."""


@dataclass(frozen=True, slots=True)
class Cure:
    """The lesson of what cured a failure.

    ``before`` are the hashes that files had before the fix: empty if no file was at fault, None if the call itself was
    wrong.
    """

    lesson: str
    before: Mapping[str, str] | None = field(default_factory=dict)


CureOf = Callable[[FailedCommand, str, str, Entry], Cure]
"""Finds the cure of a failed command: from the call that passes, the project's folder and the failure."""


def cure_of_pass(waiting: FailedCommand, raw: str, root: str, failure: Entry) -> Cure:
    """The cure of a failed command that now passes as ``raw``."""
    called, since = waiting.called(failure.id), waiting.edited_since(failure.id)
    moved = command_key(called, root) != command_key(raw, root)
    if moved and (_PLACE.search(failure.error) or not (waiting.edits or waiting.others)):
        return Cure(lessons.of_call(called, raw, root), None)
    if brought := _installation(waiting, failure):
        return Cure(brought)
    if waiting.edits and program(waiting.command) not in ELSEWHERE:
        return Cure(lessons.of_edits(since.diffs, _related_files(failure, raw, root), failure.error), since.then)
    return Cure(lessons.of_commands(waiting.others))


def cure_of_correction(waiting: FailedCommand, raw: str, root: str, failure: Entry) -> Cure:
    """The cure of a failed command whose correction is ``raw``, possibly together with edits that it also needed."""
    if brought := _installation(waiting, failure):
        return Cure(brought)
    words = lessons.of_call(waiting.raw, raw, root)
    if waiting.edits and not (_PLACE.search(failure.error) or _NAME.search(failure.error)):
        since = waiting.edited_since(failure.id)
        edited = lessons.of_edits(since.diffs, _related_files(failure, raw, root), failure.error)
        return Cure(f"{edited}; then {words}", since.then)
    return Cure(words, None)


def _related_files(failure: Entry, raw: str, root: str) -> tuple[str, ...]:
    """The files that the failure and the command name."""
    return (*failure.files, *named_files(raw, root))


def _installation(waiting: FailedCommand, failure: Entry) -> str:
    """The lesson of the installation that brought what was missing, or "" if nothing was missing or installed."""
    installed = [command for command in waiting.others if INSTALLS.search(command)]
    return lessons.of_commands(installed[-1:]) if _MISSING.search(failure.error) else ""
