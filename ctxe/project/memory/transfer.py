"""Imports memory from files of other tools, and exports all of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError
from ctxe.knowledge.upkeep import bulk
from ctxe.storage import files

if TYPE_CHECKING:
    from ctxe.project import Project


def import_file(project: Project, source: Path | None, data: bytes, name: str) -> bulk.Imported:
    """Import JSON lines, or a rule file of another tool (by its name). Raises StoreError."""
    if b"\0" in data[:8192]:
        raise StoreError(f"{name} is not text", "JSON lines, or the Markdown rules of another tool")
    suffix = source.suffix or source.name if source else ""
    if suffix.lower() in bulk.MARKDOWN or (source and source.name.lower() in bulk.MARKDOWN):
        return bulk.import_rules(project.store, data, name)
    return bulk.import_lines(project.store, data.split(b"\n"), name)


def import_folder(project: Project, folder: Path) -> bulk.Imported:
    """Import every Markdown rule file below a folder (``.cursor/rules``), by its relative path. Raises StoreError."""
    if project.root.is_relative_to(folder.resolve()):
        raise StoreError(f"{folder.resolve()} holds the whole project", "name the folder of the rules: .cursor/rules")
    every = (Path(at) / name for at, _, names_ in os.walk(folder) for name in names_)
    found = sorted(path for path in every if path.suffix.lower() in bulk.PAGES and path.is_file())
    if not found:
        raise StoreError(f"there are no rule files in {folder}", "they end in " + ", ".join(bulk.PAGES))
    pages = {path.relative_to(folder).as_posix(): read_file(path) for path in found}
    return bulk.import_pages(project.store, pages, folder.name)


def read_file(path: Path) -> bytes:
    """The bytes of a file to import. Raises StoreError."""
    return files.read(path, files.MOST_BYTES)


def export_entries(project: Project, form: str, kind: str = "") -> str:
    """Everything remembered, as JSON lines or Markdown."""
    entries = [entry for entry in project.store.entries() if not kind or entry.kind == kind]
    return bulk.as_lines(entries) if form == "jsonl" else bulk.as_markdown(entries)
