"""Checking a call's arguments against the tool's schema, with errors that tell the model how to call it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.suggestion import did_you_mean

Shape = Mapping[str, Any]
_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def parse_arguments(schema: ToolSchema, arguments: object) -> dict[str, Any]:
    """The arguments, converted where needed: only known keys, all required ones, the right types.

    Harmless slips are corrected: null for an optional key, "12" or 12.0 for 12, "true" for true, a single item for a
    list of one, a list as JSON text. Raises ToolError, which names the wrong key and every key the tool accepts.
    """
    return _object(arguments, schema.parameters, schema.name, accepted_keys(schema.parameters))


def accepted_keys(shape: Shape) -> str:
    """The keys of an object schema in a row, optional ones with a question mark."""
    required = shape.get("required", ())
    return ", ".join(f"{key}{'' if key in required else '?'}" for key in shape.get("properties", {}))


def _object(value: object, shape: Shape, place: str, keys: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ToolError(f"{place} takes an object with {keys}; got {_kind_in_words(value)}")
    properties, required = shape.get("properties", {}), shape.get("required", ())
    for key in value:
        if key not in properties:
            suggestion = did_you_mean(str(key), properties)
            raise ToolError(
                f"{place} does not know {str(key)[:80]!r}{f' ({suggestion})' if suggestion else ''}; it takes {keys}"
            )
    present = {key: item for key, item in value.items() if item is not None or key in required}
    missing = [key for key in required if key not in present]
    if missing:
        raise ToolError(f"{place} needs {', '.join(missing)}; it takes {keys}")
    return {key: _value(item, properties[key], f"{place}: {key}") for key, item in present.items()}


def _value(value: object, shape: Shape, place: str) -> Any:
    kind = shape.get("type", "string")
    if kind == "object" and "properties" not in shape:
        return _free_object(value, place)
    if kind == "object":
        return _object(value, shape, place, accepted_keys(shape))
    if kind == "array":
        return [_value(item, shape["items"], place) for item in _items(value)]
    value = _plain(value, kind)
    if value is None:
        raise ToolError(f"{place} must be {_NAMES[kind]}")
    choices = shape.get("enum")
    if choices and value not in choices:
        raise ToolError(f"{place} must be one of {', '.join(choices)}")
    if kind == "integer" and value < shape.get("minimum", value):
        raise ToolError(f"{place} must be at least {shape['minimum']}")
    return value


def _items(value: object) -> Sequence[object]:
    """The items of a list, which may come as JSON text or as a single item."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, list | tuple) else [value]


def _free_object(value: object, place: str) -> dict[str, Any]:
    """An object whose keys the schema does not fix; it may come as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping):
        raise ToolError(f"{place} must be an object")
    return dict(value)


def _plain(value: object, kind: str) -> str | int | bool | None:
    """The value converted to its kind; None when it cannot be."""
    match kind, value:
        case "string", str():
            return value
        case "string", bool():
            return None
        case "string", int() | float():
            return str(value)
        case "boolean", bool():
            return value
        case "boolean", "true" | "false":
            return value == "true"
        case "integer", bool():
            return None
        case "integer", int():
            return value
        case "integer", float() if value.is_integer():
            return int(value)
        case "integer", str() if re.fullmatch(r"\s*-?\d{1,15}\s*", value):
            return int(value)
    return None


def _kind_in_words(value: object) -> str:
    kinds = {str: "text", list: "a list", type(None): "null", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "something else")
