"""A few thousand of the sessions that `scripts/torture` runs by the hundred thousand."""

from __future__ import annotations

import os

from tests.property.torture import tortured

SESSIONS = int(os.environ.get("TORTURE_SESSIONS", "40"))


def test_sessions_hold() -> None:
    for seed in range(SESSIONS):
        tortured(seed)
