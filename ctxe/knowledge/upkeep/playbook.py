"""The playbook: entries are ranked by what happened after the model cited them; only code adds and retires them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from ctxe.knowledge.entries.entry import Entry, stamp
from ctxe.knowledge.entries.links import holding
from ctxe.knowledge.entries.ports import EntryStore
from ctxe.knowledge.entries.store import Store
from ctxe.storage.counters import Counters

KINDS = ("routine", "preference")
"""Kinds that apply to every task, and so are always in the context as far as there is room."""
CONTRADICTED = 3
"""Contradictions after which an entry is archived."""
ALIKE = 0.6
"""Minimum Jaccard similarity of the terms of two entries for them to say the same."""

Numbers = Mapping[str, Mapping[str, float]]
"""Counters by entry id: ``used``, ``helpful``, ``harmful``."""


def cited_ids(said: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Those of the ids shown to the model that occur in its text; a bare number does not count."""
    return tuple(name for name in dict.fromkeys(ids) if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said))


def expected_use(numbers: Mapping[str, float]) -> float:
    """Probability that an entry helps when shown, by Laplace's rule of succession over the outcomes so far."""
    good, bad = numbers.get("helpful", 0.0), numbers.get("harmful", 0.0)
    return (good + 1.0) / (good + bad + 2.0)


def sorted_by_use(entries: Iterable[Entry], numbers: Numbers) -> list[Entry]:
    """Entries by expected use, then by how often they were relied on, then newest first."""

    def worth(entry: Entry) -> tuple[float, float, str, str]:
        counted = numbers.get(entry.id, {})
        tried = counted.get("helpful", 0.0) + counted.get("harmful", 0.0)
        return expected_use(counted), tried, entry.created, entry.id

    return sorted(entries, key=worth, reverse=True)


def weighed_by_use(found: Iterable[tuple[Entry, float]], numbers: Numbers) -> list[tuple[Entry, float]]:
    """Found entries, whose scores are log odds, reordered by the odds that each is relevant and helps."""
    likely = [(entry, score + math.log(2.0 * expected_use(numbers.get(entry.id, {})))) for entry, score in found]
    return sorted(likely, key=lambda pair: -pair[1])


def standing_entries(entries: Sequence[Entry], numbers: Numbers) -> list[Entry]:
    """Routines and preferences that hold for the whole project today, by expected use."""
    current = filter(holding(entries), entries)
    return sorted_by_use(
        (entry for entry in current if entry.kind in KINDS and not entry.scope and not entry.ts), numbers
    )


def line(entry: Entry) -> str:
    """An entry as a list item, with its first paragraph if that is short."""
    more = " ".join(entry.first_paragraph.split())
    words = f"{entry.title}: {more}" if more and more != entry.title and len(more) <= 160 else entry.title
    return f"- {entry.id} {words or more[:160]}{' [stale: check first]' if entry.status == 'stale' else ''}"


def credit(counters: Counters, ids: Iterable[str], now: float, *, helped: bool) -> None:
    """Count for each cited entry that its use helped, or that the user reverted the result."""
    for name in ids:
        counters.bump(name, now, **({"helpful": 1} if helped else {"harmful": 1}))


def retire(store: EntryStore, counters: Counters, ids: Iterable[str]) -> tuple[Entry, ...]:
    """Archive those of the entries that were contradicted CONTRADICTED times and more often than they helped.

    Their files stay. Decisions are never archived: only a person or a superseding decision retires them. Raises
    StoreError.
    """
    wanted = set(ids)
    numbers = counters.read(wanted)
    archived = []
    for entry in store.entries():
        counted = numbers.get(entry.id, {}) if entry.id in wanted else {}
        bad = counted.get("harmful", 0.0)
        lasting = entry.kind in ("decision", "failure", "log") or entry.status not in ("current", "stale")
        if bad >= CONTRADICTED and bad > counted.get("helpful", 0.0) and not lasting:
            archived.append(store.change(entry.id, status="archived"))
            # An entry that is brought back gets as many chances again.
            counters.bump(entry.id, store.now(), harmful=-bad)
    return tuple(archived)


def near_duplicates(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of current entries of one kind that say nearly the same, the older first."""
    from ctxe.lexical.similarity import near_pairs
    from ctxe.lexical.words import terms

    current = [entry for entry in filter(holding(entries), entries) if entry.kind not in ("failure", "log")]
    words: list[frozenset[object]] = [frozenset(terms(f"{entry.title} {entry.text}")) for entry in current]
    pairs = ((current[pair.first], current[pair.second]) for pair in near_pairs(words, ALIKE))
    return [(one, other) for one, other in pairs if one.kind == other.kind and one.scope == other.scope]


def merge_entries(store: Store, ref: str, into: str) -> Entry:
    """Merge two entries that say the same: text that only ``ref`` has is added to ``into``, which supersedes it.

    No text is lost: the first entry keeps its file. Raises StoreError.
    """
    from ctxe.lexical.similarity import paragraphs

    one, target = store.get(ref), store.get(into)
    known = f"{target.title}\n{target.text}"
    more = [part for part in paragraphs(one.text) if part not in known]
    if one.title not in known and one.title not in more:
        more.insert(0, one.title)
    text = "\n\n".join([target.text, *([*more, f"({one.id}, {one.by}, {stamp(one.time)[:10]})"] if more else [])])
    return store.merge(
        one.id,
        target.id,
        text=text.strip(),
        files=_union(target.files, one.files),
        evidence=_union(target.evidence, one.evidence),
        supersedes=_union(target.supersedes, (one.id,)),
    )


def _union(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
