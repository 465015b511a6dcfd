"""Decisions: which hold today, what they replaced, and which entries are about the same subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.links import holding

MOST_ALIKE = 3
"""Entries on one subject that are reported."""
ALIKE = 0.3
"""Minimum Jaccard similarity of the terms of two titles for them to be about the same subject."""


def current_entries(entries: Sequence[Entry], kind: str = "decision") -> tuple[Entry, ...]:
    """Entries of a kind that hold today, in causal order."""
    return tuple(entry for entry in filter(holding(entries), entries) if entry.kind == kind)


def find_same(draft: Entry, entries: Sequence[Entry]) -> Entry | None:
    """The current entry with the same title, text, scope, files and evidence as a draft; None if there is none."""
    return next((entry for entry in current_entries(entries, draft.kind) if _content(entry) == _content(draft)), None)


def _content(entry: Entry) -> tuple[str | tuple[str, ...], ...]:
    return entry.title.strip(), entry.text.strip(), entry.scope, entry.files, entry.evidence


def same_subject(draft: Entry, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Current entries of the same kind that a new one may contradict or repeat, the most similar first.

    Compares titles and, where scope or files overlap, texts. The result is only a question to a person.
    """
    from ctxe.lexical.similarity import topic_similarity

    found = []
    for entry in current_entries(entries, draft.kind):
        if entry.id == draft.id or entry.id in draft.supersedes:
            continue
        score = topic_similarity(draft.title, entry.title)
        if {*draft.scope, *draft.files} & {*entry.scope, *entry.files}:
            score = max(score, 1.5 * topic_similarity(f"{draft.title} {draft.text}", f"{entry.title} {entry.text}"))
        if score >= ALIKE:
            found.append((score, entry))
    found.sort(key=lambda pair: (-pair[0], pair[1].id))
    return tuple(entry for _, entry in found[:MOST_ALIKE])


def replacement(draft: Entry, old: Sequence[Entry]) -> Entry:
    """A draft that replaces other entries; if it has no scope or files, it takes over theirs."""
    if draft.scope or draft.files:
        return draft
    scope = dict.fromkeys(one for entry in old for one in entry.scope)
    return replace(draft, scope=tuple(scope), files=tuple(dict.fromkeys(one for entry in old for one in entry.files)))


def competing_entries(entries: Sequence[Entry]) -> list[tuple[Entry, Entry, str]]:
    """Entries that hold today and replaced the same one, for example on two branches: (older, newer, replaced id).

    Imports are left out: their links come from another system.
    """
    found: dict[str, list[Entry]] = {}
    for entry in (one for one in filter(holding(entries), entries) if one.path.endswith(".md")):
        for old in entry.supersedes:
            found.setdefault(old, []).append(entry)
    return [(one, both[-1], old) for old, both in found.items() for one in both[:-1]]


def line(entry: Entry) -> str:
    """A decision as a list item: id, title, scope, and a mark if it is stale."""
    where = f" ({', '.join(entry.scope[:3])})" if entry.scope else ""
    mark = " [stale: check before relying on it]" if entry.status == "stale" else ""
    return f"- {entry.id} {entry.title or entry.first_paragraph[:100]}{where}{mark}"


def history(entry: Entry, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Everything that this entry replaced, directly and indirectly, newest first."""
    by_id = {other.id: other for other in entries}
    found: dict[str, Entry] = {}
    queue = list(entry.supersedes)
    while queue:
        name = queue.pop(0)
        if name in by_id and name not in found and name != entry.id:
            found[name] = by_id[name]
            queue += by_id[name].supersedes
    return tuple(found.values())
