"""Wording the reasons of a plan that come from past commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.signals.past import commits_about, commits_named, similar_commits, together

RECENT = 399
"""Commits back to which a change is called recent."""


class CommitReasons:
    """Words the reasons from past commits for the files of one ranking; what several files need is computed once."""

    def __init__(self, ranking: Ranking) -> None:
        self.ranking, self.evidence = ranking, ranking.evidence

    @cached_property
    def _similar(self) -> list[tuple[float, int]]:
        return similar_commits(self.evidence, self.evidence.views["title"], 1.0, 0.3)

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        return commits_named(self.evidence)

    @cached_property
    def _about(self) -> dict[str, list[int]]:
        return commits_about(self.evidence)

    def commits(self, number: int) -> str:
        """How many of the commits that resemble the task changed the file."""
        matching = [commit for _, commit in self._similar if number in self.evidence.index.history.changed_in(commit)]
        if matching:
            return f"changed in {len(matching)} commit{'s' * (len(matching) > 1)} with similar messages"
        return "changed in commits with similar messages"

    def commit_named(self, number: int) -> str:
        """The commit that the task names and that changed the file; empty for none."""
        name = self._behind(self._named, number)
        return f"changed by commit {name[:12]}, named in the task" if name else ""

    def issue_named(self, number: int) -> str:
        """The issue that the task names and a commit that changed the file; empty for none."""
        issue = self._behind(self._about, number)
        return f"changed by a commit about #{issue}, named in the task" if issue else ""

    def _behind(self, named: Mapping[str, Sequence[int]], number: int) -> str:
        """The first name whose commits changed the file."""
        changed = self.evidence.index.history.changed_in
        return next(
            (name for name, commits in named.items() if any(number in changed(commit) for commit in commits)), ""
        )

    def recent(self, number: int) -> str:
        """How many commits ago the file was last changed; empty for more than RECENT."""
        history = self.evidence.index.history
        place, count = history.place_of(number), len(history.commits)
        for back in range(1, min(count, RECENT) + 1):
            if place in history.commits.files(count - back):
                return f"changed {back} commit{'s' * (back > 1)} ago"
        return ""

    def changed_together(self, number: int) -> str:
        """How often the file changed together with the best one; empty for never."""
        first = next(iter(self.ranking.order))
        history = self.evidence.index.history
        place, other_place = history.place_of(number), history.place_of(first)
        if first == number or place is None or other_place is None:
            return ""
        changes = together(self.evidence, first)[1]
        both = sum({place, other_place} <= set(history.commits.files(commit)) for commit in range(len(history.commits)))
        name = self.evidence.file(first).path.rpartition("/")[2]
        return f"changed together with {name} in {both} of {changes} commits" if both else ""
