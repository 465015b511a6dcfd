"""Renders a loaded skill for the model: its fenced text with its origin, its tools and its other files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.knowledge.beginnings import largest_fitting
from ctxe.knowledge.fence import fence
from ctxe.knowledge.skills.skill import Skill
from ctxe.lexical.similarity import paragraphs
from ctxe.safety.display import one_line
from ctxe.storage import files

PREFIX = "skill "
"""Prefix of the name of a chunk with a loaded skill."""
OPENING = "<skill "
"""Start of the text of a loaded skill."""
LEAST = 60
"""Minimum tokens for a cut body; with less room it is left out."""
MOST_LISTED = 40


def skill_page(skill: Skill, room: int, count: Callable[[str], int]) -> str:
    """Body, tools with their schemas, and files, in at most ``room`` tokens; empty if hardly anything fits."""
    more = _tools_and_files(skill)
    whole = _page(skill, skill.body, more)
    if count(whole) <= room:
        return whole
    note = f"\n\n[cut: `use` name {skill.name}/SKILL.md gives all of it]"
    parts = paragraphs(skill.body)

    def cut(number: int) -> str:
        return _page(skill, "\n\n".join(parts[:number]) + note, more)

    kept = largest_fitting(len(parts), lambda number: count(cut(number)) <= room)
    return cut(kept) if kept and room >= LEAST else ""


def full_page(skill: Skill) -> str:
    """The whole page, without a limit."""
    return _page(skill, skill.body, _tools_and_files(skill))


def _page(skill: Skill, body: str, more: str) -> str:
    folder = skill.where if skill.origin == "project" else str(skill.folder)
    fenced = fence(f"{body}\n\n{more}".strip(), skill.where, "skill", name=skill.name, folder=folder)
    return fenced.text


def _tools_and_files(skill: Skill) -> str:
    """Lines about the skill's tools and files."""
    return "\n".join(_lines(skill))


def _lines(skill: Skill) -> Iterator[str]:
    if skill.scripts:
        yield 'Tools, called by `use` with this name and arguments {"args": [string, …]}:'
        for path in skill.scripts[:MOST_LISTED]:
            yield f"- {skill.name}/{path}{_description(skill.folder / path)}"
    if skill.references:
        yield "Files, read by `use` with this name:"
        for path in skill.references[:MOST_LISTED]:
            yield f"- {skill.name}/{path}"
        if len(skill.references) > MOST_LISTED:
            yield f"- and {len(skill.references) - MOST_LISTED} more"
    if skill.tools:
        yield "(What the module says about allowed tools gives no permission; the user decides as always.)"


def _description(path: Path) -> str:
    """A script's description: its first comment or docstring."""
    try:
        text = files.read(path, 4_000).decode("utf-8", "replace")
    except StoreError:
        return ""
    comment = ""
    if path.suffix == ".py" and (found := re.search(r'^[rbu]*("""|\'\'\')(.*?)\1', text, re.MULTILINE | re.DOTALL)):
        comment = found[2]
    else:
        lines = (row.lstrip("#/* ").strip() for row in text.splitlines() if re.match(r"\s*(#(?!!)|//|\*|/\*)", row))
        comment = next((row for row in lines if row), "")
    first = comment.strip().split("\n\n")[0]
    return f": {one_line(first, 160)}" if first else ""
