"""Turning a server's content blocks into output: text, one picture, and a line for each part that is neither."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.tool import ToolOutput
from ctxe.domain.value import dataclass
from ctxe.safety.display import one_line, strip_sequences

MOST_CHARACTERS = 1_000_000
"""Characters of an answer that are kept, half from its beginning and half from its end."""
Look = Callable[[str, bytes], Picture | None]
"""Makes a picture from a name and bytes; None when they are not one. Raises ToolError when it cannot be shown."""


def blind(_name: str, _data: bytes) -> Picture | None:
    """A ``Look`` that takes nothing for a picture."""
    return None


@dataclass(slots=True)
class AnswerParts:
    """Reads the parts of an answer of ``SERVER/TOOL`` or ``SERVER:…``. The first picture is kept, others get a line."""

    name: str
    look: Look = blind
    picture: Picture | None = None

    @property
    def _server(self) -> str:
        """The prefix ``SERVER:`` that makes a URI readable by ``use``."""
        return f"{re.split('[/:]', self.name)[0]}:" if self.name else ""

    def parts(self, content: Sequence[Mapping[str, Any]], *, alone: bool = False) -> Iterator[str]:
        """Each part as text; with ``alone``, the single text of a resource gets no head line with its URI."""
        for block in content:
            yield from self._block(block, alone=alone and len(content) == 1)

    def _block(self, block: Mapping[str, Any], *, alone: bool) -> Iterator[str]:
        kind = block.get("type")
        if kind == "text":
            yield str(block.get("text", ""))
        elif kind == "resource" and isinstance(inner := block.get("resource"), Mapping):
            uri = one_line(str(inner.get("uri", "")), 500)
            if "text" in inner:
                yield str(inner["text"]) if alone else f"[{uri}]\n{inner['text']}"
            else:
                yield self._placeholder("resource", inner, "blob", uri)
        elif kind == "resource_link":
            address = one_line(f"{self._server}{block.get('uri', '')}", 500)
            yield f"[resource {one_line(str(block.get('name', '')))}: {address}]"
        else:
            yield self._placeholder(one_line(str(kind), 40), block, "data", self.name)

    def _placeholder(self, kind: str, block: Mapping[str, Any], key: str, name: str) -> str:
        """A line in place of a part that is not text; the first picture is kept to be shown."""
        encoded = str(block.get(key, ""))
        media = one_line(str(block.get("mimeType", "of no known type")), 80)
        reason = ""
        try:
            picture = self.look(name, b64decode(encoded, validate=True))
            if picture and self.picture is None:
                self.picture = picture
                return f"[{picture.description}]"
            reason = ": a result shows one picture" if picture else ""
        except binascii.Error:
            pass
        except ToolError as error:
            reason = f": {error}"
        # base64 takes four characters for three bytes
        return f"[{kind} {media}, {len(encoded) * 3 // 4:,} bytes, not shown{reason}]"


def tool_output(
    content: Sequence[Mapping[str, Any]], structured: Any, *, ok: bool, name: str = "", look: Look = blind
) -> ToolOutput:
    """The output of a call, from its content blocks as JSON and its structured content."""
    reading = AnswerParts(name, look)
    parts = list(reading.parts(content))
    if not parts and structured is not None:
        parts = [json.dumps(structured, ensure_ascii=False, default=str)]
    text = strip_sequences(bounded("\n".join(parts)))
    shown = text or ("(no output)" if ok else "it failed and said nothing")
    return ToolOutput(shown, ok, picture=reading.picture)


def resource_output(parts: Sequence[Mapping[str, Any]], name: str, look: Look = blind) -> ToolOutput:
    """The output for a resource, from its parts as content blocks."""
    reading = AnswerParts(name, look)
    text = strip_sequences(bounded("\n".join(reading.parts(parts, alone=True))))
    return ToolOutput(text or "(it is empty)", kind="read", picture=reading.picture)


def prompt_output(messages: Sequence[tuple[str, Mapping[str, Any]]], name: str, look: Look = blind) -> ToolOutput:
    """The output for a prompt, from its (role, content block) messages; those of the assistant are marked."""
    reading = AnswerParts(name, look)
    rows = [
        ("assistant: " if role == "assistant" else "") + "\n".join(reading.parts([part])) for role, part in messages
    ]
    return ToolOutput(strip_sequences(bounded("\n\n".join(rows))).strip(), picture=reading.picture)


def bounded(text: str) -> str:
    """A text of at most ``MOST_CHARACTERS`` characters; characters left out in the middle are counted."""
    if len(text) <= MOST_CHARACTERS:
        return text
    half = MOST_CHARACTERS // 2
    return f"{text[:half]}\n… {len(text) - MOST_CHARACTERS:,} characters left out …\n{text[-half:]}"
