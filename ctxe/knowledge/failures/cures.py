"""Which of the steps between a failure and its end was the cure: an edit, an installation, another call, none."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.calls import command_key
from ctxe.knowledge.failures.signature import program
from ctxe.knowledge.failures.waiting import Waiting

INSTALLS = re.compile(
    r"\b(?:(?:pip[\d.]*|uv|uv pip|poetry|pipenv|pdm|conda|mamba|npm|pnpm|yarn|bun|brew|apt(?:-get)?|apk|dnf|gem|bundle"
    r"|composer|cargo|go|mix|rustup|playwright)\s+(?:install|add|sync|ci|i|get|update|require|deps\.get|mod)"
    r"|yarn\s*$|uv sync|nvm use)\b"
)
"""Commands that bring what is missing around a project."""
_MISSING = re.compile(
    r"No module named|ModuleNotFound|Cannot find (?:module|package)|command not found|not found|is not installed"
    r"|cannot open shared object|exited with code 127|ERR_MODULE_NOT_FOUND|cannot find package|no required module",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"could not find `|cannot find main module|any parent director|not a git repository|No such file|no tests ran"
    r"|file or directory|does not exist|missing script|script not found|No rule to make target|no configuration file"
    r"|can't cd|no go files|package\.json",
    re.IGNORECASE,
)
"""Errors of a call made in the wrong place."""
_ELSEWHERE = frozenset(
    {"aws", "az", "curl", "docker ps", "gcloud", "gh", "git clone", "git fetch", "git ls-remote", "git pull"}
    | {"git push", "git remote", "kubectl", "ping", "scp", "ssh", "wget"}
)
"""Programs whose end no file of the project decides."""


Cure = tuple[str, Mapping[str, str] | None]
"""A lesson, and the hashes of the files that held a command back: an empty mapping where no file did, None where the
call itself was wrong.
"""


def cure(waiting: Waiting, raw: str, root: str, about: Collection[str]) -> Cure:
    """What cured a command that failed and now passes as ``raw``; ``about`` are the files that the failure named."""
    moved = command_key(waiting.raw, root) != command_key(raw, root)
    if moved and (_PLACE.search(waiting.error) or not (waiting.edits or waiting.others)):
        return lessons.of_call(waiting.raw, raw, root), None
    if brought := _brought(waiting):
        return brought, {}
    if waiting.edits and program(waiting.command) not in _ELSEWHERE:
        return lessons.of_edits(waiting.edits, about), waiting.then
    return lessons.of_commands(waiting.others), {} if waiting.edits else waiting.then


def put_right(waiting: Waiting, raw: str, root: str, about: Collection[str]) -> Cure:
    """What cured a command by another one, ``raw``, that is it put right, maybe with edits that it needed too."""
    if brought := _brought(waiting):
        return brought, {}
    words = lessons.of_call(waiting.raw, raw, root)
    if waiting.edits and not _PLACE.search(waiting.error):
        return f"{lessons.of_edits(waiting.edits, about)}; then {words}", waiting.then
    return words, None


def _brought(waiting: Waiting) -> str:
    """The installation that brought what was missing, if something was."""
    installed = [command for command in waiting.others if INSTALLS.search(command)]
    return lessons.of_commands(installed[-1:]) if _MISSING.search(waiting.error) else ""
