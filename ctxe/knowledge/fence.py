"""Text from files as a model gets it: nothing invisible in it, its origin named, no way out of its fence."""

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
    """A fenced text, and a line for each place where something invisible was taken out of it."""

    text: str
    notices: tuple[str, ...]


def fence(text: str, origin: str, tag: str = "memory", **marks: str) -> Fenced:
    """``<memory from="origin" …>text</memory>``; what looks like our own tags inside is defused.

    ``marks`` are further attributes, empty ones left out. Invisible and bidirectional characters and control
    sequences are taken out and named by origin and line.
    """
    clean, found = strip_invisible(strip_sequences(text))
    notices = tuple(
        f"{origin}:{hidden.line}: {hidden.count} invisible characters removed ({', '.join(hidden.points)})"
        + (f", spelling {hidden.says!r}" if hidden.says else "")
        for hidden in found
    )
    inside = _TAG.sub("‹", _CONTROL.sub("", clean))
    held = {"from": origin, **marks}
    attributes = "".join(f' {key}="{_QUOTE.sub("_", value)}"' for key, value in held.items() if value)
    return Fenced(f"<{tag}{attributes}>\n{inside.strip()}\n</{tag}>", notices)
