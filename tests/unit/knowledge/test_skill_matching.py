"""Which skill fits a task: the right one among the first three, none when there is none; measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.section import Task
from ctxe.knowledge.skills.finding import SkillFinder, SkillPlaces
from ctxe.knowledge.skills.matching import Matcher, certain_match, likely_matches
from ctxe.knowledge.skills.skill import Skill

SHIPPED = Path(__file__).parents[3] / "ctxe/data/skills"
CASES = Path(__file__).with_name("skill_cases.txt")
Case = tuple[str, str]


def modules() -> list[Skill]:
    """The published kind beside those that ctxe ships."""
    listed = CASES.read_text("utf-8").partition("[modules]\n")[2].partition("[tasks]\n")[0]
    found = [line.partition(": ") for line in listed.splitlines()]
    others = [Skill(name, says, Path("/none") / name, name, "project", body=".") for name, _, says in found]
    return [*others, *SkillFinder(SkillPlaces(Path("/none"), Path("/none"), shipped=SHIPPED))()]


def cases(*, right: bool, part: int) -> list[Case]:
    """Every second case of a kind: ``part`` 0 is for tuning, 1 for the figure."""
    lines = CASES.read_text("utf-8").partition("[tasks]\n")[2].splitlines()
    found = [(name, task.strip()) for name, _, task in (line.partition("|") for line in lines)]
    return [case for case in found if (case[0] != "-") is right][part::2]


def hits(part: int, skills: Sequence[Skill]) -> list[Case]:
    """Cases whose module is among the three that a task may be about."""
    matcher = Matcher()
    return [
        case
        for case in cases(right=True, part=part)
        if case[0] in [one.skill.name for one in likely_matches(matcher(Task(case[1]), skills))]
    ]


def loud(part: int, skills: Sequence[Skill]) -> list[Case]:
    """Cases without a right module for which one is named all the same."""
    matcher = Matcher()
    return [case for case in cases(right=False, part=part) if likely_matches(matcher(Task(case[1]), skills))]


@pytest.mark.parametrize("part", [0, 1])
def test_the_right_skill_is_among_the_first_three_or_none_is_offered(part: int) -> None:
    skills = modules()
    right, none = cases(right=True, part=part), cases(right=False, part=part)
    assert len(right) >= 30
    assert len(none) >= 30
    assert len(hits(part, skills)) >= 0.9 * len(right), sorted(set(right) - set(hits(part, skills)))
    assert len(loud(part, skills)) <= 0.15 * len(none), loud(part, skills)


@pytest.mark.parametrize("part", [0, 1])
def test_skills_loaded_automatically_are_nearly_always_right(part: int) -> None:
    """A module that was not asked for costs a thousand tokens: the loading of a wrong one must be rare."""
    skills, matcher = modules(), Matcher()
    every = [*cases(right=True, part=part), *cases(right=False, part=part)]
    loaded = [(case, one.skill.name) for case in every if (one := certain_match(matcher(Task(case[1]), skills)))]
    wrong = [(case, name) for case, name in loaded if name != case[0]]
    assert len(loaded) >= 0.3 * len(every)
    assert len(wrong) <= 0.05 * len(loaded), wrong


def test_a_changed_skill_is_read_again() -> None:
    matcher, task = Matcher(), Task("mend the zebra")
    before = Skill("n", "says little", Path("n"), "n", "project", body="horse")
    after = [replace(before, keywords="zebra"), replace(before, body="zebra")]
    assert [len(matcher(task, [one])) for one in (before, *after)] == [0, 1, 1]
