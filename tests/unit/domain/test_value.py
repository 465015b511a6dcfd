"""Our value classes behave like standard dataclasses, and cost less to define."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ctxe
from ctxe.domain import value
from ctxe.domain.value import dataclass, slim_dataclass

HOW = [{"frozen": frozen, "slots": slots} for frozen in (True, False) for slots in (True, False)]


def place(from_: Any, how: dict[str, bool]) -> Any:
    """The same class, made by what either module offers."""

    @from_.dataclass(**how)
    class Place:
        path: str
        line: int = 1
        seen: list[str] = from_.field(default_factory=list, compare=False)
        key: str = from_.field(default="", repr=False, metadata={"says": "a key"})
        KINDS: ClassVar = ("file", "folder")

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


def behaviour(kind: Any, from_: Any) -> list[object]:
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
        [repr(from_.replace(b, line=9)), told(lambda: from_.replace(b, nothing=9)), dataclasses.is_dataclass(kind)],
        [(one.name, one.type, one.repr, one.compare, dict(one.metadata)) for one in from_.fields(b)],
        [(one.name, one.type, one.repr, one.compare, dict(one.metadata)) for one in dataclasses.fields(kind)],
        [kind.KINDS, kind.__name__, kind.__qualname__, kind.__module__],
        [repr(copy.copy(b)), repr(copy.deepcopy(b)), shared],
        [(one.name, one.kind, one.annotation) for one in inspect.signature(kind).parameters.values()],
    ]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_a_value_behaves_as_the_standard_one(how: dict[str, bool]) -> None:
    assert behaviour(place(value, how), value) == behaviour(place(dataclasses, how), dataclasses)


@pytest.mark.parametrize("slots", [True, False], ids=str)
def test_ordered_values_compare_like_standard_dataclasses(slots: bool) -> None:
    def told_of(from_: Any) -> object:
        @from_.dataclass(frozen=True, slots=slots, order=True)
        class Position:
            turn: int = 0
            step: int = 0

        made: Any = Position
        a, b = made(1, 2), made(1, 3)
        return [a < b, a <= b, a > b, a >= b, a < a, a <= a, max(a, b) is b, told(lambda: a < "a")]

    assert told_of(value) == told_of(dataclasses)


@pytest.mark.parametrize("slots", [True, False], ids=str)
def test_a_value_inherits_the_fields_of_its_base_class(slots: bool) -> None:
    def told_of(from_: Any) -> object:
        @from_.dataclass(frozen=True, slots=slots)
        class Mark:
            path: str
            line: int = 1

        @from_.dataclass(frozen=True, slots=slots)
        class Hint(Mark):
            line: int = 2
            why: str = ""

        class Plain(Hint):
            pass

        kinds: list[Any] = [Mark, Hint, Plain]
        mark, hint, plain = kinds
        names = [[one.name for one in from_.fields(kind)] for kind in kinds]
        return [names, repr(hint("a", why="b")), repr(plain("a")), mark("a", 2) == hint("a"), plain("a") == plain("a")]

    assert told_of(value) == told_of(dataclasses)


def test_values_do_not_share_mutable_defaults() -> None:
    with pytest.raises(ValueError, match="default_factory"):

        @slim_dataclass(slots=True)
        class Shared:
            seen: list[str] = []


def test_a_field_of_the_standard_library_is_refused() -> None:
    with pytest.raises(TypeError, match=r"ctxe\.domain\.value"):

        @slim_dataclass(slots=True)
        class Mixed:
            seen: list[str] = dataclasses.field(default_factory=list)


def test_defining_values_does_not_import_inspect() -> None:
    code = "import sys, ctxe.domain.conversation; print(*{'inspect', 'dataclasses', 'ast'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_a_frozen_value_refuses_unknown_attributes() -> None:
    assert told(lambda: setattr(Kept("a"), "other", 5)) == (FrozenInstanceError, "cannot assign to field 'other'")


def test_a_value_survives_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Kept("a", 7))) == Kept("a", 7)


def test_values_declared_without_equality_compare_by_identity() -> None:
    @dataclass(frozen=True, slots=True, eq=False)
    class Entry:
        text: str

    one, two = Entry("a"), Entry("a")
    assert (one == two, len({one, two})) == (False, 2)


def test_methods_that_a_class_defines_are_kept() -> None:
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


def test_the_repr_of_a_recursive_value_ends() -> None:
    @dataclass(slots=True)
    class Node:
        next: Any = None

    node = Node()
    node.next = node
    assert repr(node) == f"{Node.__qualname__}(next=...)"


@pytest.mark.parametrize("how", HOW, ids=str)
def test_the_first_values_of_a_class_behave_as_later_ones(how: dict[str, bool]) -> None:
    """Those few that are made before there is an ``__init__`` for them, and those that cannot be made."""

    def told_of(from_: Any) -> list[object]:
        asked = [
            lambda kind: repr(kind("a", 2, ["x"], key="k")),
            lambda kind: repr(kind(line=3, path="a")),
            lambda kind: kind("a").seen is kind("a").seen,
            lambda kind: kind(),
            lambda kind: kind("a", 0),
            lambda kind: kind("a", path="b"),
            lambda kind: kind("a", nothing=1),
            lambda kind: kind("a", 1, [], "k", "more"),
        ]
        return [told(partial(one, place(from_, how))) for one in asked]

    assert told_of(value) == told_of(dataclasses)


def test_no_constructor_is_compiled_until_many_values_are_made() -> None:
    kind = place(value, HOW[0])
    before = [type(vars(kind)["__init__"]).__name__ for _ in range(value.SELDOM) if kind("a")]
    kind("a")
    assert (set(before), inspect.isfunction(vars(kind)["__init__"])) == ({"_Beginning"}, True)


def test_every_dataclass_of_the_program_uses_our_decorator() -> None:
    """The standard library's own are named where ours are made, and nowhere else."""
    root = Path(ctxe.__file__).parent
    taken = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if {"dataclass", "field", "fields", "replace"} & {name.name for name in node.names}
    ]
    assert sorted(set(taken)) == ["domain/fields.py", "domain/value.py"]
