"""Records the requests of a wire server in order, for tests to read, to wait for, or to write to a file."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """One request as received: ``headers`` in lower case, secret ones as ``***``; ``at`` in monotonic seconds;
    ``port`` is the client's and identifies the connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    api: str
    at: float
    raw: bytes = b""
    port: int = 0


@dataclass
class Journal:
    """All requests and faults; ``changed`` wakes waiting threads."""

    exchanges: list[Exchange] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    hung_up: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    file: Path | None = None

    def add(self, exchange: Exchange) -> None:
        """Record a request, in the file too when there is one."""
        with self.changed:
            self.exchanges.append(exchange)
            if self.file:
                with self.file.open("a", encoding="utf-8") as out:
                    shown = {key: value for key, value in asdict(exchange).items() if key != "raw"}
                    out.write(json.dumps(shown, ensure_ascii=False) + "\n")
            self.changed.notify_all()

    def note(self, refused: str = "", hung_up: int = 0) -> None:
        """Record a refused request, or streams that the client closed."""
        with self.changed:
            self.refused += [refused] if refused else []
            self.hung_up += hung_up
            self.changed.notify_all()
