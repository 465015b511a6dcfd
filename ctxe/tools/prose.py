"""The words a model reads about a tool: they stand in a Markdown file beside its code, reviewed like prose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctxe.domain.model import ToolSchema
from ctxe.domain.pattern import pattern

STRING: Mapping[str, Any] = {"type": "string"}
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 1}
BOOLEAN: Mapping[str, Any] = {"type": "boolean"}
STRINGS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
HERE = Path(__file__).parent
_ITEM = pattern(r"^- (\w+): (.+)$")


def describe(
    name: str, properties: Mapping[str, Mapping[str, Any]], required: Sequence[str] = (), folder: Path = HERE
) -> ToolSchema:
    """The schema of a tool, worded by ``<name>.md`` in ``folder``.

    The file's paragraphs are the description; each ``- key: words`` line describes one parameter. Raises KeyError
    when it describes a parameter that the tool does not have.
    """
    description, words = read_prose((folder / f"{name}.md").read_text("utf-8"))
    unknown = words.keys() - properties.keys()
    if unknown:
        raise KeyError(f"{name}.md describes {', '.join(sorted(unknown))}, which {name} does not take")
    shapes = {
        key: {**shape, "description": words[key]} if key in words else dict(shape) for key, shape in properties.items()
    }
    parameters: dict[str, Any] = {"type": "object", "properties": shapes}
    if required:
        parameters["required"] = list(required)
    return ToolSchema(name, description, parameters)


def read_prose(text: str) -> tuple[str, dict[str, str]]:
    """A tool's description and what it says of each parameter; line breaks inside a paragraph mean nothing."""
    items = {found[1]: found[2] for line in text.splitlines() if (found := _ITEM.match(line))}
    plain = "\n".join(line for line in text.splitlines() if not _ITEM.match(line))
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", plain))
    return "\n".join(part for part in paragraphs if part), items
