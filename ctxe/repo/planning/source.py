"""The planned files as a section of the request: chunks by file, each with its tier and the reasons for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.section import Chunk, Omission, Priority, Section, Task
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.mending import refreshed
from ctxe.repo.planning.planner import Plan, Steering, plan

SECTION = "files"


class PlannedFiles:
    """A Source (see domain) that plans every task it is asked about; the newest plan stands in ``newest``.

    ``steer`` says what the user added and dropped in this session, ``planned`` makes the plans; ``fresh`` is an index
    that was brought up to date just now. Nothing a project holds makes it raise.
    """

    def __init__(
        self,
        index: Index,
        steer: Callable[[], Steering] = Steering,
        least: int = 400,
        planned: Callable[[Index, str, int, Steering], Plan] = plan,
        *,
        fresh: bool = False,
    ) -> None:
        self.index, self._steer, self._least, self._plan, self._fresh = index, steer, least, planned, fresh
        self.newest: Plan | None = None

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """The planned files in at most ``room`` tokens (o200k_base), best first; nothing for an empty task."""
        if room < self._least or not task.words.strip():
            return ()
        if not self._fresh:
            refreshed(self.index)
        self._fresh = False
        steering = self._steer()
        touched = tuple(path for path in dict.fromkeys((*steering.touched, *task.files)))
        added = tuple(dict.fromkeys((*steering.added, *task.named)))
        steering = Steering(touched, steering.named, added, steering.dropped)
        self.newest = self._plan(self.index, task.words, room, steering)
        return (section(self.newest),) if self.newest.files else ()


def section(made: Plan) -> Section:
    """A plan as a section; further files by name are one chunk at the end."""
    chunks = [
        Chunk(f"{SECTION}:{file.path}", file.text, file.why, file.mode, file.path)
        for file in made.files
        if file.mode != "name"
    ]
    names = [file.path for file in made.files if file.mode == "name"]
    if names:
        chunks.append(Chunk(f"{SECTION}:names", "\n".join(names), "further files that may matter", "name"))
    left_out = tuple(Omission(f"{SECTION}:{one.path}", 0, one.reason) for one in made.left_out)
    return Section(SECTION, Priority.INJECTED, tuple(chunks), "task", "files", left_out)
