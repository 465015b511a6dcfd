"""Identifies tool calls: when two are the same, which files a command names, and whether it can change the project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.knowledge.failures.commands import program
from ctxe.knowledge.failures.plain import impersonal, relative
from ctxe.lexical.tables import word_set
from ctxe.safety.shell.words import Unsure, split

LONGEST = 20_000
"""Longest call, in characters, that is kept whole; a longer one is identified by its beginning and its length."""
NAMED = 6
"""Files named by a command that count as its dependencies."""
ASIDE = word_set(
    "background description explanation max_output_tokens run_in_background seconds thought timeout timeout_ms "
    "timeout_seconds yield_time_ms"
)
"""Arguments that only describe a call or limit its time; they do not change what it does."""

_SPACE = pattern(r"\s+")
_HERE = pattern(r"^cd \.\s*(?:&&|;)\s*")
_WORDS = pattern(r"[\s;&|()<>'\"]+")
_FILE = pattern(r"[\w.][\w./-]*(?:\.[A-Za-z]\w{0,7}|/[\w./-]*)")
_WRITES = pattern(r"(?<![0-9&>])>{1,2}(?!\s*(?:/dev/null|&))|--fix\b|--write\b|--in-place|\btee\b")
_IN_PLACE = pattern(r"\s-[A-Za-z]*i\b")
_CHANGES = {
    "awk": _IN_PLACE,
    "find": pattern(r"\s-(?:delete|exec|fls|fprint|ok)"),
    "ruff": pattern(r"\sformat\b(?!.*\s--(?:check|diff)\b)"),
    "sed": _IN_PLACE,
    "yq": _IN_PLACE,
}
"""For programs that normally only read: the options that make them change files."""
_STATUS = pattern(r"\$\?|\$\{PIPESTATUS\[0\]\}")
"""The exit status of the step before; a step that prints it computes nothing of its own."""
_JOINED = pattern(r"\s*(?:&&|\|\||;|\|)\s*")
_LOOKS = word_set(
    "[ ack ag awk basename cat cd cmp comm cut date df diff dirname du echo env false fd file find grep egrep "
    "fgrep head hexdump id jq less ls more nl od printf ps pwd readlink realpath rg sed sleep sort stat tac tail "
    "test tree tr true type uname uniq wc wait which whoami xxd yq"
)
_RUNS = word_set(
    "bandit coverage ctest eslint flake8 golangci-lint jest mocha mypy nosetests pylint pyright pytest rspec "
    "ruff tox tsc unittest vitest xunit"
)
_RUNS_OF = (
    "cargo bench, cargo build, cargo check, cargo clippy, cargo test, go build, go list, go test, go vet, gradle build,"
    " gradle check, gradle test, gradlew build, gradlew check, gradlew test, make check, make lint, make test,"
    " mvn compile, mvn test, mvn verify, npm run, npm test, pnpm run, pnpm test, yarn run, yarn test, dotnet test"
)
_CHECKS = _RUNS | frozenset(name.strip() for name in _RUNS_OF.split(","))
_SCRIPT = pattern(
    r"\b(?:bun|npm|pnpm|yarn|mise|just|task|deno|make|rake)(?: run)?"
    r" (?:check|ci|lint|test|tsc|types?|type-?check|verify)\b"
)
_MENDS = pattern(r"\bfix\b|\bwrite\b|\bformat\b|\bfmt\b|\s-u\b|--update")
_BUILDS = word_set(
    "bun cargo clang cmake deno dotnet g++ gcc go gradle gradlew java javac make mvn node npm npx php pnpm python "
    "python3 ruby rustc swift ts-node tsx yarn"
)
_GIT = word_set("blame branch diff grep log ls-files reflog remote rev-parse shortlog show status")


def call_key(tool: str, arguments: Mapping[str, Any] | str, root: str = "") -> str:
    """A one-line key that two calls share exactly when they ask for the same thing.

    Whitespace, the project's folder and descriptive arguments (ASIDE) are removed. Variables, options and redirections
    stay, since they may be the very difference.
    """
    given = dict(_parsed(arguments)) if isinstance(arguments, str) else dict(arguments)
    if isinstance(command := given.get("command", given.get("cmd")), str):
        rest = {key: value for key, value in given.items() if key not in ASIDE | {"command", "cmd"}}
        more = json.dumps(rest, sort_keys=True, ensure_ascii=False) if rest else ""
        return _truncated(f"{command_key(command, root)} {more}".strip())
    kept = {key: value for key, value in given.items() if key not in ASIDE}
    return _truncated(impersonal(f"{tool} {json.dumps(kept, sort_keys=True, ensure_ascii=False)}", root))


def command_key(command: str, root: str = "") -> str:
    """The command on one line, with relative paths and without a ``cd`` into the folder in which it runs anyway."""
    return _HERE.sub("", _SPACE.sub(" ", impersonal(command, root)).strip())


def named_files(command: str, root: str = "") -> tuple[str, ...]:
    """Words of a command that look like project files, in order, at most NAMED."""
    words = (word.partition("::")[0] for word in _WORDS.split(relative(command[:LONGEST], root)))
    found = (word.removeprefix("./") for word in words if _FILE.fullmatch(word) and not word.startswith(".."))
    return tuple(dict.fromkeys(found))[:NAMED]


def only_looks(command: str) -> bool:
    """Whether a command, judged by its words, only reads, tests or checks and leaves the project unchanged."""
    if _WRITES.search(command) or "<<" in command:
        return False
    commands = parts(command)
    return bool(commands) and all(map(_part_only_looks, commands))


def parts(command: str) -> list[str]:
    """The commands of a line, split at pipes, ``&&``, ``||`` and ``;``."""
    return [part for part in _JOINED.split(command.strip()) if part]


def deciding_step(command: str) -> str:
    """The step that decides how a line ends: the tests in ``sed -i … a.py; pytest`` or ``pytest >log; cat log``.

    Only a line of plain commands is split; one with loops or substitutions is a single step.
    """
    line = command.strip()
    try:
        commands = split(_STATUS.sub(lambda found: "0" * len(found.group()), line))
    except Unsure:
        return line
    ends = [part.end for part in commands if part.joined in (";", "\n")]
    steps = [line[begin:end].lstrip("; \t\n").rstrip() for begin, end in pairwise([0, *ends, len(line)])]
    steps = [step for step in reversed(steps) if step] or [line]
    return next((step for step in steps if runs_something(step) or not only_looks(step)), steps[0])


def steps_passed(command: str) -> list[str]:
    """The steps of a line that passes only if each of them does: plain commands joined by ``&&``, with their ``cd``.

    Empty for a single step.
    """
    line = command.strip()
    try:
        commands = split(line)
    except Unsure:
        return []
    if any(part.joined != "&&" for part in commands[:-1]):
        return []
    steps, where = [], ""
    for begin, end in pairwise([0, *(part.end for part in commands[:-1]), len(line)]):
        step = line[begin:end].lstrip("& \t\n").rstrip()
        if step.startswith("cd "):
            where += f"{step} && "
        else:
            steps.append(where + step)
    return steps if len(steps) > 1 else []


def only_checks(command: str) -> bool:
    """Whether a command runs a project script that only tests or checks, judged by the script's name."""
    return bool(_SCRIPT.search(command)) and not _MENDS.search(command)


def runs_something(command: str) -> bool:
    """Whether a command runs tests, checks, builds or programs.

    Errors in its output are then its own, not text it shows.
    """
    ran = map(program, parts(command))
    return any(name in _CHECKS or name.partition(" ")[0] in _BUILDS | _RUNS for name in ran)


def _part_only_looks(part: str) -> bool:
    words = part.split()
    name = program(part)
    first = name.partition(" ")[0]
    if first == "git":
        return len(words) > 1 and words[1] in _GIT
    if first in _CHANGES and _CHANGES[first].search(part):
        return False
    return name in _CHECKS or first in _LOOKS | _RUNS


def _parsed(arguments: str) -> Mapping[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return {"": arguments}
    return value if isinstance(value, dict) else {"": arguments}


def _truncated(key: str) -> str:
    return key if len(key) <= LONGEST else f"{key[:LONGEST]} {len(key)}"
