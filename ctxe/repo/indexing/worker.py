"""A process that scans files for the index: jobs of (id, path) come in on stdin, what they hold goes out on stdout."""

from __future__ import annotations

import marshal
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from ctxe.repo.files import read_text
from ctxe.repo.indexing.scan import Batch, Postings, Scanned
from ctxe.repo.kinds import kind

Job = list[tuple[int, str]]
WAITING = 24
"""Answers that may wait to be taken, so that a busy parent does not stop its workers."""
_START = "import sys; sys.path[:] = {paths!r}; from ctxe.repo.indexing.worker import main; main({root!r})"


def scan_files(root: Path, job: Job) -> tuple[list[Scanned], Postings]:
    """Scan the files of a job that can still be read; one that is gone is scanned as data."""
    batch = Batch()
    for number, path in job:
        batch.add(number, path, None if kind(path) == "data" else read_text(root, path))
    return batch.files, batch.postings()


def main(root: str) -> None:
    """Answer jobs until stdin ends, so that no worker outlives its parent."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = marshal.load(source)  # noqa: S302 (from our own parent)
        except EOFError:
            return
        files, postings = scan_files(Path(root), [(n, os.fsdecode(path)) for n, path in job])
        marshal.dump(([astuple(file) for file in files], postings), target)
        target.flush()


class Worker:
    """One running worker process."""

    def __init__(self, root: Path) -> None:
        code = _START.format(paths=sys.path, root=str(root))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def run(self, job: Job) -> tuple[list[Scanned], Postings]:
        """Have a job done. Raises EOFError when the process died."""
        source, target = self._process.stdout, self._process.stdin
        assert source is not None
        assert target is not None
        try:
            marshal.dump([(n, os.fsencode(path)) for n, path in job], target)
            target.flush()
            answer: Any = marshal.load(source)  # noqa: S302 (from our own child)
        except (OSError, ValueError, TypeError) as error:
            raise EOFError("the worker is gone") from error
        files, postings = answer
        return [Scanned(*fields) for fields in files], postings

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def scan_in_parallel(root: Path, jobs: Iterable[Job], workers: int) -> Iterator[tuple[list[Scanned], Postings]]:
    """What every job gave, in the order in which they finish; a job whose worker died is done in this process."""
    import queue
    import threading

    waiting = iter(jobs)
    taking = threading.Lock()
    done: queue.Queue[tuple[list[Scanned], Postings] | Job | None] = queue.Queue(WAITING)
    staff = [Worker(root) for _ in range(workers)]

    def serve(worker: Worker) -> None:
        while True:
            with taking:
                job = next(waiting, None)
            if job is None:
                break
            try:
                done.put(worker.run(job))
            except EOFError:
                done.put(job)
        done.put(None)

    try:
        for worker in staff:
            threading.Thread(target=serve, args=(worker,), daemon=True).start()
        left = workers
        while left:
            answer = done.get()
            if answer is None:
                left -= 1
            elif isinstance(answer, list):
                yield scan_files(root, answer)
            else:
                yield answer
    finally:
        for worker in staff:
            worker.stop()


def joined(
    parts: Iterator[tuple[list[Scanned], Postings]],
    enough: int,
    count: Callable[[Sequence[Scanned]], dict[int, bytes]] | None,
) -> Iterator[tuple[list[Scanned], Postings, dict[int, bytes]]]:
    """Batches put together until they are worth a segment of the index, their lines counted meanwhile."""
    files: list[Scanned] = []
    heads: dict[str, list[bytes]] = {}
    units: dict[str, list[bytes]] = {}
    counted: dict[int, bytes] = {}
    for some, postings in parts:
        files.extend(some)
        if count is not None:
            counted |= count(some)
        for term, (head, unit) in postings.items():
            if term in heads:
                heads[term].append(head)
                units[term].append(unit)
            else:
                heads[term], units[term] = [head], [unit]
        if len(files) >= enough:
            yield files, {term: (b"".join(head), b"".join(units[term])) for term, head in heads.items()}, counted
            files, heads, units, counted = [], {}, {}, {}
    if files:
        yield files, {term: (b"".join(head), b"".join(units[term])) for term, head in heads.items()}, counted
