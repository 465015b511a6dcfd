"""Past sessions of a project: find one, read it, and add up their costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent import summary_cache
from ctxe.agent.log import header_of, read_events, read_records, to_record
from ctxe.agent.summary import ReplyCost, Summary, has_turn, is_log, is_newer, newest_first, summary
from ctxe.domain.conversation import Usage
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.events import Kept
from ctxe.domain.past import known_total
from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from ctxe.domain.model import Prices
    from ctxe.project import Project

__all__ = [
    "ReplyCost",
    "Sum",
    "Summary",
    "delegated",
    "delegates",
    "events",
    "newest_first",
    "path_of",
    "record_of",
    "records",
    "spent_by_all",
    "summaries",
    "summary",
    "sums",
    "unreadable",
    "write",
]


DELEGATES = "delegates"
"""The folder, beside the session logs, for logs of delegates: those are not sessions of the user."""


def delegates(folder: Path, session: str) -> tuple[str, Path]:
    """The id of a session's next delegate, and the folder for its log."""
    home = folder / DELEGATES
    numbers = [path.stem.rpartition("-d")[2] for path in home.glob(f"{session}-d*.jsonl")]
    newest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return f"{session}-d{newest + 1}", home


def delegated(path: Path) -> list[Path]:
    """The logs of a session's delegates, in the order they were asked; ``path`` is the session's own log."""
    found = (path.parent / DELEGATES).glob(f"{path.stem}-d*.jsonl")
    return sorted(found, key=lambda one: (len(one.name), one.name))


def path_of(folder: Path, wanted: str = "") -> Path:
    """The log of a session by its id or the beginning of it, or of a delegate by its id. Raises SessionError.

    An empty ``wanted`` means the session used last, even if only a newer ctxe can read it.
    """
    if not wanted:
        return _newest_log(folder)
    for home in (folder, folder / DELEGATES):
        exact = home / f"{wanted}.jsonl"
        if exact.is_file() and exact.parent == home:
            return exact
    close = sorted(path for path in folder.glob("*.jsonl") if path.stem.startswith(wanted))
    if len(close) != 1:
        what = f"{len(close)} sessions begin with {wanted}" if close else f"no session {wanted}"
        raise SessionError(what, "`ctxe sessions list` shows what there is")
    return close[0]


def _newest_log(folder: Path) -> Path:
    """The log of the session used last, preferably of one in which something was said. Raises SessionError."""
    found = [path for path in newest_first(folder) if is_private(path)]
    begun = next((path for path in found if has_turn(path) or is_newer(path)), None)
    newest = begun or next(filter(is_log, found), None)
    if newest is None:
        raise SessionError("there is no session here yet", "`ctxe chat` starts one")
    return newest


def is_private(path: Path) -> bool:
    """Whether only the user can read a log. ctxe creates logs like that; git and archives do not."""
    return os.name != "posix" or (path.is_file() and not path.stat().st_mode & 0o077)


def events(path: Path) -> tuple[list[Kept], list[str]]:
    """The events of a log, and notices about unreadable parts. Raises SessionError."""
    found, notices, _ = read_events(path)
    return found, notices


def records(path: Path) -> Iterable[dict[str, object]]:
    """A log as JSON objects: the header, then the events as they were written."""
    yield header_of(path)
    for record in read_records(path):
        if not isinstance(record, str):
            yield record


@dataclass(frozen=True, slots=True)
class Sum:
    """Replies, their tokens, and dollars with and without a cache (None: no price is known)."""

    replies: int = 0
    usage: Usage = Usage()
    usd: float | None = None
    plain_usd: float | None = None

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.replies + other.replies,
            self.usage + other.usage,
            known_total((self.usd, other.usd)),
            known_total((self.plain_usd, other.plain_usd)),
        )


def sums(project: Project, sessions: Iterable[Summary], by: Callable[[Summary, ReplyCost], str]) -> dict[str, Sum]:
    """Replies, tokens and dollars added up by the key ``by``, sorted by key."""
    from ctxe.project.models import prices_of

    priced = cache(partial(prices_of, project))
    found: dict[str, Sum] = {}
    for session in sessions:
        for spent in session.spent:
            key = by(session, spent)
            found[key] = found.get(key, Sum()) + _sum_of(spent, priced(spent.model))
    return dict(sorted(found.items()))


def _sum_of(spent: ReplyCost, prices: Prices | None) -> Sum:
    """One reply with its price, and the price without a cache."""
    plain = prices.cost(Usage(spent.usage.input, spent.usage.output)) if prices and spent.usd is not None else None
    return Sum(1, spent.usage, spent.usd, plain)


def summaries(project: Project) -> list[Summary]:
    """Every session of a project, the one used last first."""
    return summary_cache.summaries(project.place.sessions, project.own_cache)


def unreadable(project: Project, read: Iterable[Summary]) -> list[str]:
    """Ids of sessions that only a newer ctxe can read and that are not among ``read``."""
    known = {one.id for one in read}
    return sorted(p.stem for p in project.place.sessions.glob("*.jsonl") if p.stem not in known and is_newer(p))


def spent_by_all(project: Project) -> tuple[float | None, int]:
    """Dollars of all sessions of a project (None: no price is known), and the number of sessions."""
    found = summaries(project)
    return known_total(session.usd for session in found), len(found)


def write(path: Path, text: str) -> Path:
    """Write text about a session to a file that only its user can read; returns the file. Raises StoreError."""
    from ctxe.storage import files

    path = path.expanduser().absolute()
    if path.is_dir():
        raise StoreError(f"{path} is a folder", "name a file in it")
    files.replace(path, text.encode("utf-8", "replace"), 0o600)
    return path


def record_of(event: Kept) -> dict[str, object]:
    """An event as the log writes it, without its number and time."""
    return to_record(event)
