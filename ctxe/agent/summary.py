"""What a session log says at a scan, without building its events: words, model, turns, tokens, cost."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctxe.agent.log import header_of
from ctxe.domain.conversation import Usage
from ctxe.domain.errors import NewerSession, SessionError
from ctxe.domain.past import known_total
from ctxe.domain.value import dataclass, field, fields, replace

TYPE = b'"type":"'
WANTED = tuple(
    TYPE + kind + b'"'
    for kind in (b"turn_started", b"reply_received", b"summarized", b"consulted", b"model_chosen", b"turn_finished")
)
HEAD = 120
"""Bytes of a record that contain its type: only number and time are written before it."""


@dataclass(frozen=True, slots=True)
class ReplyCost:
    """The cost of one reply: time (UTC, ISO 8601), model, tokens, dollars (None: price unknown).

    ``delegate`` names the session of a delegate whose reply it was, empty for the session's own.
    """

    at: str
    model: str
    usage: Usage
    usd: float | None
    delegate: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One session. ``words`` are the user's first message; ``used`` is when its log last grew (seconds since 1970).

    A fork does not count the replies that it copied in ``spent``.
    """

    id: str
    started: str
    used: float
    words: str
    turns: int
    model: str
    outcome: str
    spent: tuple[ReplyCost, ...]
    fork: str = ""

    @property
    def usd(self) -> float | None:
        """Dollars in total; None when no price is known."""
        return known_total(one.usd for one in self.spent)

    @property
    def usage(self) -> Usage:
        """Tokens in total."""
        return sum((one.usage for one in self.spent), Usage())


@dataclass(slots=True)
class LogScan:
    """The header of a log (``at``, ``fork``, ``copied``), and what its whole lines up to byte ``offset`` say."""

    at: str
    fork: str
    copied: int
    offset: int = 0
    words: str = ""
    turns: int = 0
    model: str = ""
    outcome: str = ""
    spent: list[ReplyCost] = field(default_factory=list)

    def add(self, record: dict[str, Any]) -> None:
        """Add the next record."""
        match record.get("type"):
            case "turn_started":
                self.words = self.words or str(record.get("words", ""))
                self.turns += 1
                self.outcome = "running"
            case "model_chosen":
                self.model = str(record.get("model", ""))
            case "turn_finished":
                self.outcome = str(record.get("outcome", ""))
            case "reply_received" | "summarized" | "consulted":
                if _number(record.get("n"), self.copied + 1) > self.copied:
                    self.spent += _spent(record, self.model)

    def to_summary(self, name: str, used: float) -> Summary:
        """The summary of the session ``name``, whose log last grew at ``used`` (seconds since 1970)."""
        spent = tuple(self.spent)
        return Summary(name, self.at, used, self.words, self.turns, self.model, self.outcome, spent, self.fork)


def newest_first(folder: Path) -> list[Path]:
    """The logs of a folder by modification time, then by name, newest first; none is opened."""
    found: list[tuple[float, str, Path]] = []
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime, path.stem, path))
    return [path for *_, path in sorted(found, reverse=True)]


def is_log(path: Path) -> bool:
    """True when the file is a log that this version can read."""
    with contextlib.suppress(SessionError):
        return bool(header_of(path))
    return False


def is_newer(path: Path) -> bool:
    """True when the file is a log that only a newer ctxe can read."""
    try:
        header_of(path)
    except SessionError as error:
        return isinstance(error, NewerSession)
    return False


def has_turn(path: Path) -> bool:
    """True when the file is a log with a turn in it; reading stops at the first one."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return is_log(path) and any(one.get("type") == "turn_started" for line in file for one in _wanted(line))
    return False


def summary(path: Path) -> Summary:
    """The summary of one log. Raises SessionError."""
    return finish_scan(path, start_scan(path))


def start_scan(path: Path) -> LogScan:
    """A scan of the header alone. Raises SessionError."""
    header = header_of(path)
    return LogScan(str(header.get("at", "")), str(header.get("fork", "")), _number(header.get("copied")))


def finish_scan(path: Path, scan: LogScan) -> Summary:
    """The summary of a log, read on from where ``scan`` ends; ``scan`` takes in every whole line. Raises OSError.

    A last line without a line end counts if it can be read, but not in ``scan``: the next call reads it again.
    """
    seen = scan
    with path.open("rb") as file:
        file.seek(scan.offset)
        for line in file:
            if line.endswith(b"\n"):
                scan.offset += len(line)
            else:
                seen = replace(scan, spent=[*scan.spent])
            for record in _wanted(line):
                seen.add(record)
    return seen.to_summary(path.stem, path.stat().st_mtime)


def _spent(record: dict[str, Any], model: str) -> Iterator[ReplyCost]:
    """The cost in a record, paid to the model it names, else to ``model``; fields of a wrong type count as 0."""
    reply = record.get("reply", record)
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if isinstance(usage, dict):
        counted = Usage(**{part.name: _number(usage.get(part.name)) for part in fields(Usage)})
        usd = record.get("usd")
        by = str(record.get("model", model))
        price = float(usd) if isinstance(usd, int | float) else None
        yield ReplyCost(str(record.get("at", "")), by, counted, price, str(record.get("session", "")))


def _number(value: object, otherwise: int = 0) -> int:
    return value if isinstance(value, int) else otherwise


def _wanted(line: bytes) -> Iterator[dict[str, Any]]:
    """The record of a line, if it has one of the WANTED types."""
    head = line[:HEAD]
    if any(kind in (head if TYPE in head else line) for kind in WANTED):
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(line.decode("utf-8", "replace"))
            if isinstance(record, dict):
                yield record
