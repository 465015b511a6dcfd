"""Planning which files a task needs and which of their lines to show within a budget, without asking a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ctxe.domain.section import Tier
from ctxe.domain.value import dataclass, field
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.store import File
from ctxe.repo.planning import overview
from ctxe.repo.planning.evidence import Scores
from ctxe.repo.planning.mix import Fitted, fitted
from ctxe.repo.planning.pack import pack
from ctxe.repo.planning.ranking import Ranking, rank
from ctxe.repo.planning.reasons import Reason, Reasons
from ctxe.repo.planning.showing import ShownFile
from ctxe.repo.planning.steering import UNSTEERED, Steering

DROPPED = "you dropped it"
PAGE_FACTOR, ALL_PAGES_SHARE, PAGE_SHARE = 2.0, 0.75, 0.55
"""For pages about the project as a whole: their score as a multiple of the best other file's, the share of the budget
that all of them may take, and the share that one of them may take."""
OVERVIEW_REASON = Reason("overview", "it is about the project as a whole", 1.0)
MOST_LEFT_OUT = 20
"""Most files that are listed as left out."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One file of a plan. ``tokens`` (o200k_base) is an upper bound for ``text``; ``ranges`` are the lines shown."""

    path: str
    score: float
    tokens: int
    mode: Tier
    ranges: tuple[tuple[int, int], ...] = ()
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    kind: str = "source"

    @property
    def why(self) -> str:
        """The reasons in one line."""
        return " · ".join(reason.detail for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the plan does not show, and why not."""

    path: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The files a task needs, best first; ``tokens`` never exceeds ``budget``. ``note`` is that of the index."""

    task: str
    budget: int
    tokens: int
    files: tuple[Planned, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def plan(
    index: Index,
    task: str,
    budget: int,
    steering: Steering = UNSTEERED,
    weights: Fitted | None = None,
    meaning: Scores | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Plan, Ranking]:
    """The plan for a task, and the ranking behind it; the index should be up to date.

    An empty task gives recently changed files. ``meaning`` holds scores by vectors (see ``windows``). For a question
    about the project as a whole, the pages that answer it come first.
    """
    with index.consistent():
        return _plan(index, task, budget, steering, weights or fitted(), meaning, clock)


def _plan(
    index: Index,
    task: str,
    budget: int,
    steering: Steering,
    learnt: Fitted,
    meaning: Scores | None,
    clock: Callable[[], float],
) -> tuple[Plan, Ranking]:
    started = clock()
    ranking = _steered(rank(index, task, learnt, steering, meaning), steering)
    pages = _pages(index, task, budget, steering, ranking)
    ranked = clock()
    shown = pack(ranking, budget - sum(page.tokens for page in pages), index.text, learnt)
    packed = clock()
    reasons = Reasons(ranking, learnt.second, (item.number for item in shown))
    files = (*pages, *(_planned(ranking, item, reasons, steering) for item in shown))
    seconds_by_stage = {"rank": ranked - started, "pack": packed - ranked, "reasons": clock() - packed}
    plan = Plan(
        task, budget, sum(file.tokens for file in files), files, _left_out(ranking, shown, budget, steering),
        {name: round(1000 * seconds, 1) for name, seconds in seconds_by_stage.items()}, index.note,
    )  # fmt: skip
    return plan, ranking


def _steered(ranking: Ranking, steering: Steering) -> Ranking:
    """The ranking with added files on top and without dropped ones. A file that is both was added later."""
    index = ranking.evidence.index
    scores = dict(ranking.scores)
    for path in (*steering.dropped, *steering.declined):
        if path not in steering.added:
            scores.pop(index.files.by_path.get(path, -1), None)
    best = max(scores.values(), default=1.0)
    wanted = [*steering.added, *(path for path in steering.asked if path not in steering.dropped)]
    for place, path in enumerate(reversed(wanted), 1):
        number = index.files.by_path.get(path)
        if number is not None:
            scores[number] = best * (1.0 + place / 100.0)
    return Ranking(scores, ranking.ballots, ranking.evidence)


def _pages(index: Index, task: str, budget: int, steering: Steering, ranking: Ranking) -> list[Planned]:
    """Pages that answer a question about the project as a whole. They are removed from the ranking and score higher."""
    pages: list[Planned] = []
    top_score = PAGE_FACTOR * max(ranking.scores.values(), default=1.0)
    passed_over = {*steering.added, *steering.dropped, *steering.declined}
    for path in overview.pages(index.files.by_path, task):
        room = int(min(PAGE_SHARE * budget, ALL_PAGES_SHARE * budget - sum(page.tokens for page in pages)))
        number, text = index.files.by_path[path], index.beginning(path) if path not in passed_over else None
        page = overview.beginning(number, path, text, room) if text is not None else None
        if page is not None:
            ranking.scores.pop(number, None)
            pages.append(_as_planned(ranking.evidence.file(number), page, top_score, (OVERVIEW_REASON,)))
    return pages


def _planned(ranking: Ranking, shown: ShownFile, reasons: Reasons, steering: Steering) -> Planned:
    file = ranking.evidence.file(shown.number)
    by_model = (Reason("asked", "the model that looked it over wants it", 1.0),) if file.path in steering.asked else ()
    added = (Reason("added", "you added it", 1.0),) if file.path in steering.added else by_model
    return _as_planned(file, shown, ranking.scores[shown.number], (*added, *reasons.of(shown.number)))


def _as_planned(file: File, shown: ShownFile, score: float, reasons: tuple[Reason, ...]) -> Planned:
    ranges = tuple(shown.ranges) if shown.tier == "region" else ()
    return Planned(file.path, round(score, 4), shown.tokens, shown.tier, ranges, reasons, shown.text, file.kind)


def _left_out(ranking: Ranking, shown: list[ShownFile], budget: int, steering: Steering) -> tuple[LeftOut, ...]:
    shown_numbers = {file.number for file in shown}
    next_best = [number for number in ranking.order if number not in shown_numbers][:MOST_LEFT_OUT]
    beyond_budget = [
        LeftOut(
            ranking.evidence.file(number).path, round(ranking.scores[number], 4), f"no room left in {budget} tokens"
        )
        for number in next_best
    ]
    dropped = (LeftOut(path, 0.0, DROPPED) for path in steering.dropped if path not in steering.added)
    declined = (LeftOut(path, 0.0, "the model that looked it over dropped it") for path in steering.declined)
    return (*dropped, *declined, *beyond_budget)
