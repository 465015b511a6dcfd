"""A named definition in a file, as the index stores it, whichever reader found it."""

from __future__ import annotations

from typing import NamedTuple


class Definition(NamedTuple):
    """A definition on lines ``first`` to ``last`` (from 1), whose signature ends in line ``head``.

    Decorators and the comment right above belong to it. ``scope`` names what it is nested in (``A.B``).
    """

    name: str
    kind: str
    first: int
    head: int
    last: int
    scope: str = ""

    @property
    def title(self) -> str:
        """The name with its scope: ``Parser.feed``."""
        return f"{self.scope}.{self.name}" if self.scope else self.name
