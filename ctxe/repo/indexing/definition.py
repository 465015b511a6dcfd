"""Something with a name in a file: what the index keeps of it, however it was read."""

from __future__ import annotations

from typing import NamedTuple


class Definition(NamedTuple):
    """Something with a name: lines ``first`` to ``last`` (from 1), its signature ends in line ``head``.

    ``first`` includes decorators and the comment right above. ``scope`` is the name of what it belongs to (``A.B``).
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
