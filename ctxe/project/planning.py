"""Which files a task needs, as the planner of this project says."""

from __future__ import annotations
