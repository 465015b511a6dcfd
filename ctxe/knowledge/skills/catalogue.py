"""The list of skills for the model: the most useful in full, others shortened, the rest counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.knowledge.skills.skill import Skill

SHORT = 12
"""Words of a shortened description."""
FRAME = 24
"""Tokens of the fence and of the line that counts what is left out."""
_SENTENCE = pattern(r"(.+?[.!?])(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The list, and the skills in it that are shortened, that have only their name, or that are left out."""

    text: str = ""
    short: tuple[Skill, ...] = ()
    bare: tuple[Skill, ...] = ()
    out: tuple[Skill, ...] = ()


def catalogue(skills: Sequence[Skill], room: int, count: Callable[[str], int]) -> Catalogue:
    """One line per skill in at most ``room`` tokens; ``skills`` start with the most useful.

    If they do not fit, the least useful are shortened, then reduced to their name, then left out.
    """
    forms = [(skill_line(skill), short_line(skill), f"{skill.name}, ") for skill in skills]
    costs = [(count(whole) + 1, count(short) + 1, count(name)) for whole, short, name in forms]
    levels = _levels(costs, room - FRAME)
    at = [[skill for skill, level in zip(skills, levels, strict=True) if level == n] for n in range(4)]
    if len(at[3]) == len(skills):
        return Catalogue(out=tuple(skills))
    rows = [forms[n][level] for n, level in enumerate(levels) if level < 2]
    rows += [f"by name only: {', '.join(skill.name for skill in at[2])}"] if at[2] else []
    rows += [f"[{len(at[3])} more: find_tools finds them]"] if at[3] else []
    return Catalogue(fence("\n".join(rows), "", "skills").text, tuple(at[1]), tuple(at[2]), tuple(at[3]))


def _levels(costs: Sequence[tuple[int, ...]], room: int) -> list[int]:
    """For each skill 0 (whole), 1 (short), 2 (name) or 3 (left out); the least useful give way first."""
    levels = [0] * len(costs)
    over = sum(cost[0] for cost in costs) - room
    for level in (1, 2, 3):
        for n in range(len(costs) - 1, -1, -1):
            if over <= 0:
                return levels
            over -= costs[n][levels[n]] - (costs[n][level] if level < 3 else 0)
            levels[n] = level
    return levels


def skill_line(skill: Skill) -> str:
    """The skill's line in the list."""
    return f"- {skill.name}: {skill.description}" if skill.description else f"- {skill.name}"


def short_line(skill: Skill) -> str:
    """The line with only the first sentence of the description, and of that at most SHORT words."""
    first = _SENTENCE.match(skill.description)
    words = (first[1] if first else skill.description).split()
    short = f"- {skill.name}: {' '.join(words[:SHORT])}{'…' if len(words) > SHORT else ''}"
    return min(short, skill_line(skill), key=len)
