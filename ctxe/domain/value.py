"""The ``dataclass`` of ctxe: the standard one for readers and type checkers, much cheaper at run time.

``dataclasses`` writes the source of six methods for every frozen class and compiles it during import: half a
millisecond per class, a quarter of the start of every command. Importing it also imports ``inspect``.
Here only ``__init__`` is compiled, and only when it is called often; the other methods are shared, and the standard
library is given a class's fields when it asks. ``asdict``, ``astuple``, match patterns, copies and pickles work as
usual; ``field``, ``fields`` and ``replace`` come from this module.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Sequence
from functools import partial
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeVar

from ctxe.domain.fields import ABSENT, KEPT, Field, Standard, collect_fields, field, fields, replace

__all__ = ["dataclass", "field", "fields", "replace", "slim_dataclass"]

Kind = TypeVar("Kind")
SELDOM = 8
"""Instances of a class that are created before an ``__init__`` is compiled for it."""
Methods = dict[str, Any]


def slim_dataclass(
    *, frozen: bool = False, slots: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[Kind]], type[Kind]]:
    """``dataclass`` at run time; methods that a class defines itself have precedence.

    Of a field's options it supports ``default``, ``default_factory``, ``repr``, ``compare`` and ``metadata``.
    """

    def make(kind: type[Kind]) -> type[Kind]:
        known = collect_fields(kind)
        names = tuple([one.name for one in known])
        methods: Methods = {"__repr__": _shown, "__match_args__": names}
        methods |= _compared(known, frozen, order) if eq else {}
        methods |= FROZEN if frozen else {}
        methods |= PACKED if frozen and slots else {}
        body = {**methods, **vars(kind), KEPT: known, "__doc__": kind.__doc__ or f"{kind.__name__}."}
        made: type[Kind] = _finished(_slotted(kind, body, names) if slots else _dressed(kind, body), frozen)
        return made

    return make


def _slotted(kind: Any, body: Methods, names: Collection[str]) -> Any:
    """A copy of the class with a slot for each field and no ``__dict__``."""
    below = {slot for base in kind.__mro__[1:-1] for slot in vars(base).get("__slots__", ())}
    dropped = {*names, "__dict__", "__weakref__"}
    kept = {name: value for name, value in body.items() if name not in dropped}
    kept["__slots__"] = tuple([name for name in names if name not in below])
    return type(kind)(kind.__name__, kind.__bases__, kept | {"__qualname__": kind.__qualname__})


def _dressed(kind: Any, body: Methods) -> Any:
    """The class with the methods that it does not define itself."""
    own = vars(kind)
    for name in [name for name in body if name not in own or name == "__doc__"]:
        setattr(kind, name, body[name])
    return kind


def _finished(made: Any, frozen: bool) -> Any:
    """The class with the attributes that are created on first use."""
    type.__setattr__(made, "__init__", _Beginning(made, frozen))
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        type.__setattr__(made, name, Standard(made, name))
    return made


class _Beginning:
    """The ``__init__`` of a class until it is called often; then one is compiled and replaces this.

    Compiling it takes as long as creating some thirty values with this one, and a run creates fewer than eight of most
    classes.
    """

    __slots__ = ("_frozen", "_kind", "_left")

    def __init__(self, kind: type, frozen: bool) -> None:
        self._kind, self._frozen, self._left = kind, frozen, SELDOM

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is not None and self._left:
            self._left -= 1
            return partial(self._fill, instance)
        written = self._written()
        type.__setattr__(self._kind, "__init__", written)
        return written.__get__(instance, owner)

    def _written(self) -> Any:
        return _beginning(self._kind, self._frozen)

    def _fill(self, value: Any, /, *given: Any, **named: Any) -> None:
        """Set the fields from the arguments as the compiled ``__init__`` would."""
        known: dict[str, Any] = {one.name: one for one in fields(self._kind)}
        values = {**dict(zip(known, given, strict=False)), **named}
        wanted = {name for name, one in known.items() if one.default is ABSENT and one.default_factory is ABSENT}
        if not (len(values) == len(given) + len(named) and wanted <= values.keys() <= known.keys()):
            self._written()(value, *given, **named)  # raises the usual TypeError
        for name, one in known.items():
            usual = values.get(name, one.default)
            object.__setattr__(value, name, one.default_factory() if usual is ABSENT else usual)
        if hasattr(value, "__post_init__"):
            value.__post_init__()


def _beginning(kind: type, frozen: bool) -> Any:
    """Compile ``__init__`` of a class: a parameter for each field, in order; then ``__post_init__`` if there is one."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_absent": ABSENT}
    takes, does = ["self"], []
    for one in fields(kind):
        name = given = one.name
        if one.default is not ABSENT:
            known[f"_{name}"] = one.default
            takes.append(f"{name}=_{name}")
        elif one.default_factory is not ABSENT:
            known[f"_{name}"] = one.default_factory
            takes.append(f"{name}=_absent")
            given = f"_{name}() if {name} is _absent else {name}"
        else:
            takes.append(name)
        place = getattr(kind, name, None)
        if not frozen:
            does.append(f"self.{name} = {given}")
        elif isinstance(place, MemberDescriptorType):  # its setter takes two thirds of the time of object's
            known[f"_set_{name}"] = place.__set__
            does.append(f"_set_{name}(self, {given})")
        else:
            does.append(f"_set(self, {name!r}, {given})")
    if hasattr(kind, "__post_init__"):
        does.append("self.__post_init__()")
    source = f"def __init__({', '.join(takes)}):\n " + "\n ".join(does or ["pass"])
    exec(source, known)  # noqa: S102 -- only names of fields, nothing from outside
    written = known["__init__"]
    written.__qualname__ = f"{kind.__qualname__}.__init__"
    written.__annotations__ = {one.name: one.type for one in fields(kind)} | {"return": None}
    return written


def _compared(known: Sequence[Field], frozen: bool, order: bool) -> Methods:
    """``__eq__`` and, for frozen classes, ``__hash__`` by the fields with ``compare``; other classes have no hash."""
    names = [one.name for one in known if one.compare]
    read: Callable[[object], Any] = operator.attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> Any:
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(read(self))

    def by(holds: Callable[[Any, Any], bool]) -> Callable[[object, object], Any]:
        return lambda self, other: (
            holds(read(self), read(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    ordered = {f"__{name}__": by(getattr(operator, name)) for name in ("lt", "le", "gt", "ge")} if order else {}
    return {"__eq__": equal, "__hash__": hashed if frozen else None, **ordered}


@recursive_repr()
def _shown(self: Any) -> str:
    """The value as a call of its class."""
    parts = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({parts})"


def _refuse_set(self: object, name: str, _: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _packed(self: Any) -> list[object]:
    return [getattr(self, one.name) for one in fields(self)]


def _unpack(self: Any, state: list[object]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


FROZEN = {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
PACKED = {"__getstate__": _packed, "__setstate__": _unpack}
"""For frozen classes with slots only: copies and pickles would otherwise assign to fields."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 -- the alias exports it
else:
    dataclass = slim_dataclass
