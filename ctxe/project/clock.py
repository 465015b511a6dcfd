"""The one clock and the one source of ids; everything else gets them handed in."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def now() -> str:
    """UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def session_id() -> str:
    """An id that sorts by time and never collides: ``20261121-101502-3fa29c``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
