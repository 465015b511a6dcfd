"""The index of a project, built in a thread of its own, since a large tree takes longer than anybody waits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError
from ctxe.project.planning.indexing import index
from ctxe.terminal.figures import percent, plural

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index


class BackgroundIndex:
    """The index once it is built. Whoever uses it, from any thread, holds ``using`` meanwhile."""

    def __init__(self, project: Project) -> None:
        self.using = threading.Lock()
        self._project = project
        self._index: Index | None = None
        self._building: threading.Thread | None = None
        self._failed: StoreError | OSError | None = None
        self._read = (0, 0)

    def progress(self) -> str:
        """Progress of the build, in words; empty before and after it."""
        done, every = self._read
        built = self._building is None or not self._building.is_alive()
        return "" if built or done >= every else f"indexing {percent(done, every)} of {plural(every, 'file')}"

    def start(self) -> bool:
        """Start to build the index unless an earlier call did; True when this call started it."""
        with self.using:
            begins = self._building is None
            if begins:
                self._building = threading.Thread(target=self._build, name="index", daemon=True)
                self._building.start()
            return begins

    def is_built(self, patience: float) -> bool:
        """Whether the index is ready, after at most ``patience`` seconds.

        The lock is not held meanwhile, or a second caller would wait twice as long.
        """
        if self._building is not None:
            self._building.join(patience)
        return self._building is not None and not self._building.is_alive()

    def built(self) -> Index | None:
        """The index; None before it is built. Raises the StoreError or OSError with which its build ended."""
        if self._failed is not None:
            raise self._failed
        return self._index

    def _build(self) -> None:
        """Build the index, or keep the error, which then explains why nothing is planned in this session."""
        try:
            self._index = index(self._project, self._on_progress)
        except (StoreError, OSError) as error:
            self._failed = error

    def _on_progress(self, done: int, _: str, every: int) -> None:
        self._read = (done, every)
