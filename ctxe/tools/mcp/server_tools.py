"""Describing a server's tools to a model, by signature and description, within a number of tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.section import digest
from ctxe.domain.value import dataclass, field
from ctxe.safety.display import one_line, strip_sequences

Count = Callable[[str], int]
NAME = re.compile(r"[\w.:-][\w.:/-]{0,127}", re.ASCII)
"""Names of tools that are allowed here, since they appear in permission rules and questions."""
TOOL_CHARACTERS, ARGUMENT_CHARACTERS, LINE_CHARACTERS = 1_500, 200, 160
"""Characters of a tool's description, of an argument's description, and of a description in one line."""
MOST_LEVELS, MOST_MEMBERS, MOST_VALUES = 3, 40, 12
"""Levels of a schema, members of an object and values of an enumeration that are shown."""


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool of a server; ``schema`` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """A hash of everything a model sees of the tool; when it changes, an earlier approval is void."""
        return digest(json.dumps([self.name, self.description, self.schema], sort_keys=True, default=str))

    @property
    def required(self) -> tuple[str, ...]:
        """The required arguments."""
        names = self.schema.get("required")
        return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def signature(server: str, tool: ServerTool) -> str:
    """``SERVER/TOOL(title: string, labels?: [string])``: the schema without descriptions."""
    defs = tool.schema.get("$defs") or tool.schema.get("definitions")
    inner = _members(tool.schema, defs if isinstance(defs, Mapping) else {}, MOST_LEVELS)
    return f"{server}/{tool.name}({', '.join(inner)})"


def tool_line(server: str, tool: ServerTool) -> str:
    """A tool in one line, without its arguments."""
    description = one_line(tool.description, LINE_CHARACTERS)
    return f"- {server}/{tool.name}" + (f": {description}" if description else "")


def described(server: str, tool: ServerTool) -> str:
    """All that a model needs to call a tool: its signature, its description, and those of its arguments."""
    description = strip_sequences(tool.description).strip()
    shortened = f"{description[:TOOL_CHARACTERS].rstrip()}…" if len(description) > TOOL_CHARACTERS else description
    properties = tool.schema.get("properties")
    argument_lines = [
        f"  {one_line(name, 80)}: {one_line(str(inner['description']), ARGUMENT_CHARACTERS)}"
        for name, inner in (properties.items() if isinstance(properties, Mapping) else ())
        if isinstance(inner, Mapping) and inner.get("description")
    ]
    body = "\n".join(f"  {row.strip()}" for row in shortened.splitlines() if row.strip())
    return "\n".join(part for part in (f"- {signature(server, tool)}", body, *argument_lines[:MOST_MEMBERS]) if part)


def tools_page(server: str, tools: Sequence[ServerTool], instructions: str, room: int, count: Count) -> str:
    """A server's instructions and tools in at most ``room`` tokens, each tool in the longest form that fits for all."""
    number = counted(tools, "tool")
    head = [f"{number}; call one by `use` with its name and arguments." if tools else "It has no tools."]
    if own_words := strip_sequences(instructions).strip():
        head.insert(0, f"{own_words[:TOOL_CHARACTERS].rstrip()}…" if len(own_words) > TOOL_CHARACTERS else own_words)
    forms: tuple[Callable[[ServerTool], str], ...] = (
        lambda tool: described(server, tool),
        lambda tool: f"- {signature(server, tool)}: {one_line(tool.description, LINE_CHARACTERS)}",
        lambda tool: tool_line(server, tool),
    )
    for form in forms:
        text = "\n".join([*head, *map(form, tools)])
        if count(text) <= room:
            return text
    names = [tool.name for tool in tools]
    while len(names) > 1 and count(", ".join(names)) > room // 2:
        names = names[: len(names) * 3 // 4]
    more = f"; {len(tools) - len(names)} more" if len(names) < len(tools) else ""
    return (
        f"{number}, too many to describe: {', '.join(names)}{more}. find_tools describes those that match your words."
    )


def counted(items: Sequence[object], noun: str) -> str:
    """``1 tool``, ``26 tools``."""
    return f"{len(items):,} {noun}{'' if len(items) == 1 else 's'}"


def _members(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> Iterator[str]:
    properties = schema.get("properties")
    required = schema.get("required")
    required_names = set(map(str, required)) if isinstance(required, list) else set()
    members = list(properties.items()) if isinstance(properties, Mapping) else []
    for name, inner in members[:MOST_MEMBERS]:
        yield f"{one_line(str(name), 80)}{'' if name in required_names else '?'}: {_shape(inner, defs, depth)}"
    if len(members) > MOST_MEMBERS:
        yield f"{len(members) - MOST_MEMBERS} more"


def _shape(schema: Any, defs: Mapping[str, Any], depth: int) -> str:
    """A type in a few characters; ``any`` or the type's name for a schema that is invalid or nested too deep."""
    if not isinstance(schema, Mapping):
        return "any"
    if isinstance(ref := schema.get("$ref"), str):
        return _shape(defs.get(ref.rpartition("/")[2]), defs, depth - 1) if depth > 0 else "any"
    if isinstance(values := schema.get("enum"), list):
        more = "|…" if len(values) > MOST_VALUES else ""
        return "|".join(one_line(json.dumps(value, default=str), 60) for value in values[:MOST_VALUES]) + more
    if "const" in schema:
        return one_line(json.dumps(schema["const"], default=str), 60)
    for key in ("anyOf", "oneOf"):
        if isinstance(alternatives := schema.get(key), list) and depth > 0:
            return (
                "|".join(
                    dict.fromkeys(_shape(alternative, defs, depth - 1) for alternative in alternatives[:MOST_VALUES])
                )
                or "any"
            )
    kind = schema.get("type")
    if isinstance(kind, list):
        return "|".join(one_line(str(name), 20) for name in kind[:MOST_VALUES])
    if kind == "array":
        return f"[{_shape(schema.get('items'), defs, depth - 1)}]" if depth > 0 else "array"
    if kind == "object" and depth > 0 and isinstance(schema.get("properties"), Mapping):
        return "{" + ", ".join(_members(schema, defs, depth - 1)) + "}"
    return one_line(str(kind), 20) if kind else "any"
