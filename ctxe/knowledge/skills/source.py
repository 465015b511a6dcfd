"""Skills as a Source: the list and loaded skills in the system prompt, and a skill that matches the task beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ctxe.domain.section import Chunk, Omission, Priority, Section, Task
from ctxe.domain.value import dataclass, field
from ctxe.knowledge import globs
from ctxe.knowledge.skills.catalogue import Catalogue, catalogue, skill_line
from ctxe.knowledge.skills.finding import SkillFinder
from ctxe.knowledge.skills.matching import SURE, Matcher, certain_match, likely_matches
from ctxe.knowledge.skills.page import PREFIX, skill_page
from ctxe.knowledge.skills.skill import Skill

HEADING = 4
"""Tokens of a section's heading."""


@dataclass(frozen=True, slots=True)
class HeldSkills:
    """Skills of a session: the body of ``visible`` ones is in the request; ``in_use`` (with why) are kept by a fold."""

    visible: frozenset[str] = frozenset()
    in_use: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Skills:
    """Offers skills. ``room`` limits the tokens of the list (0: no list); ``always`` are names in every request.

    ``uses`` returns how often each skill was loaded in this project; the most used come first. Without ``matching``
    nothing is loaded unasked. ``files`` are the project's: a skill from elsewhere with a scope is loaded unasked only
    if some file is in its scope.
    """

    find: SkillFinder
    count: Callable[[str], int]
    room: int
    always: tuple[str, ...] = ()
    held: Callable[[], HeldSkills] = HeldSkills
    uses: Callable[[], Mapping[str, float]] = dict
    matching: bool = True
    matcher: Matcher = field(default_factory=Matcher)
    files: Callable[[], Iterable[str]] = tuple

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """The standing section and, if the task has words, the skill that they clearly match. Never raises."""
        skills = self.find.usable()
        sections = [self._standing_section(skills, room)]
        if task.words and self.matching:
            sections.append(self._matched_section(task, skills, room))
        return [section for section in sections if section.chunks or section.left_out]

    def ranked(self, skills: Sequence[Skill]) -> list[Skill]:
        """Skills that a model may ask for, most often loaded first, then the project's, the user's, those of ctxe."""
        uses, order = self.uses(), ("project", "yours", "shipped")
        offered = [skill for skill in skills if skill.offered]
        return sorted(offered, key=lambda one: (-uses.get(one.name, 0.0), order.index(one.origin), one.name))

    def notices(self) -> tuple[str, ...]:
        """Lines for the user: unusable skills, and names in settings that are not skills."""
        found = self.find.known()
        unusable = [skill for skill in found if skill.problem and not skill.expected and skill.origin != "shipped"]
        lines = [f"{skill.where}: {skill.problem}" for skill in unusable]
        lines += [
            f"{skill.where}: {one}"
            for skill in found
            for one in skill.faults
            if "invisible" in one or "only its" in one
        ]
        known = {skill.name for skill in found}
        return (*lines, *(f"settings: there is no skill {name}" for name in self.always if name not in known))

    def _standing_section(self, skills: Sequence[Skill], room: int) -> Section:
        """The list of skills, then the pages of those that are always loaded or in use."""
        listed = catalogue(self.ranked(skills), min(self.room, room), self.count) if self.room > 0 else Catalogue()
        chunks, left_out = [], []
        if listed.text:
            chunks.append(Chunk("skills catalogue", listed.text, _list_note(listed.short, listed.bare, listed.out)))
        left_out += [
            Omission(one.name, self.count(skill_line(one)), "over the list's share: find_tools") for one in listed.out
        ]
        room -= sum(self.count(chunk.text) + 1 for chunk in chunks) + HEADING
        carried = dict.fromkeys(self.always, "your settings say always") | dict(self.held().in_use)
        for skill in skills:
            if skill.name in carried:
                text = skill_page(skill, room, self.count)
                room -= self.count(text) + 1
                if text:
                    chunks.append(Chunk(PREFIX + skill.name, text, carried[skill.name], path=_path(skill)))
                else:
                    left_out.append(Omission(PREFIX + skill.name, self.count(skill.body), "over the skills share"))
        return Section("skills", Priority.INJECTED, tuple(chunks), "system", "skills", tuple(left_out))

    def _matched_section(self, task: Task, skills: Sequence[Skill], room: int) -> Section:
        """The skill that the task clearly matches, unless it is in the request already; the others with the reason."""
        standing = self.held().visible.union(self.always, self.held().in_use)
        matches = self.matcher(task, [skill for skill in skills if skill.offered])
        best = certain_match([one for one in matches if one.score < SURE or not self._out_of_scope(one.skill)])
        chunks, left_out = [], []
        for one in likely_matches(matches):
            score = f"{one.why} ({one.score:.2f})"
            if one.skill.name in standing:
                left_out.append(Omission(one.skill.name, 0, "was in the request already"))
            elif one is best and (text := skill_page(one.skill, room, self.count)):
                chunks.append(Chunk(PREFIX + one.skill.name, text, score, path=_path(one.skill)))
            else:
                left_out.append(
                    Omission(one.skill.name, self.count(one.skill.body), f"not clear enough to load: {score}")
                )
        return Section("skills for this task", Priority.INJECTED, tuple(chunks), "task", "skills", tuple(left_out))

    def _out_of_scope(self, skill: Skill) -> bool:
        """Whether a skill from outside has a scope that matches none of the project's files; False without files."""
        if skill.origin == "project" or not skill.scope:
            return False
        files = tuple(self.files())
        return bool(files) and not any(globs.matches(path, skill.scope) for path in files)


def _list_note(short: Sequence[Skill], bare: Sequence[Skill], out: Sequence[Skill]) -> str:
    """What was done to the list so that it fits."""
    parts = [(short, "shortened"), (bare, "by name only"), (out, "left out")]
    counts = [f"{len(skills)} {what}" for skills, what in parts if skills]
    return "the modules there are" + (f"; {', '.join(counts)}" if counts else "")


def _path(skill: Skill) -> str:
    return f"{skill.where}/SKILL.md" if skill.origin == "project" else ""
