"""Tool schemas, whose descriptions for the model are kept in Markdown files beside the code."""

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
    """The schema of a tool, with the descriptions in ``<name>.md`` of ``folder``.

    The file's paragraphs describe the tool; each ``- key: words`` line describes a parameter. Raises KeyError when the
    tool does not have that parameter.
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
    """The description of a tool and those of its parameters; line breaks inside a paragraph are ignored."""
    items = {match[1]: match[2] for line in text.splitlines() if (match := _ITEM.match(line))}
    prose = "\n".join(line for line in text.splitlines() if not _ITEM.match(line))
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", prose))
    return "\n".join(part for part in paragraphs if part), items
