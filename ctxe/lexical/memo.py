"""A mapping that makes what it is asked for and keeps it, until it is full: then it begins anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """``known[key]`` is ``make(key)``, made once as long as it is among at most ``most`` that are kept."""

    __slots__ = ("make", "most")

    def __init__(self, make: Callable[[Key], Value], most: int = sys.maxsize) -> None:
        super().__init__()
        self.make, self.most = make, most

    def __missing__(self, key: Key) -> Value:
        if len(self) >= self.most:
            self.clear()
        made = self[key] = self.make(key)
        return made
