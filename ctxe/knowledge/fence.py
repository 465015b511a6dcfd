"""Fences text from files for the model: removes invisible characters, names the origin, keeps the fence closed."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.safety.display import strip_invisible, strip_sequences

_TAG = pattern(r"<(?=/?\s*(?:memory|instructions|skills?|mcp|page)\b)", re.IGNORECASE)
_CONTROL = pattern("[\x00-\x08\x0b-\x1f\x7f]")
_QUOTE = pattern(r'["<>\n]')


@dataclass(frozen=True, slots=True)
class Fenced:
    """The fenced text, and one line for each place where invisible characters were removed."""

    text: str
    notices: tuple[str, ...]


def fence(text: str, origin: str, tag: str = "memory", **marks: str) -> Fenced:
    """``<memory from="origin" …>text</memory>``. Tags of ctxe's own inside the text are defused.

    ``marks`` are further attributes; empty ones are left out. Invisible and bidirectional characters and control
    sequences are removed; notices name the invisible ones by origin and line.
    """
    clean, found = strip_invisible(strip_sequences(text))
    notices = tuple(
        f"{origin}:{hidden.line}: {hidden.count} invisible characters removed ({', '.join(hidden.points)})"
        + (f", spelling {hidden.says!r}" if hidden.says else "")
        for hidden in found
    )
    inside = _TAG.sub("‹", _CONTROL.sub("", clean))
    values = {"from": origin, **marks}
    attributes = "".join(f' {key}="{_QUOTE.sub("_", value)}"' for key, value in values.items() if value)
    return Fenced(f"<{tag}{attributes}>\n{inside.strip()}\n</{tag}>", notices)
