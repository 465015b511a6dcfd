"""Fits, on titles of past commits, the odds that words of a title ask for documents, tests or settings."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from ctxe.repo.kinds import kind
from ctxe.repo.planning.task_kinds import ASKABLE_KINDS, words
from scripts.fitting.cases import REPOSITORIES, clean, git, mirror_of

COMMITS_READ, MAX_TITLES = 12_000, 3_000
"""Commits read per repository, and the most of them that are used for the fit."""
MIN_REPOSITORIES, MIN_TITLES = 5, 20
"""A word is learnt when it occurs in at least MIN_REPOSITORIES repositories and MIN_TITLES titles."""
RIDGE = 5.0
MIN_LOG_ODDS = 0.4
"""A word with smaller log odds (absolute value) is left out."""
MAX_FILES = 12

Row = tuple[str, frozenset[str], int]
"""Repository, words of the title, and the index in KINDS of the kind of file that the commit changed."""
KINDS = ("source", *ASKABLE_KINDS)


def mined(mirrors: Path) -> Iterator[Row]:
    """Titles of every repository. A commit counts as the first kind it changes of source, test, config and doc."""
    for repo in REPOSITORIES:
        form = ("--no-merges", "--no-renames", f"-{COMMITS_READ}", "--format=%x02%s%x03", "--name-only", "HEAD")
        found: list[Row] = []
        for record in git(mirror_of(mirrors, repo), "log", "-z", *form).split("\x02")[1:]:
            title, _, names = record.partition("\x03")
            paths = [path for path in names.strip("\0\n").split("\0") if path]
            changed = {kind(path) for path in paths}
            rarest = next((name for name in ("source", "test", "config", "doc") if name in changed), None)
            if rarest and len(paths) <= MAX_FILES:
                found.append((repo, words(clean(title)), KINDS.index(rarest)))
        yield from random.Random("k" + repo).sample(found, min(MAX_TITLES, len(found)))


def learnt(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """For each kind the log odds that each word adds. The empty word holds the intercept."""
    repositories_of: dict[str, list[str]] = defaultdict(list)
    for repo, title_words, _ in rows:
        for word in title_words:
            repositories_of[word].append(repo)
    known = sorted(
        word
        for word, repositories in repositories_of.items()
        if len(repositories) >= MIN_TITLES and len(set(repositories)) >= MIN_REPOSITORIES
    )
    odds = _fitted(_matrix(rows, known), np.array([row[2] for row in rows]))
    return {
        name: {word: round(float(one), 2) for word, one in zip(("", *known), odds[place], strict=True)
               if not word or abs(one) >= MIN_LOG_ODDS}
        for place, name in enumerate(ASKABLE_KINDS)
    }  # fmt: skip


def _matrix(rows: Sequence[Row], known: Sequence[str]) -> Any:
    """A sparse matrix, one row per title: 1 in the first column (intercept) and in the column of each of its words."""
    place = {word: column for column, word in enumerate(known, 1)}
    columns = [[0, *(place[word] for word in sorted(said) if word in place)] for _, said, _ in rows]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.concatenate(columns)
    return csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(rows), len(known) + 1))


def _fitted(seen: Any, kinds: Any) -> Any:
    """Log odds of each kind against source, by a logistic regression with a ridge on all but the intercept."""
    wanted = np.eye(len(KINDS))[kinds]
    shape = (len(ASKABLE_KINDS), seen.shape[1])

    def loss(flat: Any) -> tuple[float, Any]:
        odds = flat.reshape(shape)
        logits = np.hstack([np.zeros((seen.shape[0], 1)), seen @ odds.T])
        logits -= logits.max(1, keepdims=True)
        chances = np.exp(logits)
        chances /= chances.sum(1, keepdims=True)
        held = odds.copy()
        held[:, 0] = 0.0
        slope = (seen.T @ (chances - wanted)[:, 1:]).T + 2 * RIDGE * held
        return float(-np.log((chances * wanted).sum(1)).sum() + RIDGE * (held**2).sum()), np.asarray(slope).ravel()

    return minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B").x.reshape(shape)
