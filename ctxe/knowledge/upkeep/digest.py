"""What a session taught, found without a model: the user's decisions, wishes and corrections, commands, files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from ctxe.domain.conversation import Conversation
from ctxe.knowledge.corrections import corrects
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.signature import plain_command, program

MOST = 3
"""Proposals that one session may leave: an inbox that fills up is not read."""
TWICE = 2
TOGETHER = 3
MOST_FILES = 5
"""Files of a turn that are looked at."""
LONGEST = 300
"""Characters of a wish; longer words are a task."""
ALIKE = 0.5

_WISH = re.compile(
    r"\b(?:always|never|from now on|in this (?:repo|repository|project|codebase)|(?:i|please) prefer|don't ever"
    r"|as a rule|we (?:use|prefer|avoid|don't)|make sure (?:to|you) always)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?\s*$|^\s*(?:why|what|when|where|how|who|is|are|does|do|can|could|should|did)\b", re.IGNORECASE
)
_DECIDED = re.compile(
    r"\b(?:let'?s (?:use|go with|keep|drop|stick (?:to|with))|we(?:'ll| will)? (?:go with|decided|settled on|agreed)"
    r"|(?:i|we)(?:'ve| have) decided|decision:|it is decided)\b",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"\b(?:instead|rather than|not \w+ but|use \w+|must(?:n't| not)?|should(?:n't| not)?)\b", re.IGNORECASE
)
_ROUTINES = {
    "Tests": """pytest, unittest, tox, nox, jest, vitest, mocha, rspec, phpunit, ctest, npm test, yarn test, pnpm test,
        go test, cargo test, mvn test, gradle test, gradlew test, make test, make check, dotnet test, mix test""",
    "Lint": "ruff, flake8, pylint, eslint, black, prettier, golangci-lint, cargo clippy",
    "Types": "mypy, pyright, tsc",
    "Build": "make, cargo build, go build, npm run, mvn package, gradle build, cmake",
}
_PURPOSE = {name.strip(): what for what, names in _ROUTINES.items() for name in names.split(",")}


def digest(conversation: Conversation, known: Sequence[Entry], session: str = "") -> tuple[Entry, ...]:
    """Drafts of proposals, at most MOST; nothing that is known already. Nothing worth keeping is a fine answer."""
    told = [*_words(conversation, session), *_commands(conversation, session), *_together(conversation, session)]
    drafts = list({(draft.kind, draft.title): draft for draft in told}.values())
    fresh = [draft for draft in drafts if not is_known(draft, known)]
    return tuple(fresh[:MOST])


def _words(conversation: Conversation, session: str) -> Iterator[Entry]:
    """The user's own words where they decide something, lay down how things are done here, or put something right."""
    for number, turn in enumerate(conversation.turns, 1):
        for place, line in enumerate(turn.words.splitlines()):
            words = " ".join(line.split())
            kind = _kind(words, number, place)
            if kind:
                yield _draft(kind, words[:120], words if len(words) > 120 else "", session, number, turn.changed())


def _kind(words: str, number: int, place: int) -> str:
    """What kind of memory a line of the user's would be, "" for none."""
    if not words or len(words) > LONGEST or _QUESTION.search(words):
        return ""
    if _DECIDED.search(words):
        return "decision"
    put_right = number > 1 and place == 0 and corrects(words) and _INSTEAD.search(words)
    return "preference" if _WISH.search(words) or put_right else ""


def _together(conversation: Conversation, session: str) -> Iterator[Entry]:
    """Two files that every turn which changed one of them changed both of, in at least TOGETHER turns."""
    turns = [set(turn.changed()[:MOST_FILES]) for turn in conversation.turns]
    alone = Counter(path for paths in turns for path in paths)
    pairs = Counter(pair for paths in turns for pair in combinations(sorted(paths), 2))
    for (one, other), times in pairs.items():
        if times >= TOGETHER and alone[one] == alone[other] == times:
            title = f"{one} and {other} change together"
            text = f"In {times} turns of session {session} neither was changed without the other."
            yield _draft("fact", title, text, session, len(turns), (one, other))


def _commands(conversation: Conversation, session: str) -> Iterator[Entry]:
    """Test, lint and build commands that went well at least twice, or once after they had not."""
    good: Counter[str] = Counter()
    failed: set[str] = set()
    for command, ok in _runs(conversation):
        if ok:
            good[command] += 1 + (command in failed)
        else:
            failed.add(command)
    for command, times in good.items():
        what = _PURPOSE.get(program(command)) or _PURPOSE.get(program(command).partition(" ")[0])
        if what and times >= TWICE:
            yield _draft("routine", f"{what}: `{command}`", "", session, len(conversation.turns))


def _runs(conversation: Conversation) -> Iterator[tuple[str, bool]]:
    for _, step in conversation.steps():
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if call.name == "run_command" and (command := _command(call.arguments)):
                yield command, result.ok


def _command(arguments: str) -> str:
    try:
        held = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    return plain_command(str(held.get("command") or "")) if isinstance(held, dict) else ""


def _draft(kind: str, title: str, text: str, session: str, turn: int, files: tuple[str, ...] = ()) -> Entry:
    by, files = "session digest (proposed)", files[:MOST_FILES]
    return Entry("", kind, title, "proposed", by=by, session=session, turn=str(turn), files=files, text=text)


def is_known(draft: Entry, known: Sequence[Entry]) -> bool:
    """Whether something that is kept or waits says it already."""
    from ctxe.lexical.similarity import alike

    quoted = re.search(r"`([^`]+)`", draft.title) if draft.kind == "routine" else None
    for entry in known:
        if entry.kind in ("log", "failure"):
            continue
        if quoted and quoted[1] in f"{entry.title}\n{entry.text}":
            return True
        if not quoted and alike(draft.title, entry.title) >= ALIKE:
            return True
    return False
