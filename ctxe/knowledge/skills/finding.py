"""Finds skills in the project, the user's folders and ctxe itself; the first of a name wins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.folders import folders_down, why_forbidden
from ctxe.knowledge.skills.skill import FILE, Origin, Skill, read_skill

IN_PROJECT = (".ctxe/skills", ".agents/skills", ".claude/skills")
DEEP = 3
"""Folder levels below a place in which skills are looked for."""
MOST = 1_000

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SkillPlaces:
    """Where skills are looked for. ``readable`` tells whether a project file may be read at all.

    ``never`` are names that settings disable, ``yours`` the user's own folders, ``shipped`` is the folder of ctxe.
    ``others`` returns skills without a folder, such as rules that wait to be named.
    """

    root: Path
    working: Path
    yours: tuple[Path, ...] = ()
    shipped: Path | None = None
    never: tuple[str, ...] = ()
    readable: Callable[[str], bool] = lambda _path: True
    others: Callable[[], Sequence[Skill]] = tuple


@dataclass(slots=True)
class SkillFinder:
    """Finds skills; an unchanged one is not read again."""

    places: SkillPlaces
    _read: dict[str, tuple[Stamp, Skill]] = field(default_factory=dict, repr=False)
    _newest: tuple[Skill, ...] | None = field(default=None, repr=False)

    def __call__(self) -> tuple[Skill, ...]:
        """Every skill in its present state, the nearest place first; unusable ones have a ``problem``."""
        found: list[Skill] = []
        named: dict[str, Skill] = {}
        seen: set[str] = set()
        root = os.path.realpath(self.places.root)
        for folder, where, origin in self._folders():
            real = os.path.realpath(f"{folder}/{FILE}")
            if real in seen:
                continue
            seen.add(real)
            if len(found) == MOST:
                reason = f"more than {MOST} modules: the rest is not read"
                found.append(Skill("…", "", Path(folder), where, origin, problem=reason))
                break
            problem = why_forbidden(real, root, self.places.readable) if origin == "project" else ""
            found.append(self._checked(self._skill(folder, where, origin, problem), named))
        found += [self._checked(skill, named) for skill in self.places.others()]
        self._newest = tuple(found)
        return self._newest

    def usable(self) -> tuple[Skill, ...]:
        """The skills that can be used now."""
        return tuple(skill for skill in self() if not skill.problem)

    def known(self) -> tuple[Skill, ...]:
        """The skills as last found; only the first call reads the disk."""
        return self._newest if self._newest is not None else self()

    def _folders(self) -> Iterator[tuple[str, str, Origin]]:
        places = self.places
        for base in reversed(folders_down(places.root, places.working)):
            for place in IN_PROJECT:
                for folder in _skill_folders(f"{base}/{place}"):
                    yield folder, os.path.relpath(folder, places.root).replace(os.sep, "/"), "project"
        for own in places.yours:
            yield from ((folder, _display_path(folder), "yours") for folder in _skill_folders(str(own)))
        if places.shipped:
            for folder in _skill_folders(str(places.shipped)):
                yield folder, f"ctxe:{os.path.basename(folder)}", "shipped"  # noqa: PTH119

    def _skill(self, folder: str, where: str, origin: Origin, problem: str) -> Skill:
        if problem:
            return Skill(folder.rpartition("/")[2], "", Path(folder), where, origin, problem=problem)
        stamp = _stamp(folder)
        known = self._read.get(folder)
        if known is None or known[0] != stamp:
            known = self._read[folder] = (stamp, read_skill(Path(folder), where, origin))
        return known[1]

    def _checked(self, skill: Skill, named: dict[str, Skill]) -> Skill:
        """The skill, with a problem if its name is taken or disabled by settings."""
        if skill.problem:
            return skill
        first = named.setdefault(skill.name, skill)
        if first is not skill:
            same = (first.description, first.body) == (skill.description, skill.body)
            says = f"the same as {first.where}" if same else f"{first.where} has the same name and stands before it"
            return replace(skill, problem=says, expected=same)
        never = skill.name in self.places.never
        return replace(skill, problem="your settings say never", expected=True) if never else skill


def _skill_folders(place: str, depth: int = DEEP) -> Iterator[str]:
    """Folders with a SKILL.md below a place, sorted by name."""
    for folder, link in _subfolders(place):
        if os.path.lexists(f"{folder}/{FILE}"):
            yield folder
        elif depth > 1 and not link:
            yield from _skill_folders(folder, depth - 1)


def _subfolders(place: str) -> Sequence[tuple[str, bool]]:
    """(folder, whether it is a symlink) of each visible folder in a place."""
    try:
        with os.scandir(place) as entries:
            return sorted((one.path, one.is_symlink()) for one in entries if one.name[:1] not in "._" and one.is_dir())
    except OSError:
        return ()


def _stamp(folder: str) -> Stamp:
    """Changes whenever the skill is written to: its file's time and size, and the folder's time."""
    try:
        facts, around = os.stat(f"{folder}/{FILE}"), os.stat(folder)  # noqa: PTH116
    except OSError:
        return (0, 0, 0)
    return facts.st_mtime_ns, facts.st_size, around.st_mtime_ns


def _display_path(folder: str) -> str:
    """The path, with ``~`` for the home folder."""
    home = os.path.expanduser("~").rstrip("/") + "/"  # noqa: PTH111 (Path.home raises where there is none)
    return f"~/{folder[len(home) :]}" if folder.startswith(home) else folder
