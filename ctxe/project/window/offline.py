"""The answer of the offline model: which files matter to the words, and what memory and failures know about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.domain.section import Task

if TYPE_CHECKING:
    from ctxe.project import Project


BUDGET, MOST = 6_000, 6
"""Token budget of the plan, and the number of files and of memory entries that are listed."""


def offline_answer(project: Project, words: str) -> str:
    """An answer in Markdown, from the repository and its memory alone."""
    parts = [_files(project, words), _memory(project, words)]
    return "\n\n".join(part for part in parts if part) or "Nothing in this repository bears on that."


def _files(project: Project, words: str) -> str:
    from ctxe.project.planning.plan import plan

    rows = []
    for file in plan(project, words, BUDGET).files[:MOST]:
        where = ", ".join(f"{first}–{last}" if first < last else str(first) for first, last in file.ranges[:3])
        rows.append(f"- `{file.path}`{f' lines {where}' if where else ''}: {file.why}")
    return "**Files that bear on this**\n\n" + "\n".join(rows) if rows else ""


def _memory(project: Project, words: str) -> str:
    from ctxe.knowledge.entries.links import holding

    entries = project.store.entries()
    found = project.ranker(Task(words), entries, holding(entries))[:MOST]
    rows = [
        f"- {one.kind} {one.id}: {one.title or one.text[:100]}{f' → {one.fix}' if one.fix else ''}" for one, _ in found
    ]
    return "**What this project remembers of it**\n\n" + "\n".join(rows) if rows else ""
