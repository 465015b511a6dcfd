"""A few thousand of the sessions that `scripts/torture` runs by the hundred thousand."""

from __future__ import annotations

import os
from pathlib import Path

from ctxe.project import Project
from tests.property.torture import tortured

SESSIONS = int(os.environ.get("TORTURE_SESSIONS", "200"))


def test_generated_sessions_keep_every_invariant(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {})
    for seed in range(SESSIONS):
        tortured(seed, project)
