"""Explaining why a file is in the plan, by the signals that contributed most to its score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ctxe.domain.value import dataclass
from ctxe.repo.planning.commit_reasons import CommitReasons
from ctxe.repo.planning.mix import Weights
from ctxe.repo.planning.place_reasons import PlaceReasons
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.spelling import listed_words
from ctxe.repo.planning.task_reasons import TaskReasons

MOST_REASONS = 3
"""Reasons given for a file."""
LEAST_SHARE = 0.04
"""Share of a file's score below which a signal is not given as a reason."""
LEAST_SHARE_OF_NAMES = 0.12
"""The least share that counts, when reasons are chosen, for a file that defines a name in the task."""


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
THEME_FACTORS = {
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
        task, commits, place = TaskReasons(ranking.evidence, numbers), CommitReasons(ranking), PlaceReasons(ranking)
        self._word: Mapping[str, Callable[[int], str]] = {
            "units": task.units,
            "words": task.words,
            "names": task.names,
            "path": task.path,
            "path_named": task.path_named,
            "frame": task.frame,
            "module_named": task.module_named,
            "commits": commits.commits,
            "commit_named": commits.commit_named,
            "issue_named": commits.issue_named,
            "recent": commits.recent,
            "changed_together": commits.changed_together,
            "folder": place.folder,
            "namesake": place.namesake,
            "imports": place.imports,
            "tested": place.tested,
            "meaning": place.meaning,
            "touched": lambda _: "in use in this session",
            "remembered": lambda _: "named by the project's memory",
        }

    def of(self, number: int) -> tuple[Reason, ...]:
        """At most three reasons for a file, the weightiest first."""
        shares = self._shares(number)
        total = sum(shares.values()) or 1.0
        if number in self.ranking.ballots.get("defined", ()):
            # the weights may ignore this signal, whose words other signals count too, but no reason is clearer
            shares["names"] = max(shares.get("names", 0.0), LEAST_SHARE_OF_NAMES * total)
        reasons: list[Reason] = []
        told_words: set[str] = set()
        for theme, share in sorted(shares.items(), key=lambda pair: -pair[1] * THEME_FACTORS.get(pair[0], 1.0)):
            if len(reasons) == MOST_REASONS:
                break
            if share < LEAST_SHARE * total:
                continue
            detail = self._word[theme](number)
            detail_words = set(listed_words(detail)) if theme in ("units", "words") else {detail}
            if detail and not detail_words <= told_words:
                reasons.append(Reason(theme, detail, round(share / total, 3)))
                told_words |= detail_words
        return tuple(reasons)

    def _shares(self, number: int) -> dict[str, float]:
        """What each theme added to the score of a file."""
        shares: dict[str, float] = {}
        for signal, ballot in self.ranking.ballots.items():
            score_weight, rank_weight = self.weights.get(signal, (0.0, 0.0))
            part = ballot.get(number)
            if part is not None and (score_weight or rank_weight):
                theme = _THEME_OF[signal]
                shares[theme] = shares.get(theme, 0.0) + score_weight * part[0] + rank_weight * part[1]
        return shares
