"""Finds what a session taught, without a model: the user's decisions, wishes and corrections, commands, files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from ctxe.domain.conversation import Conversation
from ctxe.domain.pattern import pattern
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.upkeep.wishes import kind_of, own_lines

MOST = 3
"""Proposals of one session: an inbox that fills up is not read."""
TWICE = 2
TOGETHER = 3
MOST_FILES = 5
"""Files of a turn that are used."""
ALIKE = 0.5

_ROUTINES = {
    "Tests": """pytest, unittest, tox, nox, jest, vitest, mocha, rspec, phpunit, ctest, npm test, yarn test, pnpm test,
        go test, cargo test, mvn test, gradle test, gradlew test, make test, make check, dotnet test, mix test""",
    "Lint": "ruff, flake8, pylint, eslint, black, prettier, golangci-lint, cargo clippy",
    "Types": "mypy, pyright, tsc",
    "Build": "make, cargo build, go build, npm run, mvn package, gradle build, cmake",
}
_NARROW = pattern(
    r"::|\s(?:-k|-t|-run|--run|--grep|--testPathPattern|--filter|-Dtest)[ =]|\s/tmp/|\btest_\w+\.py\b|\.(?:test"
    r"|spec)\.\w+\b"
)
"""Runs of only a part of the tests, which was relevant only on that day."""
_SENTENCES = pattern(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ])")
_PURPOSE = {name.strip(): what for what, names in _ROUTINES.items() for name in names.split(",")}


def digest(conversation: Conversation, known: Sequence[Entry], session: str = "") -> tuple[Entry, ...]:
    """Drafts of proposals, at most MOST, without what is known already; often none."""
    found = [
        *_from_words(conversation, session),
        *_from_commands(conversation, session),
        *_changed_together(conversation, session),
    ]
    drafts = list({(draft.kind, draft.title): draft for draft in found}.values())
    fresh = [draft for draft in drafts if not is_known(draft, known)]
    return tuple(fresh[:MOST])


def _from_words(conversation: Conversation, session: str) -> Iterator[Entry]:
    """The user's own words that decide something, state a convention or correct something."""
    for number, turn in enumerate(conversation.turns, 1):
        answered = conversation.turns[number - 2].answer if number > 1 else ""
        for place, line in own_lines(turn.words):
            words = " ".join(line.split())
            kind = kind_of(words, answered if number > 1 and place == 0 else None)
            if kind:
                title = _sentence(words, kind)[:120]
                yield _draft(kind, title, words if words != title else "", session, number, turn.changed())


def _sentence(words: str, kind: str) -> str:
    """The only sentence of a line that gives a memory of this kind; else the whole line."""
    matching = [one for one in _SENTENCES.split(words) if kind_of(one, None) == kind]
    return matching[0] if len(matching) == 1 else words


def _changed_together(conversation: Conversation, session: str) -> Iterator[Entry]:
    """Pairs of files that always changed together, in at least TOGETHER turns."""
    turns = [set(turn.changed()[:MOST_FILES]) for turn in conversation.turns]
    changes = Counter(path for paths in turns for path in paths)
    pairs = Counter(pair for paths in turns for pair in combinations(sorted(paths), 2))
    for (one, other), times in pairs.items():
        if times >= TOGETHER and changes[one] == changes[other] == times:
            title = f"{one} and {other} change together"
            text = f"In {times} turns of session {session} neither was changed without the other."
            yield _draft("fact", title, text, session, len(turns), (one, other))


def _from_commands(conversation: Conversation, session: str) -> Iterator[Entry]:
    """Test, lint and build commands that succeeded at least twice, or once after they had failed."""
    good: Counter[str] = Counter()
    failed: set[str] = set()
    for command, ok in _runs(conversation):
        if ok:
            good[command] += 1 + (command in failed)
        else:
            failed.add(command)
    best: dict[str, tuple[int, int, str]] = {}
    for command, times in good.items():
        purpose = _PURPOSE.get(program(command)) or _PURPOSE.get(program(command).partition(" ")[0])
        if purpose and times >= TWICE and not _NARROW.search(command):
            best[purpose] = min(best.get(purpose, (99, 0, "")), (len(named_files(command)), -times, command))
    for purpose, (_, _, command) in best.items():
        yield _draft("routine", f"{purpose}: `{command}`", "", session, len(conversation.turns))


def _runs(conversation: Conversation) -> Iterator[tuple[str, bool]]:
    for _, step in conversation.steps():
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if call.name == "run_command" and (command := _command(call.arguments)):
                yield command, result.ok


def _command(arguments: str) -> str:
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    return plain_command(str(given.get("command") or "")) if isinstance(given, dict) else ""


def _draft(kind: str, title: str, text: str, session: str, turn: int, files: tuple[str, ...] = ()) -> Entry:
    by, files = "session digest (proposed)", files[:MOST_FILES]
    return Entry("", kind, title, "proposed", by=by, session=session, turn=str(turn), files=files, text=text)


def is_known(draft: Entry, known: Sequence[Entry]) -> bool:
    """Whether an entry or a waiting proposal says the same already."""
    from ctxe.lexical.similarity import topic_similarity

    quoted = re.search(r"`([^`]+)`", draft.title) if draft.kind == "routine" else None
    head = draft.title.partition("`")[0] if quoted else ""
    for entry in known:
        if entry.kind in ("log", "failure"):
            continue
        if quoted and (quoted[1] in f"{entry.title}\n{entry.text}" or (head and entry.title.startswith(f"{head}`"))):
            return True
        if not quoted and topic_similarity(draft.title, entry.title) >= ALIKE:
            return True
    return False
