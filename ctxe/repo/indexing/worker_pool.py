"""Scanning the files of an update, in this process or by a pool of worker processes."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from ctxe.domain.value import dataclass
from ctxe.repo.indexing.postings import Packed
from ctxe.repo.indexing.scan import Scanned
from ctxe.repo.indexing.worker import Job, Scanner, Worker

WAITING = 200
"""Results that may wait for a busy parent before workers have to wait for it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Files with all their postings, which the index writes in one transaction."""

    files: list[Scanned]
    packed: Packed


Found = list[Scanned] | Segment
"""Each file comes twice: as soon as it is scanned, and later in a segment with its postings."""


class InProcess:
    """Scans in this process. After an interruption ``rest`` still gives what was scanned."""

    def __init__(self, root: Path, jobs: Iterable[Job], enough: int) -> None:
        self._scanner, self._jobs = Scanner(root, enough), jobs
        self._held: list[Scanned] = []
        self._ready: list[Segment] = []

    def __iter__(self) -> Iterator[Found]:
        for job in self._jobs:
            done, packed = self._scanner.scan(job)
            self._held += done
            if packed:
                self._close(packed)
            yield done
            yield from self._taken()
        yield from self.rest()

    def rest(self) -> Iterator[Segment]:
        """The segments of files that were scanned and not given in a segment yet."""
        if self._held:
            self._close(self._scanner.rest())
        yield from self._taken()

    def _close(self, packed: Packed) -> None:
        self._ready.append(Segment(self._held, packed))
        self._held = []

    def _taken(self) -> Iterator[Segment]:
        while self._ready:
            yield self._ready.pop()

    def stop(self) -> None:
        """Do nothing: there is no process to end."""


class WorkerPool:
    """Scans by worker processes. After an interruption ``rest`` still gives what was scanned; ``stop`` ends them."""

    def __init__(self, root: Path, jobs: Iterable[Job], enough: int, workers: int) -> None:
        self._root, self._jobs, self._enough = root, iter(jobs), enough
        self._taking = threading.Lock()
        self._done: queue.Queue[Found | Exception | None] = queue.Queue(WAITING)
        self._leaving = self._stopped = False
        self._left = workers
        self._workers = [Worker(root, enough) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(one,), daemon=True) for one in self._workers]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Found]:
        while self._left:
            found = self._done.get()
            if isinstance(found, Exception):
                raise found
            if found is None:
                self._left -= 1
            else:
                yield found

    def rest(self) -> Iterator[Segment]:
        """The segments of files that were scanned and not given in a segment yet; no further job is begun."""
        self._leaving = True
        yield from (found for found in self if isinstance(found, Segment))

    def _next(self) -> Job:
        with self._taking:
            return [] if self._leaving else next(self._jobs, [])

    def _serve(self, worker: Worker) -> None:
        """Let a worker do jobs until none are left. When it dies, its unfinished segment is scanned in this process."""
        held: list[Scanned] = []
        taken: Job = []
        try:
            while job := self._next():
                taken += job
                done, packed = worker.run(job)
                held += done
                self._done.put(done)
                if packed:
                    self._done.put(Segment(held, packed))
                    held, taken = [], []
            if held:
                self._done.put(Segment(held, worker.run([])[1]))
        except EOFError:
            self._scan_here(taken)
        self._done.put(None)

    def _scan_here(self, job: Job) -> None:
        """Scan in this process what a worker died of; an exception is passed on to whoever takes the results."""
        try:
            for found in () if self._stopped else InProcess(self._root, [job], self._enough):
                self._done.put(found)
        except Exception as error:
            self._done.put(error)

    def stop(self) -> None:
        """End all workers; what they were doing is lost."""
        self._leaving = self._stopped = True
        for worker in self._workers:
            worker.stop()
        for thread in self._threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._done.get(timeout=0.01)
