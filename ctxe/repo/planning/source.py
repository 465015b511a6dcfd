"""The planned files as a section of the request: one chunk per file, with its tier and reasons."""

from __future__ import annotations

from ctxe.domain.section import Chunk, Omission, Priority, Section
from ctxe.repo.planning.planner import Plan

SECTION = "files"


def section(plan: Plan) -> Section:
    """A plan as a section; files shown by name only share one chunk at the end."""
    chunks = [
        Chunk(f"{SECTION}:{file.path}", file.text, file.why, file.mode, file.path)
        for file in plan.files
        if file.mode != "name"
    ]
    names = [file.path for file in plan.files if file.mode == "name"]
    if names:
        chunks.append(Chunk(f"{SECTION}:names", "\n".join(names), "further files that may matter", "name"))
    left_out = tuple(Omission(f"{SECTION}:{omitted.path}", 0, omitted.reason) for omitted in plan.left_out)
    return Section(SECTION, Priority.INJECTED, tuple(chunks), "task", "files", left_out)
