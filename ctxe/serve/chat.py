"""Chat-completions messages: checked when they arrive, written from a request, and returned as they were given."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import Reply, ToolCall, ToolResult
from ctxe.domain.errors import CtxeError
from ctxe.domain.model import Message, Request, Text
from ctxe.domain.value import dataclass, field

ROLES = ("system", "user", "assistant", "tool")
EMPTY_REPLY = "(no answer)"
"""The text of a request for a reply without words and calls."""

Chat = dict[str, Any]
"""One message, as JSON has it."""

Key = tuple[object, ...]


class Refused(CtxeError):
    """Something that cannot be served; the conversation stays as it was."""


def checked(message: object) -> Chat:
    """The message itself. Raises Refused when it is not one."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise Refused("no message with a role", f"roles are {', '.join(ROLES)}")
    text_of(message)
    if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise Refused("a tool message without tool_call_id")
    if calls_of(message) and message["role"] != "assistant":
        raise Refused(f"tool calls in a message of the {message['role']}")
    return message


def text_of(message: Mapping[str, Any]) -> str:
    """The words of a message; a list of content parts gives the text ones. Raises Refused."""
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    if content is not None and not isinstance(content, str):
        raise Refused("content is not text")
    return content or ""


def calls_of(message: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of every call of a message. Raises Refused."""
    parsed = []
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Refused("tool_calls is not a list")
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise Refused("a tool call without function")
        parts = (call.get("id"), function.get("name"), function.get("arguments"))
        if not all(isinstance(part, str) for part in parts):
            raise Refused("a tool call needs id, name and arguments, each a text")
        parsed.append((str(parts[0]), str(parts[1]), str(parts[2])))
    return parsed


def key_of(message: Mapping[str, Any]) -> Key:
    """The key that messages with the same content share."""
    role = "said" if message["role"] in {"user", "system"} else message["role"]
    answers = message["tool_call_id"] if role == "tool" else ""
    return role, text_of(message), answers, tuple(calls_of(message))


@dataclass(slots=True)
class GivenMessages:
    """Messages in the order in which they were given, found again by their content."""

    messages: list[Chat] = field(default_factory=list)
    _keys: list[Key] = field(default_factory=list)
    _places: dict[Key, list[int]] = field(default_factory=dict)

    def add(self, message: Chat) -> None:
        """Keep one more."""
        key = key_of(message)
        self._places.setdefault(key, []).append(len(self.messages))
        self._keys.append(key)
        self.messages.append(message)

    def back(self, written: Iterable[ChatMessage]) -> Iterator[Chat]:
        """Messages as they were given where the content is the same, never out of order; others as written.

        A message whose place is known is looked for only there: ids are reused, and short outputs are often the same.
        The others are looked for from the newest on: those that a fold left are the last ones with this content.
        """
        messages_written = list(written)
        last_place, starts = -1, list[int]()
        for message_written in messages_written:
            starts.append(last_place)
            last_place = last_place if message_written.place is None else message_written.place
        limit, result = len(self.messages), list[Chat]()
        for message_written, start in zip(reversed(messages_written), reversed(starts), strict=True):
            place = (
                self._last_same(message_written.message, start, limit)
                if message_written.place is None
                else message_written.place
            )
            limit = limit if place is None else place
            is_same = place is not None and self._keys[place] == key_of(message_written.message)
            result.append(self.messages[place] if place is not None and is_same else message_written.message)
        return reversed(result)

    def _last_same(self, message: Chat, start: int, limit: int) -> int | None:
        """The last place after ``start`` and before ``limit`` with the same content."""
        places = self._places.get(key_of(message), [])
        index = bisect_left(places, limit)
        return places[index - 1] if index and places[index - 1] > start else None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message of a request, and the place of the given message it stands for, if that is known."""

    message: Chat
    place: int | None = None


def written(request: Request, ids: Mapping[str, str], order: Mapping[str, int]) -> Iterator[ChatMessage]:
    """A request as messages, every text and result one of its own.

    ``ids`` maps calls to their given ids, ``order`` to the places of their results. The parts of the system prompt come
    first.
    """
    for place, text in enumerate(request.system):
        yield ChatMessage({"role": "system", "content": text}, place)
    for message in request.messages:
        yield from _user_messages(message, ids, order) if message.role == "user" else [_assistant_message(message, ids)]


def _user_messages(message: Message, ids: Mapping[str, str], order: Mapping[str, int]) -> Iterator[ChatMessage]:
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    for result in sorted(results, key=lambda result: order[result.call_id]):
        tool_message = {"role": "tool", "tool_call_id": ids[result.call_id], "content": result.text}
        yield ChatMessage(tool_message, order[result.call_id])
    for block in message.blocks:
        if isinstance(block, Text):
            yield ChatMessage({"role": "user", "content": block.text})


def _assistant_message(message: Message, ids: Mapping[str, str]) -> ChatMessage:
    words = "".join(block.text for block in message.blocks if isinstance(block, Text))
    tool_calls = [block for block in message.blocks if isinstance(block, ToolCall)]
    calls = [
        {"id": ids[call.id], "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in tool_calls
    ]
    reply: Chat = {"role": "assistant", "content": "" if words == EMPTY_REPLY else words}
    return ChatMessage(
        reply | ({"tool_calls": calls} if calls else {}), place_of(tool_calls[0].id) if tool_calls else None
    )


def reply_of(message: Mapping[str, Any], number: int) -> tuple[Reply, dict[str, str]]:
    """An assistant message as a reply whose call ids are unique, and the given id of each."""
    calls = [
        ToolCall(f"{number}.{index}", name, arguments) for index, (_, name, arguments) in enumerate(calls_of(message))
    ]
    given_ids = {call.id: identity for call, (identity, _, _) in zip(calls, calls_of(message), strict=True)}
    return Reply(text_of(message), tuple(calls)), given_ids


def place_of(identity: str) -> int:
    """The place of the message of a call, by the id that ``reply_of`` made."""
    return int(identity.partition(".")[0])


def tokens_of(messages: Sequence[Mapping[str, Any]], count: Any) -> int:
    """Tokens of messages by the public rule: 4 a message, 6 a call, contents, call names and arguments as text."""
    return sum(
        4
        + count(text_of(message))
        + sum(6 + count(name) + count(arguments) for _, name, arguments in calls_of(message))
        for message in messages
    )
