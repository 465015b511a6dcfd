"""A stretch of work without searches for garbage: what an index is made of holds no rings, and there is much of it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def unswept() -> Iterator[None]:
    """Let the collector rest meanwhile, if it was at work."""
    swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if swept:
            gc.enable()
