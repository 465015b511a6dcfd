"""Ranking the files of a code base for a task: signals, votes, first mix, second look, one score a file."""

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

CHOSEN = {
    "title_file": 50, "lead_file": 50, "prose_file": 60, "paste_file": 25, "compound_file": 25, "title_names": 30,
    "code_names": 20, "title_path": 30, "prose_path": 20, "path_named": 20, "frame": 20, "module_named": 20,
    "member_named": 20, "defined": 20, "called": 12, "title_stem": 20, "code_stem": 10, "scope_named": 15,
    "title_commits": 25, "prose_commits": 25, "title_messages": 20, "commit_named": 20, "issue_named": 20,
    "touched": 20, "remembered": 10, "meaning": 30,
}  # fmt: skip
"""How many of the best source files by each signal are looked at closely."""
OTHERS = {"test": 30, "doc": 10, "config": 10, "vendored": 4, "data": 4}
"""And how many files of each other kind, by title and prose."""
ASKED_FOR, MORE = 0.6, 40
"""What a kind keeps of its score that a task asks for, and how many of its files are looked at then, by prose."""
LATELY = 20
"""Files of the newest commits that are ranked when a task names nothing."""
_OUTRIGHT = ("path_named", "frame", "touched")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Files by falling score, what every signal said of each, and the evidence behind it."""

    scores: Scores
    ballots: Mapping[str, dict[int, tuple[float, float]]]
    evidence: Evidence

    @property
    def order(self) -> list[int]:
        """Ids of the files, best first; equals in the order of their paths."""
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
    """What the signals say of every candidate, before votes are counted; ``every`` asks those without weight too."""
    reading = read_task(task)
    evidence = gather(index, reading, fitted.common, steering, meaning)
    said = _asked(BROAD, evidence)
    look_inside(evidence, _candidates(evidence, said, kind_shares(reading.title, fitted.kinds)))
    said |= _asked(CLOSE if every else _weighed(CLOSE, fitted), evidence)
    evidence.base = mixed(_counted(evidence, said), fitted.first)
    said |= _asked(AROUND if every else _weighed(AROUND, fitted), evidence)
    return evidence, said


def rank(
    index: Index,
    task: str,
    fitted: Fitted,
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
) -> Ranking:
    """Rank the files of an index for a task; ``meaning``: what vectors say of files (see windows)."""
    evidence, said = measure(index, task, fitted, steering, meaning, every=False)
    ballots = _counted(evidence, said)
    scores = mixed(ballots, fitted.second) if evidence.reading.title else dict(said["recent"])
    return Ranking(_by_kind(evidence, ballots, scores, fitted.kinds), ballots, evidence)


def _weighed(signals: Mapping[str, Signal], fitted: Fitted) -> dict[str, Signal]:
    return {name: signal for name, signal in signals.items() if name in fitted.first or name in fitted.second}


def _asked(signals: Mapping[str, Signal], evidence: Evidence) -> dict[str, Scores]:
    return {name: signal(evidence) for name, signal in signals.items()}


def _candidates(evidence: Evidence, said: Mapping[str, Scores], kept: Mapping[str, float]) -> set[int]:
    """The files worth a closer look: the best of every signal, and some of the other kinds, more of one asked for."""
    found: set[int] = set()
    for name, count in CHOSEN.items():
        found.update(best(said[name], count, evidence))
    for name in _OUTRIGHT:
        found.update(said[name])
    for kind, usual in OTHERS.items():
        count = usual if kept[kind] < ASKED_FOR else max(usual, MORE)
        found.update(best(said["prose_file"], count, evidence, kind))
        for name in ("title_file", "title_path", "title_commits"):
            found.update(best(said[name], count // 2, evidence, kind))
    return found if evidence.reading.title else set(best(said["recent"], LATELY, evidence))


def _counted(evidence: Evidence, said: Mapping[str, Scores]) -> dict[str, dict[int, tuple[float, float]]]:
    """The votes of every signal for the candidates; source files set the measure."""
    judged = {number for number in evidence.candidates if evidence.is_source(number)} or evidence.candidates
    return {
        name: votes({n: scores[n] for n in filter(evidence.candidates.__contains__, scores)}, judged)
        for name, scores in said.items()
    }


def _by_kind(
    evidence: Evidence, ballots: Mapping[str, dict[int, tuple[float, float]]], scores: Scores, odds: Odds
) -> Scores:
    """Scores with the share of each kind; whole at least for what the task names."""
    kept = kind_shares(evidence.reading.title, odds)
    outright = {number for name in ("path_named", "touched") for number in ballots.get(name, ())}
    return {
        number: score * max(kept[evidence.index.kinds[number]], 1.0 if number in outright else 0.0)
        for number, score in scores.items()
    }
