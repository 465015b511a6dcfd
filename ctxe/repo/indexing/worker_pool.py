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

MOST_WAITING = 200
"""Results that may wait for a busy parent before workers have to wait for it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Files with all their postings, which the index writes in one transaction."""

    files: list[Scanned]
    packed: Packed


Found = list[Scanned] | Segment
"""Each file is given twice: as soon as it is scanned, and later in a segment with its postings."""


class InProcess:
    """Scans in this process. After an interruption ``rest`` still gives what was scanned."""

    def __init__(self, root: Path, jobs: Iterable[Job], enough: int) -> None:
        self._scanner, self._jobs = Scanner(root, enough), jobs
        self._scanned: list[Scanned] = []
        self._ready: list[Segment] = []

    def __iter__(self) -> Iterator[Found]:
        for job in self._jobs:
            scanned, packed = self._scanner.scan(job)
            self._scanned += scanned
            if packed:
                self._close(packed)
            yield scanned
            yield from self._take_ready()
        yield from self.rest()

    def rest(self) -> Iterator[Segment]:
        """The segments of files that were scanned and not given in a segment yet."""
        if self._scanned:
            self._close(self._scanner.rest())
        yield from self._take_ready()

    def _close(self, packed: Packed) -> None:
        self._ready.append(Segment(self._scanned, packed))
        self._scanned = []

    def _take_ready(self) -> Iterator[Segment]:
        while self._ready:
            yield self._ready.pop()

    def stop(self) -> None:
        """Do nothing: there is no process to end."""


class WorkerPool:
    """Scans by worker processes. After an interruption ``rest`` still gives what was scanned; ``stop`` ends them."""

    def __init__(self, root: Path, jobs: Iterable[Job], enough: int, workers: int) -> None:
        self._root, self._jobs, self._enough = root, iter(jobs), enough
        self._job_lock = threading.Lock()
        self._results: queue.Queue[Found | Exception | None] = queue.Queue(MOST_WAITING)
        self._is_ending = self._stopped = False
        self._running_workers = workers
        self._workers = [Worker(root, enough) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(worker,), daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Found]:
        while self._running_workers:
            result = self._results.get()
            if isinstance(result, Exception):
                raise result
            if result is None:
                self._running_workers -= 1
            else:
                yield result

    def rest(self) -> Iterator[Segment]:
        """The segments of files that were scanned and not given in a segment yet; no further job is begun."""
        self._is_ending = True
        yield from (result for result in self if isinstance(result, Segment))

    def _next(self) -> Job:
        with self._job_lock:
            return [] if self._is_ending else next(self._jobs, [])

    def _serve(self, worker: Worker) -> None:
        """Let a worker do jobs until none are left. When it dies, its unfinished segment is scanned in this process."""
        scanned: list[Scanned] = []
        unfinished: Job = []
        try:
            while job := self._next():
                unfinished += job
                just_scanned, packed = worker.run(job)
                scanned += just_scanned
                self._results.put(just_scanned)
                if packed:
                    self._results.put(Segment(scanned, packed))
                    scanned, unfinished = [], []
            if scanned:
                self._results.put(Segment(scanned, worker.run([])[1]))
        except EOFError:
            self._scan_here(unfinished)
        self._results.put(None)

    def _scan_here(self, job: Job) -> None:
        """Scan the files that a worker died on in this process; an exception is passed on with the results."""
        try:
            for result in () if self._stopped else InProcess(self._root, [job], self._enough):
                self._results.put(result)
        except Exception as error:
            self._results.put(error)

    def stop(self) -> None:
        """End all workers; their unfinished work is lost."""
        self._is_ending = self._stopped = True
        for worker in self._workers:
            worker.stop()
        for thread in self._threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._results.get(timeout=0.01)
