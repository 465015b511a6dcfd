"""A regular expression compiled on first use: compiling all of them on import would slow down every start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]


class LazyPattern:
    """Stands for a compiled pattern; each method is looked up once on the real one and then called directly.

    Only methods work: functions of ``re`` need the real pattern.
    """

    def __init__(self, *said: Any) -> None:
        self._said = said

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle ask before _said is set
            raise AttributeError(name)
        found = getattr(re.compile(*self._said), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    from re import compile as pattern
else:
    pattern = LazyPattern
