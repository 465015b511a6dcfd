"""The inbox of proposals and the files of entries, for commands by which a person changes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.entry import Entry, read_entry
from ctxe.knowledge.upkeep import decisions, playbook, review

if TYPE_CHECKING:
    from ctxe.project import Project


def read_entry_file(project: Project, entry: Entry) -> str:
    """An entry's file as text. Raises StoreError for an entry of a log, which has no file of its own."""
    from ctxe.project.memory.transfer import read_file

    if not entry.path.endswith(".md") or entry.path.startswith("daily/"):
        raise StoreError(f"{entry.id} is a line of {entry.path}", "edit that file, or use --title and --text")
    return read_file(project.store.folder / entry.path).decode("utf-8", "surrogateescape")


def write_entry_file(project: Project, entry: Entry, before: str, after: str) -> bool:
    """Save an edited file, unless it changed meanwhile; False when nothing was edited. Raises StoreError."""
    if before == after:
        return False
    data = after.encode("utf-8", "surrogateescape")
    read = read_entry(data, entry.path)
    if read.id != entry.id:
        raise StoreError(f"not saved: its id is no longer {entry.id}", "leave the id and the lines of --- as they are")
    project.store.check(read)

    def changes() -> dict[str, bytes | None]:
        if read_entry_file(project, entry) != before:
            raise StoreError(f"{entry.path} was changed meanwhile", "edit it again")
        return {entry.path: data}

    project.store.write(f"edit {entry.kind} {entry.id}", changes)
    return True


def waiting(project: Project) -> tuple[Entry, ...]:
    """Proposals in the inbox."""
    return review.pending_proposals(project.store)


def inbox_notice(project: Project) -> str:
    """A line with the number of waiting proposals, empty for none. It reads no entry."""
    from ctxe.terminal.figures import plural

    count = sum(1 for _ in (project.place.memory / "inbox").glob("*.md"))
    return f"{plural(count, 'proposal')} for the memory: `ctxe memory review`" if count else ""


def difference(project: Project, proposal: Entry) -> str:
    """A proposal compared with the entries it would replace, as a unified diff; empty when it replaces none."""
    from ctxe.tools.diff import unified

    held = {entry.id: entry for entry in project.store.entries()}
    old = [held[name] for name in proposal.supersedes if name in held]
    return "".join(unified(f"{entry.id}.md", _text(entry), _text(proposal)) for entry in old)


def _text(entry: Entry) -> str:
    return "\n".join(part for part in (entry.title, entry.text) if part) + "\n"


def near_duplicates(project: Project) -> list[tuple[Entry, Entry]]:
    """Pairs of current entries that say nearly the same, the older one first."""
    return playbook.near_duplicates(project.store.entries())


def rivals(project: Project) -> list[tuple[Entry, Entry, str]]:
    """Current entries that replaced the same one: the older, the newer, and the replaced entry in words."""
    entries = project.store.entries()
    titles = {entry.id: f"{entry.id} {entry.title}" for entry in entries}
    return [(one, other, titles.get(old, old)) for one, other, old in decisions.competing_entries(entries)]


def supersede(project: Project, loser: Entry, winner: Entry) -> str:
    """Let ``winner`` supersede ``loser``, which stays readable; returns a line about it. Raises StoreError."""
    project.store.move(winner.id, supersedes=(*winner.supersedes, loser.id))
    return f"{loser.id} no longer holds: {loser.title}"


def keep_both(project: Project, one: Entry, other: Entry) -> None:
    """Keep both of two entries: only the first still supersedes what both replaced."""
    project.store.change(other.id, supersedes=tuple(old for old in other.supersedes if old not in one.supersedes))


def settle(
    project: Project, accept: Sequence[str], reject: Sequence[str], merge: tuple[str, str] | None
) -> Iterator[str]:
    """Settle proposals by id (``all``: every one); yields a line about each. Raises StoreError."""
    every = [entry.id for entry in waiting(project)]
    for ref in every if "all" in accept else accept:
        yield settle_one(project, ref, "accept")
    for ref in every if "all" in reject else reject:
        yield settle_one(project, ref, "reject")
    if merge:
        yield settle_one(project, merge[0], "merge", merge[1])


def settle_one(project: Project, ref: str, answer: str, other: str = "") -> str:
    """Settle a proposal by a person's answer; returns a line about it. Raises StoreError."""
    entry = project.store.get(ref)
    if entry.status != "proposed" and answer == "merge":
        joined = playbook.merge_entries(project.store, entry.id, other)
        return f"{entry.id} is part of {joined.id} now"
    if entry.status != "proposed":
        raise StoreError(f"{entry.id} is not in the inbox", "`ctxe memory review` shows the inbox")
    if answer == "reject":
        return f"rejected {review.reject(project.store, entry.id).id} {entry.title}"
    if answer == "merge":
        return f"added to {review.merge(project.store, entry.id, other).id}"
    kept = review.accept(project.store, entry.id, (other,) if answer == "supersede" else ())
    return f"saved {kept.id} in {project.place.memory.name}/{kept.path}, by {kept.by}"
