"""The fields of a value: read from its class as the standard library does, and passed to the library on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

ABSENT: Any = type("ABSENT", (), {"__repr__": lambda _: "ABSENT"})()
"""Marks a field without a default."""
KEPT = "__fields__"
"""Attribute under which a class keeps its fields."""


class Field:
    """A field of a value: the part of ``dataclasses.Field`` that is needed here."""

    __slots__ = ("compare", "default", "default_factory", "metadata", "name", "repr", "type")

    def __init__(
        self,
        *,
        default: Any = ABSENT,
        default_factory: Callable[[], Any] = ABSENT,
        repr: bool = True,  # noqa: A002 -- the standard library's name
        compare: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = self.type = ""
        self.default, self.default_factory = default, default_factory
        self.repr, self.compare = repr, compare
        self.metadata: Mapping[str, Any] = metadata or {}

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments that create an equal field."""
        defaults = {"default": self.default, "default_factory": self.default_factory}
        known = {name: value for name, value in defaults.items() if value is not ABSENT}
        return {**known, "repr": self.repr, "compare": self.compare, "metadata": self.metadata}


def collect_fields(kind: type) -> tuple[Field, ...]:
    """The fields of a class under construction, those of its base classes first; defaults stay as class attributes."""
    known: dict[str, Field] = {}
    for base in reversed(kind.__mro__[1:]):
        known |= {one.name: one for one in vars(base).get(KEPT, ())}
    for name, annotation in kind.__annotations__.items():
        if annotation.startswith("ClassVar"):
            continue
        given = vars(kind).get(name, ABSENT)
        made = given if isinstance(given, Field) else Field(default=given)
        made.name, made.type = name, annotation
        if made.default.__class__.__module__ == "dataclasses":
            raise TypeError(f"field {name}: take `field` from ctxe.domain.value")
        if made.default.__class__.__hash__ is None:
            raise ValueError(f"mutable default {type(given)} for field {name}: use default_factory")
        if made.default is not ABSENT:
            setattr(kind, name, made.default)
        elif made is given:
            delattr(kind, name)
        known[name] = made
    return tuple(known.values())


class Standard:
    """Attributes that the standard library keeps on its dataclasses, created on first access: for ``asdict`` etc."""

    __slots__ = ("_kind", "_name")

    def __init__(self, kind: type, name: str) -> None:
        self._kind, self._name = kind, name

    def __get__(self, instance: object, owner: type) -> Any:
        from dataclasses import field as standard
        from dataclasses import make_dataclass

        own = [(one.name, one.type, standard(**one.options)) for one in _fields(self._kind)]
        doc = {"__doc__": self._kind.__doc__}  # deriving one from the signature takes milliseconds
        twin = make_dataclass(self._kind.__name__, own, namespace=doc, init=False, repr=False, eq=False)
        found = getattr(twin, self._name)
        type.__setattr__(self._kind, self._name, found)
        return found


def _fields(kind: Any) -> tuple[Field, ...]:
    """The fields of a value or of its class, in order."""
    found: tuple[Field, ...] = getattr(kind, KEPT)
    return found


def _replaced(value: Any, **changes: Any) -> Any:
    """A copy of the value with changed fields; ``__init__`` runs again, and with it all checks."""
    for one in getattr(value, KEPT):
        if one.name not in changes:
            changes[one.name] = getattr(value, one.name)
    return value.__class__(**changes)


if TYPE_CHECKING:
    from dataclasses import field as field  # noqa: PLC0414 -- the alias exports it
    from dataclasses import fields as fields  # noqa: PLC0414
    from dataclasses import replace as replace  # noqa: PLC0414
else:
    field, fields, replace = Field, _fields, _replaced
