"""Closes a stream that may be left before its end."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator


@contextlib.contextmanager
def closed_at_end(stream: Iterable[object]) -> Iterator[None]:
    """Close a stream when the block ends, if it is a generator: it then lets go of what it holds."""
    try:
        yield
    finally:
        if isinstance(stream, Generator):
            stream.close()
