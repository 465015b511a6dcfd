"""Reviews the inbox: a person accepts a proposal, merges it into an entry, or rejects it."""

from __future__ import annotations

from ctxe.knowledge.entries.entry import Entry, stamp
from ctxe.knowledge.entries.store import Store


def pending_proposals(store: Store) -> tuple[Entry, ...]:
    """Proposals in causal order."""
    return tuple(entry for entry in store.entries() if entry.status == "proposed")


def accept(store: Store, ref: str, supersedes: tuple[str, ...] = ()) -> Entry:
    """Turn a proposal into an entry that replaces those it supersedes. Raises StoreError."""
    entry = store.get(ref)
    status = ("resolved" if entry.fix else "open") if entry.kind == "failure" else "current"
    by = entry.by.replace("(proposed)", "(approved)")
    return store.move(entry.id, status=status, by=by, supersedes=(*entry.supersedes, *supersedes))


def merge(store: Store, ref: str, into: str) -> Entry:
    """Add a proposal's text to an existing entry and remove the proposal, in one write. Raises StoreError."""
    proposal, target = store.get(ref), store.get(into)
    words = proposal.text if proposal.title == target.title else f"{proposal.title}\n{proposal.text}".strip()
    day = stamp(store.now())[:10]
    text = target.text if words and words in target.text else f"{target.text}\n\n{words} ({proposal.by}, {day})".strip()
    files = tuple(dict.fromkeys((*target.files, *proposal.files)))
    evidence = tuple(dict.fromkeys((*target.evidence, *proposal.evidence)))
    return store.merge(proposal.id, target.id, text=text, files=files, evidence=evidence)


def reject(store: Store, ref: str) -> Entry:
    """Remove a proposal. Raises StoreError."""
    (removed,) = store.forget(store.get(ref).id)
    return removed
