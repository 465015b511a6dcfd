"""What a session log says at a glance, without building its events: words, model, turns, tokens, money."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ctxe.agent.log import header_of
from ctxe.domain.conversation import Usage
from ctxe.domain.errors import SessionError
from ctxe.domain.past import total
from ctxe.domain.value import dataclass

TYPE = b'"type":"'
WANTED = tuple(
    TYPE + kind + b'"'
    for kind in (b"turn_started", b"reply_received", b"summarized", b"consulted", b"model_chosen", b"turn_finished")
)
HEAD = 120
"""Bytes of a record in which its type stands: number and time are all that is written before it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One reply's price: when (UTC, ISO 8601), by which model, tokens, dollars (None: price unknown).

    ``delegate`` is whose reply it was where it was not the session's own.
    """

    at: str
    model: str
    usage: Usage
    usd: float | None
    delegate: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One session. ``words`` are the user's first, ``used`` is when its log last grew (seconds since 1970).

    What a fork was copied from is not ``spent`` again.
    """

    id: str
    started: str
    used: float
    words: str
    turns: int
    model: str
    outcome: str
    spent: tuple[Spent, ...]
    fork: str = ""

    @property
    def usd(self) -> float | None:
        """Dollars in all; None when the price of every reply is unknown."""
        return total(one.usd for one in self.spent)

    @property
    def usage(self) -> Usage:
        """Tokens in all."""
        return sum((one.usage for one in self.spent), Usage())


def newest_first(folder: Path) -> list[Path]:
    """The logs of a folder, the one that grew last first; none of them is opened."""
    found: list[tuple[float, str, Path]] = []
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError):
            found.append((-path.stat().st_mtime, path.stem, path))
    return [path for *_, path in sorted(found)]


def is_log(path: Path) -> bool:
    """Whether a file is a log that can be read here."""
    with contextlib.suppress(SessionError):
        return bool(header_of(path))
    return False


def is_begun(path: Path) -> bool:
    """Whether a file is a log with a turn in it; no more of it is read than that takes."""
    with contextlib.suppress(OSError):
        return is_log(path) and any(record.get("type") == "turn_started" for record in _records(path))
    return False


def summaries(folder: Path) -> list[Summary]:
    """Every session of a folder, the one used last first; files that are no logs are passed over."""
    found = []
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(SessionError, OSError):
            found.append(summary(path))
    return sorted(found, key=lambda one: (-one.used, one.id))


def summary(path: Path) -> Summary:
    """One log at a glance. Raises SessionError."""
    header = header_of(path)
    copied = _number(header.get("copied"))
    words, model, outcome, turns = "", "", "", 0
    spent: list[Spent] = []
    for record in _records(path):
        match record.get("type"):
            case "turn_started":
                words = words or str(record.get("words", ""))
                turns += 1
                outcome = "running"
            case "model_chosen":
                model = str(record.get("model", ""))
            case "turn_finished":
                outcome = str(record.get("outcome", ""))
            case "reply_received" | "summarized" | "consulted":
                if _number(record.get("n"), copied + 1) > copied:
                    spent += _spent(record, model)
    used = path.stat().st_mtime
    return Summary(
        path.stem,
        str(header.get("at", "")),
        used,
        words,
        turns,
        model,
        outcome,
        tuple(spent),
        str(header.get("fork", "")),
    )


def _spent(record: dict[str, Any], model: str) -> Iterator[Spent]:
    """What a record says was paid to ``model`` or the one it names; fields that make no sense count nothing."""
    reply = record.get("reply", record)
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if isinstance(usage, dict):
        counted = Usage(**{part.name: _number(usage.get(part.name)) for part in fields(Usage)})
        usd = record.get("usd")
        by = str(record.get("model", model))
        price = float(usd) if isinstance(usd, int | float) else None
        yield Spent(str(record.get("at", "")), by, counted, price, str(record.get("session", "")))


def _number(value: object, otherwise: int = 0) -> int:
    return value if isinstance(value, int) else otherwise


def _records(path: Path) -> Iterable[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            head = line[:HEAD]
            if any(kind in (head if TYPE in head else line) for kind in WANTED):
                with contextlib.suppress(ValueError, RecursionError):
                    record = json.loads(line.decode("utf-8", "replace"))
                    if isinstance(record, dict):
                        yield record
