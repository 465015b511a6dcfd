"""The only clock and the only source of ids; all other code gets them as arguments."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def now() -> str:
    """The current time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def session_id() -> str:
    """A unique id that sorts by time: ``20261121-101502-3fa29c``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
