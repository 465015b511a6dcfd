"""Context assembly as a service: JSON lines in and out, with the assembler and folds that a chat uses.

Messages are returned byte for byte as they were given, unless they were folded or shortened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import CtxeError
from ctxe.domain.jsonl import json_text
from ctxe.project.window.replaying import Replayed
from ctxe.serve.chat import Chat, GivenMessages, Refused, checked, reply_of, text_of, tokens_of, written

UNKNOWN_WORDS = "[what was said before is not known]"
"""Replaces the user's words when a conversation begins with a reply."""


class Service:
    """One conversation of chat-completions messages; ``count`` gives the tokens of a text.

    ``epoch`` in its answers counts how often a request did not begin with the previous one.
    """

    __slots__ = ("_count", "_epoch", "_given", "_ids", "_messages_before", "_order", "_replayed", "_reply", "_results")

    def __init__(self, replayed: Replayed, count: Callable[[str], int]) -> None:
        self._replayed, self._count = replayed, count
        self._given = GivenMessages()
        self._ids: dict[str, str] = {}
        self._order: dict[str, int] = {}
        self._reply: Reply | None = None
        self._results: dict[str, str] = {}
        self._messages_before: list[Chat] = []
        self._epoch = 0

    def answer(self, line: str) -> str:
        """Answer one line with one line. A wrong line is answered with ``{"error": …}`` and changes nothing."""
        try:
            return json_text(self._answer_to(_object(line)))
        except CtxeError as error:
            return json_text({"error": f"{error.message} ({error.hint})" if error.hint else error.message})

    def _answer_to(self, question: Mapping[str, Any]) -> Chat:
        match question.get("op"):
            case "add":
                self._add(checked(question.get("message")))
                return {"ok": True}
            case "assemble":
                return self._assemble()
            case other:
                raise Refused(f"unknown op {other!r}", "add or assemble")

    def _add(self, message: Chat) -> None:
        role = message["role"]
        if role == "tool":
            self._add_result(message)
        elif self._reply is not None:
            raise Refused(f"calls without results: {', '.join(self._missing())}", "add a tool message for each")
        elif role == "assistant":
            self._add_reply(message)
        elif role == "system" and not self._replayed.conversation.turns:
            self._replayed.instruct(text_of(message))
        else:
            self._replayed.say(text_of(message))
        self._given.add(message)

    def _add_reply(self, message: Chat) -> None:
        if not self._replayed.conversation.turns:
            self._replayed.say(UNKNOWN_WORDS)
        reply, ids = reply_of(message, len(self._given.messages))
        self._ids |= ids
        if reply.calls:
            self._reply = reply
        else:
            self._replayed.step(reply, {})

    def _add_result(self, message: Chat) -> None:
        call_id = message["tool_call_id"]
        reply = self._reply
        open_calls = [call.id for call in reply.calls if call.id not in self._results] if reply else []
        identity = next((call for call in open_calls if self._ids[call] == call_id), None)
        if reply is None or identity is None:
            raise Refused(f"no open call has the id {call_id!r}")
        self._results[identity] = text_of(message)
        self._order[identity] = len(self._given.messages)
        if len(self._results) == len(reply.calls):
            self._replayed.step(reply, self._results)
            self._reply, self._results = None, {}

    def _missing(self) -> list[str]:
        return [self._ids[call.id] for call in self._reply.calls if call.id not in self._results] if self._reply else []

    def _assemble(self) -> Chat:
        if self._reply is not None:
            raise Refused(f"calls without results: {', '.join(self._missing())}", "add a tool message for each")
        assembled = self._replayed.request()
        messages = _with_user_first(list(self._given.back(written(assembled.request, self._ids, self._order))))
        self._epoch += messages[: len(self._messages_before)] != self._messages_before
        self._messages_before = messages
        return {"messages": messages, "tokens": tokens_of(messages, self._count), "epoch": self._epoch}


def serve(service: Service, lines: BinaryIO, out: BinaryIO) -> None:
    """Answer line by line (UTF-8) until the input ends, each answer flushed."""
    for line in lines:
        out.write(service.answer(line.decode("utf-8", "replace")).encode() + b"\n")
        out.flush()


def _with_user_first(messages: list[Chat]) -> list[Chat]:
    """The messages, with a user message before the first one that is not the system's."""
    for place, message in enumerate(messages):
        if message["role"] != "system":
            missing = [] if message["role"] == "user" else [{"role": "user", "content": UNKNOWN_WORDS}]
            return [*messages[:place], *missing, *messages[place:]]
    return messages


def _object(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused("the line is not JSON") from error
    if not isinstance(value, dict):
        raise Refused("the line is not a JSON object")
    return value
