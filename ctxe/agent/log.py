"""The session log: one JSON object per line, a header first, then the kept events in order; append-only.

Format: header ``{"v": 1, "session", "project", "at", "fork"?, "parent"?}``, then ``{"n", "at", "type", …fields}`` where
``n`` counts from 1 without gaps and ``at`` is UTC in ISO 8601. A torn last line is dropped with a notice. The file is
never shortened; it is written again if it is removed while its session runs. A log of a newer version is refused and
left unchanged.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ctxe.domain.errors import NewerSession, SessionError
from ctxe.domain.events import Kept
from ctxe.domain.jsonl import json_text
from ctxe.domain.value import dataclass, field
from ctxe.storage.append_file import AppendFile
from ctxe.storage.files import replace

VERSION = 1
AT_ONCE = 2_000_000_000
"""Nanoseconds that another log may be newer without being dated in the future: a session beside this one may just have
written to it.
"""


@cache
def _codec() -> Any:
    from typing import Annotated

    from pydantic import Field, TypeAdapter

    return TypeAdapter(Annotated[Kept, Field(discriminator="type")])


def to_record(event: Kept) -> dict[str, Any]:
    """An event as plain JSON values, without empty and default fields."""
    return {"type": event.type, **_codec().dump_python(event, mode="json", exclude_defaults=True)}


def from_record(record: dict[str, Any]) -> Kept:
    """The event in a log record. Raises ValueError when there is none."""
    event: Kept = _codec().validate_python({k: v for k, v in record.items() if k not in ("n", "at")})
    return event


@dataclass(slots=True)
class Log:
    """An open session log to which events are appended. ``clock`` gives UTC in ISO 8601.

    ``header`` is the header still to be written, empty once it is. ``newest`` is the record written last. ``is_newest``
    is True once this log is the newest of its folder, whatever the clock says.
    """

    path: Path
    clock: Callable[[], str]
    count: int = 0
    header: dict[str, Any] = field(default_factory=dict)
    newest: dict[str, Any] = field(default_factory=dict)
    file: AppendFile | None = None
    is_newest: bool = False

    @classmethod
    def create(
        cls,
        folder: Path,
        session: str,
        project: str,
        clock: Callable[[], str],
        fork: str = "",
        copied: int = 0,
        parent: str = "",
    ) -> Log:
        """A new log. Its header is written with the first event, so a session in which nothing happens leaves no file.

        ``fork`` names the session whose first ``copied`` events it begins with, ``parent`` the one that started it.
        """
        header: dict[str, Any] = {"v": VERSION, "session": session, "project": project, "at": clock()}
        header |= {"fork": fork, "copied": copied} if fork else {}
        header |= {"parent": parent} if parent else {}
        return cls(folder / f"{session}.jsonl", clock, header=header)

    def append(self, event: Kept) -> None:
        """Make an event durable. Raises StoreError; ``count`` grows only when the event is on disk."""
        if self.header:
            self.open_file().append(_line(self.header))
            self.header = {}
        record = {"n": self.count + 1, "at": self.clock(), **to_record(event)}
        self.open_file().append(_line(record))
        self.count, self.newest = self.count + 1, record
        if not self.is_newest:
            self.is_newest = True
            _become_newest(self.path)

    def copy_events(self, timed: Sequence[tuple[str, Kept]]) -> None:
        """Begin with the events of another log, each with its own time, written all or nothing. Raises StoreError."""
        records = [{"n": n, "at": at or self.clock(), **to_record(event)} for n, (at, event) in enumerate(timed, 1)]
        if records:
            text = "".join(f"{_line(record)}\n" for record in (self.header, *records))
            replace(self.path, text.encode("utf-8", "surrogateescape"))
            self.header, self.count, self.newest = {}, len(records), records[-1]
            self.open_file()

    def open_file(self) -> AppendFile:
        """The open file; while it is open, a log that is removed gets written again."""
        self.file = self.file or AppendFile(self.path)
        return self.file


def _become_newest(path: Path) -> None:
    """Move logs dated in the future to just before this one.

    The newest log is found by modification time, so a clock that once ran ahead would hide every later session. Their
    order among themselves is kept.
    """
    with contextlib.suppress(OSError):
        now = path.stat().st_mtime_ns
        times = sorted(((one.lstat().st_mtime_ns, one) for one in path.parent.glob("*.jsonl")), reverse=True)
        for n, (_, one) in enumerate(late for late in times if late[0] > now + AT_ONCE):
            os.utime(one, ns=(now, now - n - 1), follow_symlinks=False)


def _line(record: dict[str, Any]) -> str:
    return json_text(record, separators=(",", ":"))


def header_of(path: Path) -> dict[str, Any]:
    """The header of a log. Raises SessionError when the file is no session log or of a newer version."""
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device could block
            raise SessionError(f"{path} is not a session log", "it was left as it is")
        with path.open("rb") as file:
            header = json.loads(file.readline(1_000_000))
    except FileNotFoundError:
        raise SessionError(f"no session {path.stem}", "`ctxe sessions list` shows what there is") from None
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror}", "check permissions") from error
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or not isinstance(header.get("v"), int):
        raise SessionError(f"{path} is not a session log", "it was left as it is")
    if header["v"] > VERSION:
        raise NewerSession(f"{path} was written by a newer ctxe (format {header['v']})", "upgrade ctxe")
    return header


def read_records(path: Path) -> Iterator[dict[str, Any] | str]:
    """Every record of a log in order; an unreadable line comes as a notice (a string)."""
    header_of(path)
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise TypeError("not an object")
            except (ValueError, TypeError, RecursionError):
                torn = "torn last line" if not line.endswith(b"\n") else "damaged line"
                yield f"{path.name}:{number}: {torn} left out"
                continue
            yield record


def timed_events(path: Path) -> Iterator[tuple[str, Kept]]:
    """(time, event) for every readable event, in order; times are UTC in ISO 8601. Raises SessionError."""
    for record in read_records(path):
        if isinstance(record, dict):
            with contextlib.suppress(ValueError):
                yield str(record.get("at", "")), from_record(record)


def read_events(path: Path) -> tuple[list[Kept], list[str], int]:
    """Events, notices about unreadable ones, and the last sequence number. Raises SessionError."""
    events, notices, last = read_timed(path)
    return [event for _, event in events], notices, last


def read_timed(path: Path) -> tuple[list[tuple[str, Kept]], list[str], int]:
    """Like `read_events`, with the time of each event (UTC, ISO 8601), empty for events copied from another log."""
    copied = header_of(path).get("copied")
    events: list[tuple[str, Kept]] = []
    notices: list[str] = []
    last = 0
    for record in read_records(path):
        if isinstance(record, str):
            notices.append(record)
            continue
        try:
            own = not isinstance(copied, int) or len(events) >= copied
            events.append((str(record.get("at", "")) if own else "", from_record(record)))
        except ValueError:
            notices.append(
                f"{path.name}: event {record.get('n', '?')} of type {record.get('type')} is not known; left out"
            )
        last = max(last, record["n"] if isinstance(record.get("n"), int) else 0)
    return events, notices, last
