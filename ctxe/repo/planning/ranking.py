"""Ranking the files of a code base for a task: signals give votes, which are mixed into one score per file."""

from __future__ import annotations

from collections.abc import Mapping

from ctxe.domain.value import dataclass
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.evidence import Evidence, Scores, best, gather, look_inside
from ctxe.repo.planning.mix import Fitted, mixed, votes
from ctxe.repo.planning.reading import read_task
from ctxe.repo.planning.signals import AROUND, BROAD, CLOSE, Signal
from ctxe.repo.planning.steering import UNSTEERED, Steering
from ctxe.repo.planning.task_kinds import Odds, kind_shares

CANDIDATES_BY_SIGNAL = {
    "title_file": 50, "lead_file": 50, "prose_file": 60, "paste_file": 25, "compound_file": 25, "title_names": 30,
    "code_names": 20, "title_path": 30, "prose_path": 20, "path_named": 20, "frame": 20, "module_named": 20,
    "member_named": 20, "defined": 20, "called": 12, "title_stem": 20, "code_stem": 10, "scope_named": 15,
    "title_commits": 25, "prose_commits": 25, "title_messages": 20, "commit_named": 20, "issue_named": 20,
    "touched": 20, "remembered": 10, "meaning": 30,
}  # fmt: skip
"""How many of the best source files by each signal become candidates, which are looked at closely."""
CANDIDATES_BY_KIND = {"test": 30, "doc": 10, "config": 10, "vendored": 4, "data": 4}
"""How many files of each other kind become candidates, by prose; half as many by title."""
ASKED_SHARE, CANDIDATES_IF_ASKED = 0.6, 40
"""The share (see ``task_kinds``) from which a task asks for a kind, and how many of its files are then candidates."""
MOST_RECENT = 20
"""Recently changed files that are ranked for an empty task."""
_OUTRIGHT = ("path_named", "frame", "touched")


@dataclass(frozen=True, slots=True)
class Ranking:
    """The score of each file, the votes of every signal, and the evidence behind them."""

    scores: Scores
    ballots: Mapping[str, dict[int, tuple[float, float]]]
    evidence: Evidence

    @property
    def order(self) -> list[int]:
        """Ids of the files, best first; files with equal scores in the order of their paths."""
        path = {number: self.evidence.file(number).path for number in self.scores}
        return sorted(self.scores, key=lambda number: (-self.scores[number], path[number]))


def measure(
    index: Index,
    task: str,
    fitted: Fitted,
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
    *,
    every: bool = True,
) -> tuple[Evidence, dict[str, Scores]]:
    """The scores of every signal, before they become votes; ``every`` includes signals without a weight."""
    reading = read_task(task)
    evidence = gather(index, reading, fitted.common, steering, meaning)
    scores = _scores_by(BROAD, evidence)
    look_inside(evidence, _candidates(evidence, scores, kind_shares(reading.title, fitted.kinds)))
    scores |= _scores_by(CLOSE if every else _with_weight(CLOSE, fitted), evidence)
    evidence.base = mixed(_votes(evidence, scores), fitted.first)
    scores |= _scores_by(AROUND if every else _with_weight(AROUND, fitted), evidence)
    return evidence, scores


def rank(
    index: Index,
    task: str,
    fitted: Fitted,
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
) -> Ranking:
    """Rank the files of an index for a task; ``meaning`` holds scores by vectors (see ``windows``)."""
    evidence, scores_by_signal = measure(index, task, fitted, steering, meaning, every=False)
    ballots = _votes(evidence, scores_by_signal)
    scores = mixed(ballots, fitted.second) if evidence.reading.title else dict(scores_by_signal["recent"])
    return Ranking(_by_kind(evidence, ballots, scores, fitted.kinds), ballots, evidence)


def _with_weight(signals: Mapping[str, Signal], fitted: Fitted) -> dict[str, Signal]:
    return {name: signal for name, signal in signals.items() if name in fitted.first or name in fitted.second}


def _scores_by(signals: Mapping[str, Signal], evidence: Evidence) -> dict[str, Scores]:
    return {name: signal(evidence) for name, signal in signals.items()}


def _candidates(evidence: Evidence, scores: Mapping[str, Scores], shares: Mapping[str, float]) -> set[int]:
    """The files worth a closer look: the best by every signal, and some of each other kind."""
    candidates: set[int] = set()
    for name, count in CANDIDATES_BY_SIGNAL.items():
        candidates.update(best(scores[name], count, evidence))
    for name in _OUTRIGHT:
        candidates.update(scores[name])
    for kind, usual in CANDIDATES_BY_KIND.items():
        count = usual if shares[kind] < ASKED_SHARE else max(usual, CANDIDATES_IF_ASKED)
        candidates.update(best(scores["prose_file"], count, evidence, kind))
        for name in ("title_file", "title_path", "title_commits"):
            candidates.update(best(scores[name], count // 2, evidence, kind))
    return candidates if evidence.reading.title else set(best(scores["recent"], MOST_RECENT, evidence))


def _votes(evidence: Evidence, scores_by_signal: Mapping[str, Scores]) -> dict[str, dict[int, tuple[float, float]]]:
    """The votes of every signal for the candidates, measured against the source files among them."""
    judged = {number for number in evidence.candidates if evidence.is_source(number)} or evidence.candidates
    return {
        name: votes({n: scores[n] for n in filter(evidence.candidates.__contains__, scores)}, judged)
        for name, scores in scores_by_signal.items()
    }


def _by_kind(
    evidence: Evidence, ballots: Mapping[str, dict[int, tuple[float, float]]], scores: Scores, odds: Odds
) -> Scores:
    """Scores scaled by the share of each kind, but never lowered for a file that the task or the session names."""
    shares = kind_shares(evidence.reading.title, odds)
    outright = {number for name in ("path_named", "touched") for number in ballots.get(name, ())}
    return {
        number: score * max(shares[evidence.index.files.kinds[number]], 1.0 if number in outright else 0.0)
        for number, score in scores.items()
    }
