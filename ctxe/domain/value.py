"""What a dataclass is here: the standard one to whoever reads or checks the code, at the cost of what is used of it.

``dataclasses`` writes the source of six methods for every frozen class and compiles it while the module is imported:
half a millisecond a class, a quarter of the start of every command. Here ``__init__`` alone is compiled, when it is
first asked for; the other methods are shared. ``fields``, ``replace``, ``asdict``, patterns, copies and pickles work
as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import dataclass as standard
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

Kind = TypeVar("Kind")


def described(*, frozen: bool = False, slots: bool = False, eq: bool = True) -> Callable[[type[Kind]], type[Kind]]:
    """What ``dataclass`` is when the program runs; every class may have its own methods in the place of these.

    Of a field's options it knows ``default``, ``default_factory``, ``repr`` and ``compare``.
    """

    def make(kind: type[Kind]) -> type[Kind]:
        own = vars(kind).keys()
        kind.__doc__ = kind.__doc__ or f"{kind.__name__}."  # else it is taken apart for one, which takes milliseconds
        made = standard(init=False, repr=False, eq=False, slots=slots)(kind)
        methods: dict[str, object] = {"__repr__": _shown(made)}
        methods |= _compared(made, frozen) if eq else {}
        methods |= FROZEN if frozen else {}
        methods |= PACKED if frozen and slots else {}
        for name in methods.keys() - own:
            setattr(made, name, methods[name])
        type.__setattr__(made, "__init__", _Beginning(made, frozen))
        return made

    return make


class _Beginning:
    """The ``__init__`` of a class until somebody asks for it: then it is written, and takes this one's place."""

    __slots__ = ("_frozen", "_kind")

    def __init__(self, kind: type, frozen: bool) -> None:
        self._kind, self._frozen = kind, frozen

    def __get__(self, instance: object, owner: type) -> Any:
        written = _beginning(self._kind, self._frozen)
        type.__setattr__(self._kind, "__init__", written)
        return written.__get__(instance, owner)


def _beginning(kind: type, frozen: bool) -> Any:
    """``__init__`` of a class: a parameter for each field, in their order; then ``__post_init__`` if there is one."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_absent": MISSING}
    takes, does = ["self"], []
    for field in fields(kind):
        name = given = field.name
        if field.default is not MISSING:
            known[f"_{name}"] = field.default
            takes.append(f"{name}=_{name}")
        elif field.default_factory is not MISSING:
            known[f"_{name}"] = field.default_factory
            takes.append(f"{name}=_absent")
            given = f"_{name}() if {name} is _absent else {name}"
        else:
            takes.append(name)
        does.append(f"_set(self, {name!r}, {given})" if frozen else f"self.{name} = {given}")
    if hasattr(kind, "__post_init__"):
        does.append("self.__post_init__()")
    source = f"def __init__({', '.join(takes)}):\n " + "\n ".join(does or ["pass"])
    exec(source, known)  # noqa: S102 -- the names of fields, and nothing from outside
    written = known["__init__"]
    written.__qualname__ = f"{kind.__qualname__}.__init__"
    written.__annotations__ = {field.name: field.type for field in fields(kind)} | {"return": None}
    return written


def _compared(kind: type, frozen: bool) -> dict[str, object]:
    """``__eq__`` by the fields that are compared; frozen classes are hashed by them too, others have no hash."""
    names = [field.name for field in fields(kind) if field.compare]
    read: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> Any:
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(read(self))

    return {"__eq__": equal, "__hash__": hashed if frozen else None}


def _shown(kind: type) -> Callable[[object], str]:
    """``__repr__``: the class as it would be called."""
    names = [field.name for field in fields(kind) if field.repr]

    @recursive_repr()
    def shown(self: object) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({said})"

    return shown


def _refuse_set(self: object, name: str, _: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _packed(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in fields(self)]


def _unpack(self: Any, state: list[object]) -> None:
    for field, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


FROZEN = {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
PACKED = {"__getstate__": _packed, "__setstate__": _unpack}
"""For frozen classes with slots alone: there copies and pickles would assign."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 -- said twice, it is exported
else:
    dataclass = described
