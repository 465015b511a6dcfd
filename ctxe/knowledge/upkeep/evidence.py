"""Checks whether the evidence of an entry still holds, against facts that the caller supplies; it retires nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.entries.entry import Entry

DIGITS = 12
"""Hex digits of a content hash in evidence: ``file src/a.py@1a2b3c4d5e6f``."""

_PIN = pattern(r"@([0-9a-f]{6,})$")


def _always(_name: str) -> bool:
    return True


def _nothing(_path: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The present state of the repository: lookups by path (relative to the root), commit id, symbol and test name.

    ``digest`` returns the content hash of a file, empty if it is not known.
    """

    file: Callable[[str], bool] = _always
    commit: Callable[[str], bool] = _always
    symbol: Callable[[str], bool] = _always
    test: Callable[[str], bool] = _always
    digest: Callable[[str], str] = _nothing


def gone_evidence(entry: Entry, facts: Facts) -> tuple[str, ...]:
    """What the entry cites that is gone or changed, such as ``("file a.py is gone",)``; empty if everything holds."""
    missing = [f"file {path} is gone" for path in entry.files if _can_be_gone(path, entry) and not facts.file(path)]
    for item in entry.evidence:
        kind, _, name = item.partition(" ")
        lost = _fault_of(kind, name.strip(), facts)
        missing += [f"{kind} {lost}"] if lost else []
    return tuple(dict.fromkeys(missing))


def _fault_of(kind: str, name: str, facts: Facts) -> str:
    """What is wrong with one piece of evidence; "" if it holds or cannot be checked."""
    pin = _PIN.search(name)
    path = _PIN.sub("", name).partition(":")[0]
    if not name:
        return ""
    if kind == "commit":
        return "" if facts.commit(name) else f"{name} is gone"
    if kind == "symbol":
        return "" if facts.symbol(name) else f"{name} is gone"
    if kind not in ("file", "test") or not _can_be_looked_up(path):
        return ""
    if not facts.file(path):
        return f"{path} is gone"
    if kind == "test":
        return "" if facts.test(name) else f"{name} is gone"
    now = facts.digest(path) if pin else ""
    return f"{path} has changed since" if pin and now and not now.startswith(pin[1]) else ""


def with_hashes(entry: Entry, facts: Facts) -> Entry:
    """The entry with the present content hashes of its evidence files added, so that later changes are noticed."""
    pins = (_pin(item, facts) for item in entry.evidence)
    return replace(entry, evidence=tuple(pins))


def confirmed(entry: Entry, facts: Facts) -> Entry:
    """The entry after a person confirmed it: with new hashes, and without evidence and files that are gone."""
    now = with_hashes(entry, facts)
    files = (path for path in now.files if not _can_be_gone(path, now) or facts.file(path))
    cited = ((item, *item.partition(" ")[::2]) for item in now.evidence)
    evidence = (item for item, kind, name in cited if not _fault_of(kind, name.strip(), facts))
    return replace(now, files=tuple(files), evidence=tuple(evidence))


def _pin(item: str, facts: Facts) -> str:
    kind, _, name = item.partition(" ")
    path = _PIN.sub("", name.strip())
    digest = facts.digest(path) if kind == "file" else ""
    return f"file {path}@{digest[:DIGITS]}" if digest else item


def stale_entries(entries: Iterable[Entry], facts: Facts) -> dict[str, tuple[str, ...]]:
    """What is gone of each entry that holds today, by id. A failure is stale only if all its files are gone."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if entry.status not in ("current", "open", "stale") or entry.ts:
            continue
        missing = gone_evidence(entry, facts)
        if entry.kind == "failure" and any(_can_be_looked_up(path) and facts.file(path) for path in entry.files):
            continue
        if missing:
            found[entry.id] = missing
    return found


def _can_be_gone(path: str, entry: Entry) -> bool:
    """Whether a cited file can be gone.

    A run may have named a file that never was in the tree, or is elsewhere in it.
    """
    depended = (item.rpartition("@")[0] for item in entry.state)
    return _can_be_looked_up(path) and (not entry.call or path in depended)


def _can_be_looked_up(path: str) -> bool:
    """Whether the path can be looked up: no pattern, and not outside the root."""
    return bool(path) and not any(sign in path for sign in "*?[{") and not path.startswith(("/", "~", ".."))
