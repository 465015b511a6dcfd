"""Wording the reasons of a plan that come from a file's place among the other files."""

from __future__ import annotations

from ctxe.repo.indexing.scan import stem_of
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.signals.around import name_key, tested_stem


class PlaceReasons:
    """Words the reasons from the other files of one ranking."""

    def __init__(self, ranking: Ranking) -> None:
        self.ranking, self.evidence = ranking, ranking.evidence

    def namesake(self, number: int) -> str:
        """The best file of the same name."""
        key = name_key(self.evidence.file(number).path)
        for other in self.ranking.order:
            path = self.evidence.file(other).path
            if other != number and name_key(path) == key:
                return f"has the same name as {path}"
        return ""

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

    def meaning(self, number: int) -> str:
        """The rank of the file by vectors."""
        rank = 1 + sum(other > self.evidence.meaning[number] for other in self.evidence.meaning.values())
        return "closest in meaning" if rank == 1 else f"number {rank} by meaning"
