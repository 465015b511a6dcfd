"""Remembered failures: recorded once, grouped by signature, and shown with their fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.entries.entry import Entry, brief, moment, stamp
from ctxe.knowledge.entries.ports import EntryStore
from ctxe.knowledge.failures.commands import plain_command
from ctxe.knowledge.failures.signature import signature
from ctxe.storage.counters import Counters

OPEN, SETTLED = frozenset({"open", "current"}), frozenset({"resolved", "wontfix", "stale"})
FIX_WORDS = 45
"""Words of a lesson: about 60 tokens."""
FAILING = "Failing: "
"""Prefix of the line that names failed tests."""


@dataclass(frozen=True, slots=True)
class Group:
    """All entries about one failure. ``seen`` counts its occurrences; ``first`` and ``last`` are unix seconds."""

    signature: str
    entries: tuple[Entry, ...]
    status: str
    seen: int
    first: float
    last: float

    @property
    def entry(self) -> Entry:
        """The entry to show: one with a fix if there is any, then the newest."""
        return max(self.entries, key=lambda entry: (bool(entry.fix), entry.created, entry.id))

    @property
    def fix(self) -> str:
        """What fixed it; empty if unknown."""
        return self.entry.fix

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that its entries name."""
        return tuple(dict.fromkeys(file for entry in self.entries for file in entry.files))


def manual_failure(what: str, error: str = "", command: str = "", root: str = "", **more: Any) -> Entry:
    """A failure that the user or model noted (``failures add``, ``record_failure``); its text gives the signature."""
    kind, _, message = error.partition(": ") if ": " in error else ("", "", error)
    draft = Entry("", "failure", what, "open", command=plain_command(command, root), error=error, **more)
    return replace(draft, signature=signature(command, kind, message or what, draft.files[:1], root=root))


def record(store: EntryStore, draft: Entry, counters: Counters) -> tuple[Entry, bool]:
    """Count a failure, and keep it if it is new. Returns its entry and whether it is new.

    A stale entry becomes open again. Raises StoreError.
    """
    counters.bump(draft.signature, store.now(), seen=1)
    known = [entry for entry in store.entries() if entry.signature == draft.signature and entry.status != "proposed"]
    if known:
        best = max(known, key=lambda entry: (entry.status not in SETTLED, bool(entry.fix), entry.created))
        return (store.change(best.id, status="open"), False) if best.status == "stale" else (best, False)
    now = stamp(store.now())
    masked = store.masked(replace(draft, created=now, first_seen=draft.first_seen or now))
    return store.add(masked, f"record failure {draft.signature[:8]}"), True


def groups(entries: Iterable[Entry], counters: Mapping[str, Mapping[str, float]]) -> tuple[Group, ...]:
    """Failures by signature: open ones first, then the last seen first. ``counters`` are by signature."""
    by_signature: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind == "failure" and entry.status != "proposed":
            by_signature.setdefault(entry.signature or entry.id, []).append(entry)
    found = [_group(name, tuple(files), counters.get(name, {})) for name, files in by_signature.items()]
    return tuple(sorted(found, key=lambda group: (group.status in SETTLED, -group.last, group.signature)))


def lesson(group: Group) -> str:
    """One line for the model: what failed, what was tried, and the fix or that there is none yet."""
    entry = group.entry
    parts = [entry.title or entry.error]
    if group.status == "open" and (failing := _unnamed_test(entry)):
        parts.append(f"in {failing}")
    if entry.tried:
        parts.append(f"tried: {brief(entry.tried, 160)}")
    if group.fix and group.fix not in entry.title:
        parts.append(f"fix: {brief(group.fix, 300)}")
    elif group.status == "open":
        parts.append("not fixed yet")
    times = f" (seen {group.seen} times)" if group.seen > 1 else ""
    return "; ".join(parts) + times


def _unnamed_test(entry: Entry) -> str:
    """The first test that failed with this error, unless title or command name it already."""
    named = next((line for line in entry.text.splitlines() if line.startswith(FAILING)), "").removeprefix(FAILING)
    first, *more = re.split(r", (?![^\[\]]*\])", named)
    last = first.replace("::", " ").replace("#", " ").split()[-1:]
    known = not last or last[0] in f"{entry.title} {entry.command}"
    return "" if known else f"{brief(first, 120)}{' and others' if more else ''}"


def short_fix(words: str) -> str:
    """A lesson cut to FIX_WORDS words."""
    parts = words.split()
    return " ".join(parts[:FIX_WORDS]) + (" …" if len(parts) > FIX_WORDS else "")


def _group(name: str, entries: Sequence[Entry], numbers: Mapping[str, float]) -> Group:
    statuses = {entry.status for entry in entries}
    status = "open" if statuses & OPEN and "resolved" not in statuses else ""
    status = status or next((word for word in ("resolved", "wontfix", "stale") if word in statuses), "open")
    times = [when for entry in entries for when in (moment(entry.first_seen), entry.time) if when]
    first = min([*times, *([numbers["first"]] if "first" in numbers else [])], default=0.0)
    last = max([*times, numbers.get("last", 0.0)], default=0.0)
    return Group(name, tuple(entries), status, max(int(numbers.get("seen", 0)), len(entries)), first, last)
