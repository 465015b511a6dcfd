"""The lines by which a model knows which modules there are: the most useful whole, the rest shortened, then counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.knowledge.skills.module import Skill

SHORT = 12
"""Words of a shortened description."""
FRAME = 24
"""Tokens of the fence, and of the line that says what is missing."""
_SENTENCE = pattern(r"(.+?[.!?])(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The text, and which modules it has only shortened, by name alone, or not at all."""

    text: str = ""
    short: tuple[Skill, ...] = ()
    bare: tuple[Skill, ...] = ()
    out: tuple[Skill, ...] = ()


def catalogue(skills: Sequence[Skill], room: int, count: Callable[[str], int]) -> Catalogue:
    """A line for each module in at most ``room`` tokens; ``skills`` are the most useful first.

    When they do not fit, the last ones lose words, then everything but their name, then their place.
    """
    forms = [(line(skill), shortened(skill), f"{skill.name}, ") for skill in skills]
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
    """For each module 0 (whole), 1 (short), 2 (name) or 3 (left out): the least useful give way first."""
    levels = [0] * len(costs)
    over = sum(cost[0] for cost in costs) - room
    for level in (1, 2, 3):
        for n in range(len(costs) - 1, -1, -1):
            if over <= 0:
                return levels
            over -= costs[n][levels[n]] - (costs[n][level] if level < 3 else 0)
            levels[n] = level
    return levels


def line(skill: Skill) -> str:
    """A module's line in the catalogue."""
    return f"- {skill.name}: {skill.description}" if skill.description else f"- {skill.name}"


def shortened(skill: Skill) -> str:
    """The line with the first sentence only, at most a dozen words of it."""
    first = _SENTENCE.match(skill.description)
    words = (first[1] if first else skill.description).split()
    short = f"- {skill.name}: {' '.join(words[:SHORT])}{'…' if len(words) > SHORT else ''}"
    return min(short, line(skill), key=len)
