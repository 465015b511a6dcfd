"""Wording the reasons of a plan that come from what the task names and from its words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctxe.domain.pattern import pattern
from ctxe.lexical.words import terms
from ctxe.repo.indexing.scan import stem_of
from ctxe.repo.planning.evidence import Evidence
from ctxe.repo.planning.signals.mentions import fitting, names_in_task, names_written, paths_written
from ctxe.repo.planning.signals.text import best_units
from ctxe.repo.planning.spelling import convincing, originals, short, whole, words_inside

_WORD = pattern(r"[A-Za-z_]\w+")


class TaskReasons:
    """Words the reasons from the task for the files ``numbers``; what several files need is computed once."""

    def __init__(self, evidence: Evidence, numbers: Iterable[int]) -> None:
        self.evidence = evidence
        self._original = originals(evidence)
        self._words = words_inside(evidence, frozenset(numbers))
        self._units = best_units(evidence, "prose") | best_units(evidence, "title")

    def units(self, number: int) -> str:
        """The best unit, and the words of the task in it."""
        unit = self._units.get(number, (0.0, 0))[1]
        words = self._listed(self._words.get((number, unit), ()))
        details = self.evidence.details.get(number)
        if details is None or unit >= len(details.units) or not words:
            return ""
        best_unit = details.units[unit]
        if best_unit.definition >= 0:
            return f"`{short(details.definitions[best_unit.definition].title)}` mentions {words}"
        return f"lines {best_unit.first}-{best_unit.last} mention {words}"

    def words(self, number: int) -> str:
        """The words of the task that the file contains."""
        words = self._listed(self._words.get((number, -1), ()))
        return f"contains {words}" if words else ""

    def names(self, number: int) -> str:
        """Names in the task that the file defines."""
        wanted = {name.lower(): name for name in names_in_task(self.evidence)}
        plain = (word for word in _WORD.findall(self.evidence.reading.title) if len(word) > 3)
        wanted |= {word.lower(): word for word in plain if word.lower() not in wanted}
        details = self.evidence.details.get(number)
        defined = {definition.name.lower(): definition.name for definition in details.definitions} if details else {}
        hits = [defined[name] for name in wanted if name in defined and not name.startswith("__")]
        if hits:
            return f"defines {', '.join(f'`{name}`' for name in hits[:3])}, named in the task"
        return ""

    def path(self, number: int) -> str:
        """Words of the task that are in the path."""
        path = self.evidence.file(number).path
        stem = stem_of(path)
        title = {word.lower() for word in _WORD.findall(self.evidence.reading.title)}
        if stem in title or stem.replace("_", "") in title:
            return f"its name, `{stem}`, is in the task"
        scope = next((scope for scope in self.evidence.reading.scope if scope.lower() in path.lower()), None)
        if scope:
            return f"`{scope}`, which the task begins with, is in its path"
        parts = set(terms(path.replace("/", " ").replace(".", " ").replace("-", "_")))
        view = self.evidence.views["prose"]
        hits = self._listed((word for word in view if word in parts), 4)
        return f"its path contains {hits}" if hits else ""

    def path_named(self, number: int) -> str:
        """The path as the task names it."""
        for place in self.evidence.reading.mentions.paths:
            if number in fitting(self.evidence, place.path)[0]:
                return f"named in the task: {place.path}" + (f", line {place.line}" if place.line else "")
        for name in names_written(self.evidence):
            if number in fitting(self.evidence, name)[0]:
                return f"named in the task: {name}"
        written = (path for path in paths_written(self.evidence) if number in fitting(self.evidence, path)[0])
        return next((f"named in an address of the task: {path}" for path in written), "")

    def frame(self, number: int) -> str:
        """The frame of the task's traceback that is in the file."""
        frames = self.evidence.reading.mentions.frames
        for depth in range(len(frames), 0, -1):
            place = frames[depth - 1]
            if number in fitting(self.evidence, place.path)[0]:
                return f"frame {depth} of {len(frames)} of the traceback" + (
                    f", line {place.line}" if place.line else ""
                )
        return ""

    def module_named(self, number: int) -> str:
        """The module or member that the task names and the file holds."""
        stem = stem_of(self.evidence.file(number).path)
        details = self.evidence.details.get(number)
        defined = {definition.name.lower() for definition in details.definitions} if details else set()
        for module in self.evidence.reading.mentions.modules:
            parts = [part.lower() for part in re.split(r"\W+", module)]
            if stem in parts or len(defined.intersection(parts)) > 1:
                return f"`{module}` in the task is here"
        return ""

    def _listed(self, words: Iterable[str], most: int = 5) -> str:
        """Search terms as the task spells them, without bare numbers and parts of other listed words."""
        spelled = dict.fromkeys(self._original.get(word, word) for word in convincing(tuple(words)))
        return ", ".join(whole([word for word in spelled if not word.isdecimal()])[:most])
