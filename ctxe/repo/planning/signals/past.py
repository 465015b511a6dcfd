"""Signals from git's history: commits that resemble the task, recent work, files that change together."""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.bm25 import idf
from ctxe.repo.indexing.history import TITLE
from ctxe.repo.planning.evidence import Evidence, Scores, best
from ctxe.repo.planning.reading import View

SIMILAR, FADE = 60, 6000.0
"""Most past commits that vote, and the number of commits after which a similarity has faded to a third."""
COMMON = 0.15
"""Share of the commits above which a word is ignored."""
RECENT = 2000
"""Newest commits that count as recent work."""
TOP = 5
"""Number of the best files for which files changed together with them are looked up."""
MOST_ABOUT = 8
"""Commits with one number above which the number is not taken for an issue's."""
_ISSUE = pattern(r"(?:#|\bgh-|\bticket:|\b(?:issue|pr|pull request) #?|/(?:issues|pull)/)(\d{2,7})\b", re.IGNORECASE)


def similar_commits(evidence: Evidence, view: View, title: float, body: float) -> list[tuple[float, int]]:
    """(similarity, commit) of past commits whose messages share words with a view, best first; at most 60.

    ``title`` and ``body`` are the weights of a word in a commit's first line and in the rest.
    """
    count = len(evidence.index.history.commits)
    scores: dict[int, float] = {}
    messages = evidence.index.history.messages([*(TITLE + word for word in view), *view])
    for word, weight in view.items():
        for mark, share in ((TITLE, title), ("", body)):
            commits = messages.get(mark + word)
            if commits is None or len(commits) > COMMON * count + 5:
                continue
            weight_in_commit = weight * share * idf(count, len(commits))
            for packed in commits:
                scores[packed >> 8] = scores.get(packed >> 8, 0.0) + weight_in_commit
    faded = ((score * math.exp((commit - count) / FADE), commit) for commit, score in scores.items())
    return heapq.nlargest(SIMILAR, faded)


def _votes(evidence: Evidence, commits: list[tuple[float, int]]) -> Scores:
    scores: Scores = {}
    if not commits:
        return scores
    best_score = commits[0][0]
    for score, commit in commits:
        files = [number for number in evidence.index.history.changed_in(commit) if evidence.is_source(number)]
        for number in files:
            scores[number] = scores.get(number, 0.0) + (score / best_score) ** 3 / len(files) ** 0.5
    return scores


def title_commits(evidence: Evidence) -> Scores:
    """Files changed by past commits that resemble the title."""
    return _votes(evidence, similar_commits(evidence, evidence.views["title"], 1.0, 0.3))


def prose_commits(evidence: Evidence) -> Scores:
    """Files changed by past commits that resemble the first words."""
    return _votes(evidence, similar_commits(evidence, evidence.views["lead"], 1.0, 0.5))


def title_messages(evidence: Evidence) -> Scores:
    """How well the first lines of the commits that changed a file fit the title."""
    history = evidence.index.history.commits
    count = len(history)
    scores: Scores = {}
    view = evidence.views["title"]
    changes = evidence.index.history.changes
    messages = evidence.index.history.messages(TITLE + word for word in view)
    for word in view:
        commits = messages.get(TITLE + word)
        if commits is None or len(commits) > COMMON * count + 5:
            continue
        times: dict[int, float] = {}
        for packed in commits:
            files = evidence.index.history.changed_in(packed >> 8)
            for number in files:
                times[number] = times.get(number, 0.0) + len(files) ** -0.5
        worth = evidence.common.get(word, 1.0) * idf(count, len(commits))
        for number, share in times.items():
            scores[number] = scores.get(number, 0.0) + worth * share / (share + 0.5 + 0.02 * changes.get(number, 0))
    return scores


def commit_named(evidence: Evidence) -> Scores:
    """Files changed by the commits that the task names: "broken since 1f3a9c2"."""
    return _changed_by(evidence, commits_named(evidence))


