"""Asks a model which parts of a session to remember, and validates its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import Conversation, Step
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.fence import fence
from ctxe.knowledge.upkeep.digest import MOST, is_known

KINDS = ("decision", "fact", "routine")
MOST_SAID = 24_000
"""Characters of a session that are shown, newest turns first: about 6,000 tokens."""
MOST_OF_ONE = 600
"""Characters of one answer or one result."""
MOST_KNOWN = 40
"""Entries of the memory that are shown, the newest ones."""
LONGEST_TITLE, LONGEST_TEXT = 160, 1_200


def proposal_prompt(conversation: Conversation, known: Sequence[Entry]) -> str:
    """The prompt: the newest turns that fit, and the current entries, which the model may correct."""
    turns: list[str] = []
    room = MOST_SAID
    for turn in reversed(conversation.turns):
        lines = [f"user: {turn.words[: MOST_OF_ONE * 3]}", *(line for step in turn.steps for line in _step(step))]
        text = "\n".join(lines)[-MOST_SAID:]
        if len(text) > room:
            break
        turns.append(text)
        room -= len(text)
    entries = [
        f"{entry.id} {entry.kind}: {entry.title}\n{entry.first_paragraph[:300]}" for entry in known[-MOST_KNOWN:]
    ]
    parts = [fence("\n\n".join(entries), "memory").text] if entries else []
    return "\n\n".join([*parts, fence("\n\n".join(reversed(turns)), "session").text])


def _step(step: Step) -> Iterator[str]:
    if step.reply.text.strip():
        yield f"model: {step.reply.text.strip()[:MOST_OF_ONE]}"
    for call, result in zip(step.reply.calls, step.results, strict=True):
        end = result.text.strip()[-MOST_OF_ONE // 2 :]
        yield f"{call.name} {call.arguments[:200]}\n{'ok' if result.ok else 'failed'}: {end}"


def parse_proposals(answer: str, known: Sequence[Entry], session: str, model: str) -> tuple[Entry, ...]:
    """Drafts of proposals in a model's answer, at most MOST; invalid lines and known facts are left out."""
    ids = {entry.id for entry in known}
    drafts: list[Entry] = []
    for line in answer.splitlines():
        draft = _draft(line, ids, session, model)
        # A correction resembles the entry that it replaces on purpose.
        others = [entry for entry in known if draft and entry.id not in draft.supersedes]
        if draft and not is_known(draft, [*others, *drafts]):
            drafts.append(draft)
    return tuple(drafts[:MOST])


def _draft(line: str, ids: set[str], session: str, model: str) -> Entry | None:
    """The proposal in one line of the answer; None if the line is not valid."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or given.get("kind") not in KINDS:
        return None
    title, text = (" ".join(_words(given, key).split()) for key in ("title", "text"))
    if not title or len(title) > LONGEST_TITLE or len(text) > LONGEST_TEXT:
        return None
    named = given.get("files")
    files = tuple(path for path in named if isinstance(path, str))[:5] if isinstance(named, list) else ()
    replaces = _words(given, "replaces")
    by, old = f"session digest by {model} (proposed)", (replaces,) if replaces in ids else ()
    kind = str(given["kind"])
    return Entry("", kind, title, "proposed", by=by, session=session, files=files, supersedes=old, text=text)


def _words(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
