"""Sending a model's own messages back: names and arguments that every server accepts, carried blocks in place."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import ToolCall
from ctxe.domain.model import Block, Carry, Text
from ctxe.domain.pattern import pattern
from ctxe.providers.draft import as_object

ILLEGAL = pattern(r"[^a-zA-Z0-9_-]")


def legal_name(name: str) -> str:
    """A tool name that every API accepts: 1 to 64 letters, digits, ``_`` and ``-``, no digit first (Gemini)."""
    legal = ILLEGAL.sub("_", name)
    return re.sub(r"^(?=[\d-])", "_", legal)[:64] or "unnamed"


def legal_id(name: str, *, short: bool = False) -> str:
    """A call's id that every API accepts: 1 to 64 letters, digits, ``_`` and ``-``; ``short``: 9 letters or digits.

    An id of one provider is sent to another when the user changes the model. The same id gives the same result.
    """
    legal = re.fullmatch(r"[a-zA-Z0-9]{9}" if short else r"[a-zA-Z0-9_-]{1,64}", name)
    if legal:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return digest[:9] if short else f"call_{digest}"


def legal_arguments(arguments: str) -> dict[str, Any]:
    """The arguments of a call as an object; text that is not one is put under the key ``not_json``."""
    value = as_object(arguments)
    return {"not_json": arguments} if value is None else value


def legal_json(arguments: str) -> str:
    """The arguments as JSON text, unchanged when they are an object."""
    value = as_object(arguments)
    return json.dumps({"not_json": arguments}, ensure_ascii=False) if value is None else arguments


def carried(blocks: Sequence[Block], model: str) -> Any:
    """The carry that this model wants back (see Reply.carry); None when there is none or it is another model's."""
    for block in blocks:
        if isinstance(block, Carry) and block.model == model:
            try:
                return json.loads(block.json)
            except ValueError:
                return None
    return None


def layout(parts: Sequence[str | ToolCall | Mapping[str, Any]]) -> str:
    """A carry with the provider's own blocks and their positions among texts (by length) and calls (by id).

    Empty when there are no blocks of the provider's own.
    """
    if not any(isinstance(part, Mapping) for part in parts):
        return ""
    return json.dumps([_place(part) for part in parts], ensure_ascii=False, separators=(",", ":"))


def _place(part: str | ToolCall | Mapping[str, Any]) -> Any:
    if isinstance(part, str):
        return len(part)
    return part.id if isinstance(part, ToolCall) else part


def placed(blocks: Sequence[Block], model: str) -> Iterator[Text | ToolCall | Mapping[str, Any]]:
    """An assistant message's texts and calls, with the provider's own blocks back in their places.

    When the text was shortened since, all of it is put where the first text was. Without a carry of this model the
    message is unchanged.
    """
    text = "".join(block.text for block in blocks if isinstance(block, Text))
    calls = {block.id: block for block in blocks if isinstance(block, ToolCall)}
    places = carried(blocks, model)
    places = places if isinstance(places, list) else []
    exact = len(text) == sum(place for place in places if isinstance(place, int))
    for place in places:
        if isinstance(place, int) and text:
            size = place if exact else len(text)
            yield Text(text[:size])
            text = text[size:]
        elif isinstance(place, str) and place in calls:
            yield calls.pop(place)
        elif isinstance(place, Mapping):
            yield place
    if text:
        yield Text(text)
    yield from calls.values()
