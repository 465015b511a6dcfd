"""Finds the curated summaries of a project: the MEMORY.md files."""

from __future__ import annotations

from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.knowledge.folders import folders_down
from ctxe.storage import files

MOST_BYTES = 262_144


def summaries(root: Path, working: Path, store: Path) -> list[tuple[str, str]]:
    """Path and text of the curated summaries: MEMORY.md from ``root`` to ``working``, then that of the ``store``."""
    found = []
    for path in (folder / "MEMORY.md" for folder in (*folders_down(root, working), store)):
        try:
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                text = files.read(path, MOST_BYTES).decode("utf-8", "replace").strip()
                if text:
                    found.append((path.relative_to(root).as_posix(), text))
        except (StoreError, OSError, ValueError):
            continue
    return found
