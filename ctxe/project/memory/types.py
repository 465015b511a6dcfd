"""The types of the memory that the commands name in their signatures."""

from __future__ import annotations

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.remembered import Group

__all__ = ["Entry", "Group"]
