"""Converting what a server asks its user from the protocol's form (a flat JSON Schema) to ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.form import Form, FormField, Kind
from ctxe.safety.display import one_line, strip_invisible, strip_sequences

MOST_FIELDS, MOST_CHOICES, MOST_NAME = 20, 50, 60
MESSAGE, SAYS = 2_000, 300
"""Characters of the question, and of a field's description, that are kept."""
KINDS: Mapping[str, Kind] = {"integer": "whole number", "number": "number", "boolean": "yes or no"}


def form_of(server: str, message: str, schema: Mapping[str, Any] | None = None, url: str = "") -> Form:
    """The form that a server wants filled in."""
    said = strip_invisible(strip_sequences(message))[0].strip()[:MESSAGE]
    properties = (schema or {}).get("properties")
    needed = (schema or {}).get("required")
    required = set(map(str, needed)) if isinstance(needed, list) else set()
    named = list(properties.items()) if isinstance(properties, Mapping) else []
    fields = [
        _field(name, one, required=name in required)
        for name, one in named[:MOST_FIELDS]
        if isinstance(one, Mapping) and len(name) <= MOST_NAME and name.isprintable()
    ]
    return Form(server, said, tuple(fields), url)


def _field(name: str, one: Mapping[str, Any], *, required: bool) -> FormField:
    kind = KINDS.get(str(one.get("type")), "text")
    listed = one.get("items") if one.get("type") == "array" else one
    choices = _choices(listed) if isinstance(listed, Mapping) else ()
    if choices:
        kind = "choices" if one.get("type") == "array" else "choice"
    says = one_line(": ".join(str(one[key]) for key in ("title", "description") if one.get(key)), SAYS)
    least, most = _bounds(one, kind)
    return FormField(name, kind, says, required, _default(one.get("default"), kind), choices, least, most)


def _choices(one: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(value, label) of each choice, for every form that an enumeration may have."""
    values, names = one.get("enum"), one.get("enumNames")
    if isinstance(values, list):
        called = names if isinstance(names, list) and len(names) == len(values) else values
        pairs = zip(values, called, strict=True)
        return tuple((str(value), one_line(str(name), 80)) for value, name in list(pairs)[:MOST_CHOICES])
    ways = one.get("oneOf") or one.get("anyOf")
    found = [way for way in ways if isinstance(way, Mapping) and "const" in way] if isinstance(ways, list) else []
    return tuple((str(way["const"]), one_line(str(way.get("title", way["const"])), 80)) for way in found[:MOST_CHOICES])


def _bounds(one: Mapping[str, Any], kind: Kind) -> tuple[float | None, float | None]:
    keys = {"text": ("minLength", "maxLength"), "choices": ("minItems", "maxItems")}.get(kind, ("minimum", "maximum"))
    found = [one.get(key) for key in keys]
    least, most = (float(n) if isinstance(n, int | float) and not isinstance(n, bool) else None for n in found)
    return least, most


def _default(value: Any, kind: Kind) -> str | int | float | bool | list[str] | None:
    """The default value, if it is of the right kind."""
    if kind == "choices":
        return [str(one) for one in value] if isinstance(value, list) else None
    if kind == "yes or no":
        return value if isinstance(value, bool) else None
    if kind in ("number", "whole number"):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return (int(value) if kind == "whole number" else value) if fits else None
    return one_line(value, SAYS) if isinstance(value, str) else None
