"""What a session writes its memory with: held once and shared, so that all who write are on the disk or none."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.echo import Keeps
from ctxe.storage.counters import Counters

DigestOf = Callable[[str], str]
"""The content hash of a file of the project; empty for none."""


@dataclass(slots=True)
class Scribe:
    """The memory's entries, its numbers that move often, and how files are now. While a log is played all three are
    what they were then.
    """

    store: Keeps
    counters: Counters
    digest_of: DigestOf = lambda _: ""
