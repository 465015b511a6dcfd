"""Recorded sessions of coding agents, call by call: logs of ctxe, Claude Code and Codex, and plain chat messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.failures.contents import of_claude, of_touches
from ctxe.knowledge.failures.recorded_calls import RecordedCall, recorded_call

_PLACE = re.compile(r"\n?\(Open file: (?P<open>[^\n]*)\)\n\(Current directory: (?P<folder>[^\n]*)\)\nbash-\$\s*\Z")


@dataclass(frozen=True, slots=True)
class UserWords:
    """A message of the user's in a recording."""

    words: str


@dataclass(slots=True)
class Recording:
    """The state while a recording is read. ``root`` is the session's working folder, if recorded.

    ``at`` is the time of the newest line (ISO 8601); ``open`` maps ids of unfinished calls to tool and arguments.
    """

    root: str = ""
    at: str = ""
    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    place: str = ""

    def steps(self, lines: Iterable[bytes]) -> Iterator[RecordedCall | UserWords]:
        """Calls and user messages in order. Lines that are not JSON objects of a known shape are skipped."""
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield from self._line(record)

    def _line(self, record: Mapping[str, Any]) -> Iterator[RecordedCall | UserWords]:
        self.root = self.root or _text(record.get("cwd"))
        self.at = _text(record.get("timestamp")) or _text(record.get("at")) or self.at
        payload = record.get("payload")
        if "role" in record:
            yield from self._message(record)
        elif isinstance(message := record.get("message"), dict) and not record.get("isSidechain"):
            contents = tuple(of_claude(record.get("toolUseResult")))
            for step in self._message(message):
                yield replace(step, contents=contents) if contents and isinstance(step, RecordedCall) else step
        elif isinstance(payload, dict):
            self.root = self.root or _text(payload.get("cwd"))
            yield from self._codex(payload)
        else:
            yield from self._ours(record)

    def _message(self, message: Mapping[str, Any]) -> Iterator[RecordedCall | UserWords]:
        """A chat message of either public API; Claude Code wraps the same messages."""
        role, content = message.get("role"), message.get("content")
        for call in _dicts(message.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict):
                self._called(call.get("id"), function.get("name"), function.get("arguments"))
        if role == "tool":
            yield from self._ended(message.get("tool_call_id"), _words(content), None)
        elif role == "user" and isinstance(content, str):
            yield UserWords(content)
        for block in _dicts(content):
            if block.get("type") == "tool_use":
                self._called(block.get("id"), block.get("name"), block.get("input"))
            elif block.get("type") == "tool_result":
                marked = False if block.get("is_error") is True else None
                yield from self._ended(block.get("tool_use_id"), _words(block.get("content")), marked)
            elif block.get("type") == "text" and role == "user":
                yield UserWords(_text(block.get("text")))

    def _codex(self, item: Mapping[str, Any]) -> Iterator[RecordedCall | UserWords]:
        kind = _text(item.get("type"))
        if kind.endswith("_output"):
            yield from self._ended(item.get("call_id"), *_output_and_code(_words(item.get("output"))))
        elif kind.endswith("_call"):
            given: Any = next((item[key] for key in ("arguments", "input", "action") if item.get(key) is not None), {})
            given = given if isinstance(given, dict) or _text(given)[:1] == "{" else {"input": given}
            self._called(item.get("call_id"), item.get("name") or kind, given)
        elif kind == "message" and item.get("role") == "user":
            yield UserWords(_words(item.get("content")))

    def _ours(self, record: Mapping[str, Any]) -> Iterator[RecordedCall | UserWords]:
        if record.get("type") == "reply_received":
            reply = record.get("reply")
            for call in _dicts(reply.get("calls") if isinstance(reply, dict) else ()):
                self._called(call.get("id"), call.get("name"), call.get("arguments"))
        elif record.get("type") == "tool_finished" and isinstance(result := record.get("result"), dict):
            facts = record.get("facts")
            code = facts.get("exit_code") if isinstance(facts, dict) else None
            text = _text(record.get("full")) or _text(result.get("text"))
            touched = tuple(of_touches(result.get("touches"), _text(record.get("display"))))
            for step in self._ended(result.get("call_id"), text, result.get("ok") is not False, code):
                yield replace(step, contents=touched)
        elif record.get("type") == "turn_started":
            yield UserWords(_text(record.get("words")))

    def _called(self, name: object, tool: object, arguments: object) -> None:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
        self.open[str(name)] = (_text(tool), text)

    def _ended(self, name: object, text: str, marked: bool | None, code: object = None) -> Iterator[RecordedCall]:
        tool, arguments = self.open.pop(str(name), ("", ""))
        if tool:
            place_before = self.place
            if place := _PLACE.search(text):
                self.place, text = f"{place['folder']} {place['open']}", text[: place.start()]
            yield recorded_call(tool, arguments, text, marked, code if isinstance(code, int) else None, place_before)


def _output_and_code(text: str) -> tuple[str, None, object]:
    """Output of a Codex command, no mark, and its exit code. Older recordings hold output and code in one JSON text."""
    try:
        record = json.loads(text) if text.startswith('{"output":') else None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return text, None, None
    metadata = record.get("metadata")
    return _text(record["output"]), None, metadata.get("exit_code") if isinstance(metadata, dict) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(content: object) -> str:
    """The text of a message or result in any known wrapping."""
    if isinstance(content, dict):
        return _text(content.get("output")) or _text(content.get("text")) or json.dumps(content)
    if isinstance(content, list):
        return "\n".join(_text(item.get("text")) for item in _dicts(content))
    return _text(content)
