"""Wording the reasons of a plan that come from past commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.signals.past import commits_about, commits_named, similar_commits, together


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
        mine = [commit for _, commit in self._similar if number in self.evidence.index.changed_in(commit)]
        if mine:
            return f"changed by {len(mine)} past commit{'s' * (len(mine) > 1)} with words of the task"
        return "past commits that changed it use words of the task"

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
        changed = self.evidence.index.changed_in
        return next((name for name, commits in named.items() if any(number in changed(one) for one in commits)), "")

    def recent(self, number: int) -> str:
        """How many commits ago the file was last changed; empty for 400 and more."""
        index = self.evidence.index
        place = index.history_number(number)
        count = len(index.history)
        for back in range(1, min(count, 2000) + 1):
            if place in index.history.files(count - back):
                return f"changed {back} commit{'s' * (back > 1)} ago" if back < 400 else ""
        return ""

    def changed_together(self, number: int) -> str:
        """How often the file changed together with the best one; empty for never."""
        first = next(iter(self.ranking.order))
        index = self.evidence.index
        mine, other = index.history_number(number), index.history_number(first)
        if first == number or mine is None or other is None:
            return ""
        changes = together(self.evidence, first)[1]
        files = index.history.touched
        starts = index.history.starts
        both = sum(1 for n in range(len(index.history)) if {mine, other} <= set(files[starts[n] : starts[n + 1]]))
        name = self.evidence.file(first).path.rpartition("/")[2]
        return f"changed together with {name} in {both} of {changes} commits" if both else ""
