"""A value of ours behaves as one that the standard library's decorator made, and costs less to define."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import ctxe
from ctxe.domain.value import dataclass, described

Decorator = Callable[..., Any]
HOW = [{"frozen": frozen, "slots": slots} for frozen in (True, False) for slots in (True, False)]


def place(decorator: Decorator, how: dict[str, bool]) -> Any:
    """The same class by either decorator."""

    @decorator(**how)
    class Place:
        path: str
        line: int = 1
        seen: list[str] = field(default_factory=list, compare=False)
        key: str = field(default="", repr=False)

        def __post_init__(self) -> None:
            if self.line < 1:
                raise ValueError(self.line)

    return Place


@dataclass(frozen=True, slots=True)
class Kept:
    """At the top of a module, where a pickle finds it."""

    path: str
    line: int = 1


def told(act: Callable[[], object]) -> object:
    """What comes of it: a value, or the error with its words."""
    try:
        return act()
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)


def behaviour(kind: Any) -> list[object]:
    """Everything that is asked of a value, as plain data."""
    a, b, c = kind("a"), kind("a", 1, ["x"]), kind(path="a", line=2)
    shared = kind("a").seen is kind("a").seen
    return [
        [repr(one) for one in (a, b, c)],
        [a == b, a == c, a != c, a == "a", a.__eq__("a")],
        told(lambda: hash(a) == hash(b)),
        told(lambda: setattr(a, "line", 5)),
        told(lambda: delattr(kind("z"), "line")),
        [told(kind), told(lambda: kind("a", 0)), told(lambda: kind("a", nothing=1))],
        [dataclasses.asdict(b), dataclasses.astuple(c), repr(dataclasses.replace(b, line=9)), kind.__match_args__],
        [repr(copy.copy(b)), repr(copy.deepcopy(b)), shared],
        [(one.name, one.kind, one.annotation) for one in inspect.signature(kind).parameters.values()],
    ]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_a_value_behaves_as_the_standard_one(how: dict[str, bool]) -> None:
    assert behaviour(place(described, how)) == behaviour(place(dataclasses.dataclass, how))


def test_a_frozen_value_takes_no_name_that_is_no_field() -> None:
    assert told(lambda: setattr(Kept("a"), "other", 5)) == (FrozenInstanceError, "cannot assign to field 'other'")


def test_a_value_survives_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Kept("a", 7))) == Kept("a", 7)


def test_values_are_told_apart_by_identity_where_they_are_asked_to() -> None:
    @dataclass(frozen=True, slots=True, eq=False)
    class Entry:
        text: str

    one, two = Entry("a"), Entry("a")
    assert (one == two, len({one, two})) == (False, 2)


def test_a_class_keeps_what_it_says_itself() -> None:
    @dataclass(frozen=True)
    class Secret:
        text: str
        known: str = ""

        def __repr__(self) -> str:
            return "***"

        @cached_property
        def length(self) -> int:
            return len(self.text)

    assert (repr(Secret("abc")), Secret("abc").length) == ("***", 3)


def test_a_value_within_itself_is_shown_once() -> None:
    @dataclass(slots=True)
    class Node:
        next: Any = None

    node = Node()
    node.next = node
    assert repr(node) == f"{Node.__qualname__}(next=...)"


def test_nothing_is_compiled_until_a_value_is_made() -> None:
    kind = place(described, HOW[0])
    before = type(vars(kind)["__init__"]).__name__
    kind("a")
    assert (before, inspect.isfunction(vars(kind)["__init__"])) == ("_Beginning", True)


def test_every_value_of_the_program_is_made_so() -> None:
    """All but those that are put in order, and the module that makes the others."""
    root = Path(ctxe.__file__).parent
    taken = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if "dataclass" in [name.name for name in node.names]
    ]
    assert sorted(set(taken)) == ["domain/value.py"]
