"""The memory folder for the commands: list, show, write and summarise its entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import CtxeError, StoreError
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.entries import daily, links, names
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.logs import to_object
from ctxe.knowledge.entries.outside_changes import outside_changes
from ctxe.knowledge.upkeep import decisions, review
from ctxe.knowledge.upkeep.evidence import confirmed, stale_entries, with_hashes
from ctxe.knowledge.upkeep.playbook import Numbers, sorted_by_use
from ctxe.project.memory.evidence import facts_of

if TYPE_CHECKING:
    from ctxe.knowledge.entries.snapshot import FolderSnapshot
    from ctxe.project import Project

NOTHING_SAID = "say what to remember"
ADD = 'ctxe memory add "The API listens on port 8080"'
NO_LISTS: Mapping[str, Iterable[str]] = MappingProxyType({})


def estimate_tokens(text: str) -> int:
    """An estimate of a text's tokens without loading a tokenizer: four characters per token."""
    return (len(text) + 3) // 4


def rows(
    project: Project, kind: str = "", *, all_: bool = False, snapshot: FolderSnapshot | None = None
) -> list[dict[str, Any]]:
    """Entries for a listing, in causal order: the contract's objects plus ``stale``, ``uses``, ``tokens`` and more.

    Only current entries and proposals, unless ``all_``; logs only when asked for by kind. ``tokens`` are rough.
    ``snapshot`` must be of the folder as it is now.
    """
    entries = (snapshot or project.store.snapshot()).entries
    replaced = links.successors(entries)
    gone = stale_entries(entries, facts_of(project))
    numbers = project.counters.read()
    found: list[dict[str, Any]] = []
    rivals = {newer.id: older.id for older, newer, _ in decisions.competing_entries(entries)}
    first: dict[tuple[str, str], str] = {}
    for entry in entries:
        current = links.is_current(entry, replaced)
        wanted = entry.kind == kind if kind else entry.kind != "log"
        if not wanted or not (all_ or entry.status == "proposed" or current):
            continue
        same = first.setdefault((entry.kind, " ".join(f"{entry.title} {entry.text}".lower().split())), entry.id)
        extra = {
            "path": entry.path,
            "tokens": estimate_tokens(entry.title + entry.text),
            "number": entry.number,
            "current": current,
            "superseded_by": replaced.get(entry.id),
            "stale": list(gone.get(entry.id, ())),
            "uses": _uses(numbers, entry),
            "same_as": same if same != entry.id else None,
            "rival": rivals.get(entry.id),
            "problems": list(entry.problems),
            "at": entry.time,
        }
        found.append(to_object(entry) | extra)
    return found


def _uses(numbers: Numbers, entry: Entry) -> int:
    """How often an entry was shown to a model."""
    return int(numbers.get(entry.id, {}).get("used", 0))


def overview(project: Project, snapshot: FolderSnapshot | None = None) -> dict[str, Any]:
    """What ``memory show`` says besides the entries: days, logs, inbox, problems, changes from outside."""
    snapshot = snapshot or project.store.snapshot()
    logs = [entry for entry in snapshot.entries if entry.kind == "log"]
    days = {entry.path for entry in logs if entry.path.startswith("daily/")}
    return {
        "folder": str(project.place.memory),
        "days": len(days),
        "lines": sum(entry.path.startswith("daily/") for entry in logs),
        "bulk": sum(entry.path.endswith(".jsonl") for entry in logs),
        "inbox": sum(entry.status == "proposed" for entry in snapshot.entries),
        "problems": [{"path": problem.path, "says": problem.says} for problem in snapshot.problems],
        "outside": [
            {"path": change.path, "change": change.change} for change in outside_changes(project.store, snapshot)
        ],
    }


@dataclass(frozen=True, slots=True)
class EntryHistory:
    """An entry, what it replaced, the id of what replaced it, and the evidence it lost."""

    entry: Entry
    replaced: tuple[Entry, ...]
    superseded_by: str | None
    lost: tuple[str, ...]


def history(project: Project, ref: str) -> EntryHistory:
    """What became of an entry. Raises StoreError."""
    entries = project.store.entries()
    entry = project.store.get(ref)
    lost = stale_entries([entry], facts_of(project)).get(entry.id, ())
    return EntryHistory(entry, decisions.history(entry, entries), links.successors(entries).get(entry.id), lost)


def entry_object(project: Project, ref: str) -> dict[str, Any]:
    """One entry as JSON, with what it replaced and what replaced it. Raises StoreError."""
    known = history(project, ref)
    links_to = {"superseded_by": known.superseded_by, "replaces": [old.id for old in known.replaced]}
    state = {"stale": list(known.lost), "problems": list(known.entry.problems)}
    return to_object(known.entry) | {"path": known.entry.path} | links_to | state


def today(project: Project) -> tuple[str, tuple[Entry, ...]]:
    """Today (UTC), and the lines of its log."""
    day = daily.day_of(project.store.now())
    return day, tuple(entry for entry in project.store.entries() if entry.path == f"daily/{day}.md")


