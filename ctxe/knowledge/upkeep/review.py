"""Reviews the inbox: a person accepts a proposal, merges it into an entry, or rejects it."""

from __future__ import annotations

from ctxe.knowledge.entries.entry import Entry, stamp
from ctxe.knowledge.entries.store import Store


def waiting(store: Store) -> tuple[Entry, ...]:
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
    proposal, held = store.get(ref), store.get(into)
    said = proposal.text if proposal.title == held.title else f"{proposal.title}\n{proposal.text}".strip()
    day = stamp(store.now())[:10]
    text = held.text if said and said in held.text else f"{held.text}\n\n{said} ({proposal.by}, {day})".strip()
    files = tuple(dict.fromkeys((*held.files, *proposal.files)))
    evidence = tuple(dict.fromkeys((*held.evidence, *proposal.evidence)))
    return store.merge(proposal.id, held.id, text=text, files=files, evidence=evidence)


def reject(store: Store, ref: str) -> Entry:
    """Remove a proposal. Raises StoreError."""
    (gone,) = store.forget(store.get(ref).id)
    return gone
