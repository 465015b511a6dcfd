"""Converting a server's form for its user from the protocol's (a flat JSON Schema) to ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.form import Form, FormField, Kind
from ctxe.safety.display import one_line, strip_invisible, strip_sequences

MOST_FIELDS, MOST_CHOICES, MOST_NAME = 20, 50, 60
LONGEST_MESSAGE, LONGEST_DESCRIPTION = 2_000, 300
"""Characters of the question, and of a field's description, that are kept."""
KINDS: Mapping[str, Kind] = {"integer": "whole number", "number": "number", "boolean": "yes or no"}


def form_of(server: str, message: str, schema: Mapping[str, Any] | None = None, url: str = "") -> Form:
    """The form that a server wants filled in."""
    question = strip_invisible(strip_sequences(message))[0].strip()[:LONGEST_MESSAGE]
    properties = (schema or {}).get("properties")
    required_names = (schema or {}).get("required")
    required = set(map(str, required_names)) if isinstance(required_names, list) else set()
    members = list(properties.items()) if isinstance(properties, Mapping) else []
    fields = [
        _field(name, member, required=name in required)
        for name, member in members[:MOST_FIELDS]
        if isinstance(member, Mapping) and len(name) <= MOST_NAME and name.isprintable()
    ]
    return Form(server, question, tuple(fields), url)


def _field(name: str, schema: Mapping[str, Any], *, required: bool) -> FormField:
    kind = KINDS.get(str(schema.get("type")), "text")
    choice_schema = schema.get("items") if schema.get("type") == "array" else schema
    choices = _choices(choice_schema) if isinstance(choice_schema, Mapping) else ()
    if choices:
        kind = "choices" if schema.get("type") == "array" else "choice"
    description = one_line(
        ": ".join(str(schema[key]) for key in ("title", "description") if schema.get(key)), LONGEST_DESCRIPTION
    )
    minimum, maximum = _bounds(schema, kind)
    return FormField(
        name, kind, description, required, _default(schema.get("default"), kind), choices, minimum, maximum
    )


def _choices(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(value, label) of each choice, for every form that an enumeration may have."""
    values, names = schema.get("enum"), schema.get("enumNames")
    if isinstance(values, list):
        labels = names if isinstance(names, list) and len(names) == len(values) else values
        pairs = zip(values, labels, strict=True)
        return tuple((str(value), one_line(str(name), 80)) for value, name in list(pairs)[:MOST_CHOICES])
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    constants = (
        [alternative for alternative in alternatives if isinstance(alternative, Mapping) and "const" in alternative]
        if isinstance(alternatives, list)
        else []
    )
    return tuple(
        (str(alternative["const"]), one_line(str(alternative.get("title", alternative["const"])), 80))
        for alternative in constants[:MOST_CHOICES]
    )


def _bounds(schema: Mapping[str, Any], kind: Kind) -> tuple[float | None, float | None]:
    keys = {"text": ("minLength", "maxLength"), "choices": ("minItems", "maxItems")}.get(kind, ("minimum", "maximum"))
    values = [schema.get(key) for key in keys]
    minimum, maximum = (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None for value in values
    )
    return minimum, maximum


def _default(value: Any, kind: Kind) -> str | int | float | bool | list[str] | None:
    """The default value, if it is of the right kind."""
    if kind == "choices":
        return [str(item) for item in value] if isinstance(value, list) else None
    if kind == "yes or no":
        return value if isinstance(value, bool) else None
    if kind in ("number", "whole number"):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return (int(value) if kind == "whole number" else value) if fits else None
    return one_line(value, LONGEST_DESCRIPTION) if isinstance(value, str) else None