def weeks(project: Project) -> dict[str, tuple[str, ...]]:
    """Older days of the log, summarised week by week."""
    return daily.weeks(project.store.entries(), daily.day_of(project.store.now()))


def entry_of_kind(project: Project, ref: str, kind: str) -> Entry:
    """The entry of this kind that a person means by ``ref``. Raises StoreError."""
    hint = f"`ctxe {kind}s list` shows them"
    found = names.matching(project.store.entries(), ref)
    fit = [entry for entry in found if entry.kind == kind]
    if len(fit) > 1:
        return project.store.get(ref)
    if not fit and len(found) == 1:
        raise StoreError(f"{found[0].id} is a {found[0].kind}, no {kind}: {found[0].title}", hint)
    if not fit:
        raise StoreError(f"no {kind} {ref}".rstrip(), hint)
    return fit[0]


def draft_entry(text: str, kind: str = "fact", title: str = "", lists: Mapping[str, Iterable[str]] = NO_LISTS) -> Entry:
    """A new entry from the user's words; without a title its first sentence is used. Raises CtxeError for no words.

    ``lists`` holds its scope, files and evidence.
    """
    text = text.strip()
    if not (text or title.strip()):
        example = 'ctxe decisions add "Use X" "because"' if kind == "decision" else ADD
        raise CtxeError(NOTHING_SAID, example)
    head, rest = (title, text) if title else _headline(text)
    values: dict[str, Any] = {key: tuple(value) for key, value in lists.items()}
    return Entry("", kind, head, text=rest, **values)


def add_note(project: Project, words: str, session: str = "") -> Entry:
    """Save a note of the user's as a fact. Raises CtxeError for no words, StoreError."""
    return project.store.add(replace(draft_entry(words), session=session))


def add_entry(project: Project, draft: Entry) -> Entry:
    """Save a new entry, with hashes of the files it cites. Raises StoreError."""
    draft = decisions.replacement(draft, [project.store.get(old) for old in draft.supersedes])
    return project.store.add(with_hashes(draft, facts_of(project)))


def replacement_line(project: Project, old: Entry, new: Entry) -> str:
    """A line on what became of a replaced entry: another entry may have replaced it before."""
    for one, other, replaced in decisions.competing_entries(project.store.entries()):
        if replaced == old.id and other.id == new.id:
            return f"{old.id} was replaced by {one.id} already, which stays: {one.title}"
    return f"{old.id} no longer holds: {old.title}"


def confirm(project: Project, ref: str) -> Entry:
    """Update an entry's evidence to the current tree after a person confirmed the entry. Raises StoreError."""
    entry = project.store.get(ref)
    now = confirmed(entry, facts_of(project))
    return project.store.change(entry.id, evidence=now.evidence, files=now.files) if now != entry else entry


def find_duplicate(project: Project, draft: Entry) -> Entry | None:
    """An entry that says the same, word for word; None without one."""
    return decisions.find_same(draft, project.store.entries())


def same_subject(project: Project, draft: Entry) -> tuple[Entry, ...]:
    """Current entries that may say the same or the opposite."""
    return decisions.same_subject(draft, project.store.entries())


def statistics(project: Project) -> dict[str, Any]:
    """How much is remembered, how much of it was used, and how much never was."""
    entries = project.store.entries()
    numbers = project.counters.read()
    kinds: dict[str, dict[str, int]] = {}
    for entry in entries:
        held = kinds.setdefault(entry.kind, {"entries": 0, "tokens": 0, "used": 0})
        held["entries"] += 1
        held["tokens"] += estimate_tokens(entry.title + entry.text)
        held["used"] += _uses(numbers, entry)
    lasting = [e for e in filter(links.holding(entries), entries) if e.kind not in ("log", "failure")]
    most = sorted(((entry, _uses(numbers, entry)) for entry in lasting), key=lambda pair: -pair[1])[:10]
    return {
        "kinds": kinds,
        "most_used": [{"id": entry.id, "title": entry.title, "uses": uses} for entry, uses in most if uses],
        "judged": _ratings(lasting, numbers),
        "never_used": sum(not _uses(numbers, entry) for entry in lasting),
        "stale": len(stale_entries(entries, facts_of(project))),
        "superseded": len(links.successors(entries)),
        "inbox": len(review.pending_proposals(project.store)),
    }


def _ratings(entries: Sequence[Entry], numbers: Numbers) -> list[dict[str, Any]]:
    """Entries that the model used, best first, with how often that helped and how often it harmed."""
    found = []
    for entry in sorted_by_use(entries, numbers):
        good, bad = (int(numbers.get(entry.id, {}).get(name, 0)) for name in ("helpful", "harmful"))
        if good or bad:
            found.append({"id": entry.id, "title": entry.title, "helpful": good, "harmful": bad})
    return found


def _headline(text: str) -> tuple[str, str]:
    """A title for words without one: their first line or sentence. The text stays whole when it says more."""
    first = text.splitlines()[0].strip().lstrip("#").strip()
    if len(first) > 100:
        sentence = first[:100].rpartition(". ")[0]
        first = sentence or (first[:99].rpartition(" ")[0] or first[:99]) + "…"
    return first, "" if first == text else text