def issue_named(evidence: Evidence) -> Scores:
    """Files changed by commits about an issue that the task names: "regressed by #123"."""
    return _changed_by(evidence, commits_about(evidence))


def commits_named(evidence: Evidence) -> dict[str, list[int]]:
    """The past commits that each abbreviated hash in the task may stand for."""
    commits_by_name = evidence.index.history.named(evidence.reading.mentions.commits)
    return {name: commits for name, commits in commits_by_name.items() if commits}


def commits_about(evidence: Evidence) -> dict[str, list[int]]:
    """The past commits whose messages name an issue that the task names, by the issue's number."""
    issues = list(dict.fromkeys(_ISSUE.findall(f"{evidence.reading.title}\n{evidence.reading.prose}")))
    messages = (
        evidence.index.history.messages([mark + issue for issue in issues for mark in (TITLE, "")]) if issues else {}
    )
    about = {
        issue: sorted({packed >> 8 for mark in (TITLE, "") for packed in messages.get(mark + issue, ())})
        for issue in issues
    }
    return {issue: commits for issue, commits in about.items() if 0 < len(commits) <= MOST_ABOUT}


def _changed_by(evidence: Evidence, named: Mapping[str, Sequence[int]]) -> Scores:
    scores: Scores = {}
    for commits in named.values():
        for commit in commits:
            files = evidence.index.history.changed_in(commit)
            for number in files:
                scores[number] = scores.get(number, 0.0) + len(files) ** -0.5 / len(commits)
    return scores


def recent(evidence: Evidence) -> Scores:
    """How recently a file was changed, within the newest 2,000 commits."""
    scores: Scores = {}
    count = len(evidence.index.history.commits)
    for commit in range(max(0, count - RECENT), count):
        worth = 1.0 / (1.0 + (count - commit) / 50.0)
        for number in evidence.index.history.changed_in(commit):
            scores[number] = worth
    return scores


def lately(evidence: Evidence) -> Scores:
    """Files of the newest 60 commits, on a steeper scale: work continues where it stopped."""
    scores: Scores = {}
    count = len(evidence.index.history.commits)
    for commit in range(max(0, count - 60), count):
        for number in evidence.index.history.changed_in(commit):
            scores[number] = 1.0 / (1.0 + (count - commit) / 4.0)
    return scores


def together(evidence: Evidence, number: int) -> tuple[dict[int, float], int]:
    """How often each file changed with this one (large commits count less), and how often this one changed."""
    history = evidence.index.history.commits
    own_place = evidence.index.history.place_of(number)
    times: dict[int, float] = {}
    if own_place is None:
        return times, 0
    places = [place for place, touched_place in enumerate(history.touched) if touched_place == own_place]
    for place in places:
        files = evidence.index.history.changed_in(bisect_right(history.starts, place) - 1)
        for other in files:
            if other != number:
                times[other] = times.get(other, 0.0) + 1.0 / math.log2(1 + len(files))
    return times, len(places)


def changed_together(evidence: Evidence) -> Scores:
    """Files that changed together with the best files."""
    scores: Scores = {}
    first = best(evidence.base, TOP, evidence)
    number_of_place = {
        place: number for number in first if (place := evidence.index.history.place_of(number)) is not None
    }
    history, changes = evidence.index.history.commits, evidence.index.history.changes
    commits: dict[int, list[int]] = {}
    for place, path_number in enumerate(history.touched):
        if path_number in number_of_place:
            commits.setdefault(bisect_right(history.starts, place) - 1, []).append(number_of_place[path_number])
    for commit, numbers in commits.items():
        files = evidence.index.history.changed_in(commit)
        for number in numbers:
            share = (evidence.base[number] / evidence.base[first[0]]) ** 2 / (changes.get(number, 0) + 3)
            for other in files:
                if other != number:
                    scores[other] = scores.get(other, 0.0) + share / math.log2(1 + len(files))
    return scores
