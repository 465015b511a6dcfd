"""A mapping that computes missing values and keeps them until it is full, then starts over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """``known[key]`` is ``make(key)``, computed once while kept; at ``most`` entries, all are dropped."""

    __slots__ = ("make", "most")

    def __init__(self, make: Callable[[Key], Value], most: int = sys.maxsize) -> None:
        super().__init__()
        self.make, self.most = make, most

    def __missing__(self, key: Key) -> Value:
        if len(self) >= self.most:
            self.clear()
        made = self[key] = self.make(key)
        return made
