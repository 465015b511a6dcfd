"""Bulk import and export: JSON lines both ways, rule files of other tools in, Markdown out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ctxe.domain.value import dataclass, replace
from ctxe.knowledge import globs
from ctxe.knowledge.entries import front, names
from ctxe.knowledge.entries.entry import Entry, slug, update_entry, write_entry
from ctxe.knowledge.entries.logs import from_object, parse_object, replaced, write_log
from ctxe.knowledge.entries.store import Store

MARKDOWN = (".md", ".mdc", ".markdown", ".txt", ".cursorrules", ".windsurfrules", ".clinerules", ".goosehints")
PAGES = MARKDOWN[:3]
"""Extensions of rule files that are imported from a folder."""
LONGEST_TITLE = 120
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*")


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import; ``problems`` are (line number, message) of the lines that were skipped."""

    imported: int
    problems: tuple[tuple[int, str], ...] = ()

    @property
    def skipped(self) -> int:
        """Number of lines that could not be read."""
        return len(self.problems)


def import_lines(store: Store, lines: Iterable[bytes], name: str) -> Imported:
    """Keep one entry per JSON line; a known id replaces its entry. Entries of kind ``log`` go to the log ``name``.

    Raises StoreError if the write fails; then nothing was written.
    """
    found: dict[str, Entry] = {}
    problems: list[tuple[int, str]] = []
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip().removeprefix(front.BOM):
            continue
        try:
            entry = from_object(parse_object(line.removeprefix(front.BOM)))
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        count += 1
        found.pop(entry.id, None)
        found[entry.id] = store.masked(entry)
    keep(store, found, f"import {len(found)} entries from {name}", slug(name))
    return Imported(count, tuple(problems))


def keep(store: Store, entries: Mapping[str, Entry], says: str, log: str) -> None:
    """Add entries by id, replacing those with the same id, in one undoable write."""
    if entries:
        store.write(says, lambda: _changes(store, entries, log))


def _changes(store: Store, entries: Mapping[str, Entry], log: str) -> dict[str, bytes | None]:
    """The new content of every file that the entries change, by path; None removes a file."""
    known = [entry for entry in store.entries() if entry.id in entries]
    in_files = {entry.id: entry for entry in known if not entry.path.startswith("daily/")}
    days = {entry.id for entry in known if entry.path.startswith("daily/")}
    logs: dict[str, dict[str, bytes]] = {}
    changes: dict[str, bytes | None] = {}
    for name, entry in entries.items():
        old = in_files.get(name)
        if entry.kind == "log" and name in days:
            continue  # the id of a daily line is a hash of its words, so this line is there already
        if entry.kind == "log" and entry.status != "proposed":
            path = old.path if old and old.path.endswith(".jsonl") else f"memory/log/{log}.jsonl"
            logs.setdefault(path, {})[name] = write_log([entry])
        else:
            path = names.path_of(entry, name)
            changes[path] = _page(store, old, entry, path)
        if old and old.path != path:
            if old.path.endswith(".jsonl"):
                logs.setdefault(old.path, {})[name] = b""
            else:
                changes[old.path] = None
    for path, lines in logs.items():
        changes[path] = replaced(store.disk.read(path) if (store.folder / path).exists() else b"", lines)
    return changes


def _page(store: Store, old: Entry | None, entry: Entry, path: str) -> bytes:
    if old is None or old.path != path:
        return write_entry(entry)
    return update_entry(store.disk.read(path), old, replace(entry, extra=old.extra))


def import_rules(store: Store, data: bytes, name: str) -> Imported:
    """Keep a rule file of another tool as preferences, one per heading. Raises StoreError."""
    return import_pages(store, {name: data}, name)


def import_pages(store: Store, pages: Mapping[str, bytes], name: str) -> Imported:
    """Keep rule files of another tool (by file name) as preferences, one per heading, in one undoable write.

    A second import replaces them. ``name`` is the name of the import. Raises StoreError.
    """
    found = {entry.id: store.masked(entry) for page, data in pages.items() for entry in rules_of(data, page)}
    keep(store, found, f"import {len(found)} entries from {name}", slug(name))
    return Imported(len(found))


def rules_of(data: bytes, name: str) -> tuple[Entry, ...]:
    """The sections of a Markdown file as preferences; the globs in its front matter are their scope.

    The title of text before the first heading is the front matter's description, else the file name.
    """
    page = front.parse(data)
    values = page.values()
    scope = globs.scope(values.get("globs"), values.get("paths"), values.get("applyTo"))
    entries: dict[str, Entry] = {}
    for title, text in _sections(page.text(), name):
        first = key = f"{slug(name)}/{slug(title)}"
        number = 1
        while key in entries:
            number += 1
            key = f"{first}-{number}"
        shown_title = str(values.get("description") or title)[:LONGEST_TITLE] if title == name else title
        entries[key] = Entry(key, "preference", shown_title, by=f"import of {name}", scope=scope, text=text)
    return tuple(entries.values())


def _sections(text: str, name: str) -> list[tuple[str, str]]:
    """(heading, text) of each section with text; code blocks are not searched for headings."""
    found: list[tuple[str, list[str]]] = [(name, [])]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading:
            found.append((heading[2], []))
        else:
            found[-1][1].append(line)
    sections = [(title, "\n".join(lines).strip()) for title, lines in found]
    return [(title, words) for title, words in sections if words]


def as_lines(entries: Iterable[Entry]) -> str:
    """JSON lines that ``import_lines`` reads back."""
    return write_log(entries).decode()


def as_markdown(entries: Sequence[Entry]) -> str:
    """One Markdown page with all entries, by kind, for people and for other tools."""
    parts = ["# What this project remembers"]
    for kind in dict.fromkeys(entry.kind for entry in entries):
        parts.append(f"## {kind.capitalize()}")
        for entry in entries:
            if entry.kind == kind:
                marks = ", ".join(filter(None, (entry.id, entry.status, entry.created[:10], entry.by)))
                parts.append(f"### {entry.title or entry.id}\n\n{entry.text}".rstrip() + f"\n\n*{marks}*")
    return "\n\n".join(parts) + "\n"
