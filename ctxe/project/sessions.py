"""Past sessions of a project: which there are, which one is meant, what they cost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ctxe.agent.log import header_of, read_events, read_records, to_record
from ctxe.agent.summary import Spent, Summary, summaries
from ctxe.domain.errors import SessionError
from ctxe.domain.events import Kept

__all__ = [
    "Spent",
    "Summary",
    "events",
    "path_of",
    "record_of",
    "records",
    "summaries",
    "sums",
]


def path_of(folder: Path, wanted: str = "") -> Path:
    """The log of a session by id or its beginning; of the one used last when empty. Raises SessionError."""
    if not wanted:
        found = [one for one in summaries(folder) if is_private(folder / f"{one.id}.jsonl")]
        newest = next((one for one in found if one.turns), next(iter(found), None))
        if newest is None:
            raise SessionError("there is no session here yet", "`ctxe chat` starts one")
        return folder / f"{newest.id}.jsonl"
    exact = folder / f"{wanted}.jsonl"
    if exact.is_file() and exact.parent == folder:
        return exact
    close = sorted(path for path in folder.glob("*.jsonl") if path.stem.startswith(wanted))
    if len(close) != 1:
        what = f"{len(close)} sessions begin with {wanted}" if close else f"no session {wanted}"
        raise SessionError(what, "`ctxe sessions list` shows what there is")
    return close[0]


def is_private(path: Path) -> bool:
    """Whether only the user can read a log: so ctxe makes them, and git or an archive does not."""
    return os.name != "posix" or not path.stat().st_mode & 0o077


def events(path: Path) -> tuple[list[Kept], list[str]]:
    """The events of a log and notices about what could not be read. Raises SessionError."""
    found, notices, _ = read_events(path)
    return found, notices


def records(path: Path) -> Iterable[dict[str, object]]:
    """A log as JSON objects: header first, then its events as they are written."""
    yield header_of(path)
    for record in read_records(path):
        if not isinstance(record, str):
            yield record


def sums(spent: Iterable[tuple[str, Spent]]) -> dict[str, tuple[int, int, int, float | None]]:
    """Money by key: replies, input tokens, output tokens, dollars (None: no price known for any)."""
    table: dict[str, tuple[int, int, int, float | None]] = {}
    for key, one in spent:
        count, took, gave, usd = table.get(key, (0, 0, 0, None))
        more = usd if one.usd is None else (usd or 0.0) + one.usd
        table[key] = (count + 1, took + one.usage.input, gave + one.usage.output, more)
    return table


def record_of(event: Kept) -> dict[str, object]:
    """An event as the log writes it, without its number and time."""
    return to_record(event)
