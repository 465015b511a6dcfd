"""Reading tool calls that a model wrote as text, because its local server did not recognise them.

Servers parse a model's calls in the form that its chat template names. When the model uses another form, or no parser
was set, the call arrives as text. Text that may become a call is held back while it streams.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ctxe.domain.pattern import pattern

Called = tuple[str, str]
"""A tool's name and its arguments as JSON text."""
TAGS = ("<tool_call>", "<function=")
CALL_BEGINNINGS = ('{"name"', '```json{"name"', '```{"name"')
"""The possible beginnings, without blanks, of an answer that is nothing but a call."""
QUOTE = "```"
ENOUGH_CHARACTERS = 200
"""Characters that are enough to recognise a call or a line, so that long text is not read again with every piece."""
LINE = pattern(r"^[ \t]*(<)", re.MULTILINE)
TAGGED_CALL = pattern(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|\Z)", re.DOTALL)
FUNCTION_CALL = pattern(
    r"(?:<tool_call>\s*)?<function=([^>\s]+)>(.*?)(?:</function>|\Z)(?:\s*</tool_call>)?", re.DOTALL
)
PARAMETER = pattern(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
FENCE = pattern(r"^\s*```(?:json)?\s*$", re.MULTILINE)


class TextCalls:
    """Splits an answer into words and calls. Calls begin on a line of their own and end the answer, or are all of it.

    Inside a code fence they are quotations and count as words. ``tools`` are those that the model was offered.
    """

    def __init__(self, tools: Collection[str]) -> None:
        self._tools = tools
        self._held_back = self._line = ""
        self._more: list[str] = []
        self._has_words = self._in_fence = False

    def split(self, text: str) -> str:
        """Take a piece of text; returns the text so far that cannot be a call."""
        if not self._tools:
            return text
        if (
            len(self._held_back) >= ENOUGH_CHARACTERS
        ):  # it begins like a call, whatever follows; adding to it would copy it each time
            self._more.append(text)
            return ""
        self._held_back += text
        if not self._has_words and _may_be_call(self._held_back[:ENOUGH_CHARACTERS]):
            return ""
        return self._release(next(self._begins(), len(self._held_back)))

    def rest(self, *, called: bool = False) -> tuple[str, tuple[Called, ...]]:
        """(words, calls) that were held back, when the answer has ended. They are words if it also ``called`` tools."""
        self._held_back += "".join(self._more)
        self._more = []
        calls = () if called else _tagged(self._held_back) or _bare(self._held_back, self._tools)
        return ("", calls) if calls else (self._release(len(self._held_back)), ())

    def _release(self, size: int) -> str:
        words, self._held_back = self._held_back[:size], self._held_back[size:]
        self._has_words = self._has_words or bool(words.strip())
        *whole_lines, line = (self._line + words).split("\n")
        self._line = line[:ENOUGH_CHARACTERS]
        self._in_fence ^= _fences(whole_lines)
        return words

    def _begins(self) -> Iterator[int]:
        """The positions at which held text may begin a tag, at the beginning of a line and outside of fences."""
        for match in LINE.finditer(self._held_back):
            position = match.start(1)  # blanks before it are words: they may be shown already
            rest = self._held_back[position : position + ENOUGH_CHARACTERS]
            tag = any(rest.startswith(tag) or tag.startswith(rest) for tag in TAGS)
            *ended, line = (self._line + self._held_back[:position]).split("\n")
            if tag and not line.strip() and self._in_fence == _fences(ended):
                yield position


def _fences(lines: Sequence[str]) -> bool:
    """Whether an odd number of lines are fences, so that a quotation begins or ends within them."""
    return sum(line.lstrip().startswith(QUOTE) for line in lines) % 2 == 1


def _may_be_call(text: str) -> bool:
    """Whether an answer with this beginning may be nothing but a call."""
    beginning = "".join(text.split())[: max(map(len, CALL_BEGINNINGS))]
    return any(beginning.startswith(start) or start.startswith(beginning) for start in CALL_BEGINNINGS)


def _tagged(text: str) -> tuple[Called, ...]:
    """The tagged calls that a text consists of; none when it holds anything else."""
    calls = [
        call
        for pattern, read in ((TAGGED_CALL, _from_json), (FUNCTION_CALL, _from_parameters))
        for match in pattern.finditer(text)
        if (call := read(*match.groups()))
    ]
    rest = FUNCTION_CALL.sub("", TAGGED_CALL.sub("", text))
    return tuple(calls) if calls and not rest.strip() else ()


def _bare(text: str, tools: Collection[str]) -> tuple[Called, ...]:
    """The calls of offered tools that a text of JSON consists of; none when it holds anything else."""
    remaining = FENCE.sub("", text).strip()
    calls: list[Called] = []
    while remaining:
        try:
            value, end = json.JSONDecoder().raw_decode(remaining)
        except (ValueError, RecursionError):
            return ()
        call = _call(value)
        if call is None or call[0] not in tools:
            return ()
        calls.append(call)
        remaining = remaining[end:].strip()
    return tuple(calls)


def _from_json(text: str) -> Called | None:
    try:
        return _call(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _from_parameters(name: str, text: str) -> Called:
    """A call with all values as text; checking the arguments converts numbers and lists."""
    return name, json.dumps(dict(PARAMETER.findall(text)), ensure_ascii=False)


def _call(value: Any) -> Called | None:
    """A call from an object with a name and arguments, which some models name parameters; None for other values."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if not value["name"] or not isinstance(arguments, dict) or len(value) != 2:
        return None
    return value["name"], json.dumps(arguments, ensure_ascii=False)
