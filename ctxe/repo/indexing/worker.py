"""A process that scans files for the index: it reads jobs of (id, path) from stdin and writes results to stdout."""

from __future__ import annotations

import marshal
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ctxe.repo.files import read_text
from ctxe.repo.indexing.postings import Packed
from ctxe.repo.indexing.scan import Batch, Scanned
from ctxe.repo.kinds import kind

Job = list[tuple[int, str]]
MOST_POSTINGS = 2_000_000
"""(file, term) pairs that are collected before they are packed into a segment: some 100 MB."""
SEGMENT_SECONDS, SEGMENT_SHARE = 10.0, 0.25
"""A segment is due after so many seconds, so that little is lost in a crash, or after this share of the time since the
start if that is longer: every plan opens all segments, so there should be few."""
_START = "import sys; sys.path[:] = {paths!r}; from ctxe.repo.indexing.worker import main; main({root!r}, {enough})"


class Scanner:
    """Scans files and collects their postings until there are enough for a segment of the index."""

    def __init__(self, root: Path, enough: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._enough, self._clock = root, enough, clock
        self._batch, self._segment_started = Batch(), clock()
        self._started = self._segment_started

    def scan(self, job: Job) -> tuple[list[Scanned], Packed]:
        """Scan the files of a job; one that cannot be read any more is scanned as data.

        The postings of all jobs since the last segment come with the result when a segment is due; else none do.
        """
        batch = self._batch
        scanned = [
            batch.add(number, path, None if kind(path) == "data" else read_text(self._root, path))
            for number, path in job
        ]
        full = len(batch.files) >= self._enough or batch.postings.size >= MOST_POSTINGS
        now = self._clock()
        late = now - self._segment_started > max(SEGMENT_SECONDS, SEGMENT_SHARE * (now - self._started))
        return scanned, self.rest() if full or late else {}

    def rest(self) -> Packed:
        """Take the postings collected so far, and start a new segment."""
        batch, self._batch, self._segment_started = self._batch, Batch(), self._clock()
        return batch.postings.packed()


def main(root: str, enough: int) -> None:
    """Answer jobs until stdin ends, so that no worker outlives its parent; an empty job asks for the rest."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    scanner = Scanner(Path(root), enough)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = [(number, os.fsdecode(path)) for number, path in _received(source)]
        except EOFError:
            return
        files, packed = scanner.scan(job) if job else ([], scanner.rest())
        _send(target, ([tuple(file) for file in files], packed))


def _send(target: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value)
    target.write(struct.pack("=Q", len(data)))
    target.write(data)
    target.flush()


def _received(source: IO[bytes]) -> Any:
    header = source.read(8)
    if len(header) < 8:
        raise EOFError
    [length] = struct.unpack("=Q", header)
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return marshal.loads(data)  # noqa: S302 (between parent and child)


class Worker:
    """One running worker process."""

    def __init__(self, root: Path, enough: int) -> None:
        code = _START.format(paths=sys.path, root=str(root), enough=enough)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def run(self, job: Job) -> tuple[list[Scanned], Packed]:
        """Let the worker do ``Scanner.scan``, or ``rest`` for an empty job. Raises EOFError when the worker died."""
        source, target = self._process.stdout, self._process.stdin
        assert source is not None
        assert target is not None
        try:
            _send(target, [(number, os.fsencode(path)) for number, path in job])
            files, packed = _received(source)
        except (OSError, ValueError, TypeError) as error:
            raise EOFError("the worker has died") from error
        return [Scanned(*fields) for fields in files], packed

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
