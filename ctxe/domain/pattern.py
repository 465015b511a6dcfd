"""A regular expression that is compiled when a text first needs it: together they would make every start slow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]


class Later:
    """Stands for a compiled pattern; what is asked of it is asked of the real one from then on, without a detour.

    Only its own methods can be called: functions of ``re`` want the real one.
    """

    def __init__(self, *said: Any) -> None:
        self._said = said

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by copies and pickles, before there is anything in this
            raise AttributeError(name)
        found = getattr(re.compile(*self._said), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    from re import compile as pattern
else:
    pattern = Later
