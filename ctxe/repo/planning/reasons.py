"""Explaining why a file is in the plan, by the signals that contributed most to its score."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.lexical.words import terms
from ctxe.repo.indexing.scan import stem_of
from ctxe.repo.planning.commit_reasons import CommitReasons
from ctxe.repo.planning.mix import Weights
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.signals.around import name_key, tested_stem
from ctxe.repo.planning.signals.mentions import fitting, names_in_task, names_written, paths_written
from ctxe.repo.planning.signals.text import best_units
from ctxe.repo.planning.spelling import convincing, listed_words, originals, short, whole, words_inside

MOST = 3
"""Reasons given for a file."""
LEAST = 0.04
"""Share of a file's score below which a signal is not given as a reason."""
NAMED = 0.12
"""The least share that counts, when reasons are chosen, for a file that defines a name in the task."""
_WORD = pattern(r"[A-Za-z_]\w+")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its theme, its words, and the share of the file's score that it explains."""

    signal: str
    detail: str
    weight: float


THEMES = {
    "units": "title_units lead_units prose_units code_units fault_units title_unit prose_unit code_unit",
    "words": "title_file lead_file prose_file paste_file compound_file",
    "names": "title_names code_names defined called",
    "path": "title_path prose_path title_stem code_stem scope_named",
    "path_named": "path_named",
    "frame": "frame",
    "module_named": "module_named member_named",
    "commits": "title_commits prose_commits title_messages",
    "commit_named": "commit_named",
    "issue_named": "issue_named",
    "recent": "recent lately",
    "changed_together": "changed_together",
    "folder": "folder",
    "namesake": "namesake",
    "imports": "imported importing",
    "tested": "tested",
    "touched": "touched",
    "remembered": "remembered",
    "meaning": "meaning",
}
PAST = frozenset(("commits", "commit_named", "issue_named", "recent", "changed_together"))
"""Themes worded by the method of the same name in CommitReasons; those of the others are in Reasons."""
TELLING = {
    "path_named": 3.0,
    "frame": 3.0,
    "module_named": 3.0,
    "commit_named": 3.0,
    "issue_named": 3.0,
    "names": 3.0,
    "words": 0.5,
}
"""Factors on the share of a theme when reasons are ordered: names convince people more than shared words do."""
_THEME_OF = {signal: theme for theme, signals in THEMES.items() for signal in signals.split()}


class Reasons:
    """Words the reasons for the files of one ranking; what several files need is computed once."""

    def __init__(self, ranking: Ranking, weights: Weights, numbers: Iterable[int]) -> None:
        self.ranking, self.weights = ranking, weights
        self.evidence = ranking.evidence
        self._numbers = frozenset(numbers)
        self._original = originals(self.evidence)
        self._words = words_inside(self.evidence, self._numbers)
        self._units = best_units(self.evidence, "prose") | best_units(self.evidence, "title")
        self.commit_reasons = CommitReasons(ranking)

    def of(self, number: int) -> tuple[Reason, ...]:
        """At most three reasons for a file, the weightiest first."""
        shares: dict[str, float] = {}
        for signal, ballot in self.ranking.ballots.items():
            score_weight, rank_weight = self.weights.get(signal, (0.0, 0.0))
            part = ballot.get(number)
            if part is not None and (score_weight or rank_weight):
                theme = _THEME_OF[signal]
                shares[theme] = shares.get(theme, 0.0) + score_weight * part[0] + rank_weight * part[1]
        total = sum(shares.values()) or 1.0
        if number in self.ranking.ballots.get("defined", ()):
            # the weights may ignore this signal, whose words other signals count too, but no reason is clearer
            shares["names"] = max(shares.get("names", 0.0), NAMED * total)
        reasons: list[Reason] = []
        told_words: set[str] = set()
        for theme, share in sorted(shares.items(), key=lambda pair: -pair[1] * TELLING.get(pair[0], 1.0)):
            if len(reasons) == MOST:
                break
            if share < LEAST * total:
                continue
            detail = self._detail(theme, number)
            detail_words = set(listed_words(detail)) if theme in ("units", "words") else {detail}
            if detail and not detail_words <= told_words:
                reasons.append(Reason(theme, detail, round(share / total, 3)))
                told_words |= detail_words
        return tuple(reasons)

    def _detail(self, theme: str, number: int) -> str:
        detail: str = getattr(self.commit_reasons if theme in PAST else self, theme)(number)
        return detail

    def listed(self, words: Iterable[str], most: int = 5) -> str:
        """Search terms as the task spells them, without bare numbers and parts of other listed words."""
        spelled = dict.fromkeys(self._original.get(word, word) for word in convincing(tuple(words)))
        return ", ".join(whole([word for word in spelled if not word.isdecimal()])[:most])

    def units(self, number: int) -> str:
        """The best unit, and the words of the task in it."""
        unit = self._units.get(number, (0.0, 0))[1]
        words = self.listed(self._words.get((number, unit), ()))
        details = self.evidence.details.get(number)
        if details is None or unit >= len(details.units) or not words:
            return ""
        best_unit = details.units[unit]
        if best_unit.definition >= 0:
            return f"`{short(details.definitions[best_unit.definition].title)}` mentions {words}"
        return f"lines {best_unit.first}-{best_unit.last} mention {words}"

    def words(self, number: int) -> str:
        """The words of the task that the file contains."""
        words = self.listed(self._words.get((number, -1), ()))
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
        hits = self.listed((word for word in view if word in parts), 4)
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

    def namesake(self, number: int) -> str:
        """The best file of the same name."""
        key = name_key(self.evidence.file(number).path)
        for other in self.ranking.order:
            path = self.evidence.file(other).path
            if other != number and name_key(path) == key:
                return f"has the same name as {path}"
        return ""

    def meaning(self, number: int) -> str:
        """The rank of the file by vectors."""
        rank = 1 + sum(other > self.evidence.meaning[number] for other in self.evidence.meaning.values())
        return "closest in meaning" if rank == 1 else f"number {rank} by meaning"

    def folder(self, number: int) -> str:
        """That other files in its folder match."""
        folder = self.evidence.file(number).path.rpartition("/")[0]
        return f"other files in {folder}/ match too" if folder else "files beside it match too"

    def imports(self, number: int) -> str:
        """The first file it imports or is imported by."""
        imported, importers = self.evidence.index.neighbours(number)
        for other in self.ranking.order[:8]:
            name = self.evidence.file(other).path.rpartition("/")[2]
            if other in importers:
                return f"imported by {name}"
            if other in imported:
                return f"imports {name}"
        return ""

    def tested(self, number: int) -> str:
        """The test of this file that fits the task."""
        stem = stem_of(self.evidence.file(number).path)
        for other in self.evidence.candidates:
            file = self.evidence.file(other)
            if file.kind == "test" and tested_stem(file.path) == stem:
                return f"tested by {file.path}, which matches the task"
        return "its tests match the task"

    def touched(self, number: int) -> str:
        """That the session uses the file."""
        return "in use in this session"

    def remembered(self, number: int) -> str:
        """That memory names the file."""
        return "named by the project's memory"
