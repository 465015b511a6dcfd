"""The service behind ``ctxe replay``: what it accepts, what it refuses and why, and how messages come back."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ctxe.context.budget import Budget
from ctxe.project.window.replaying import Replayed
from ctxe.serve.replay import UNKNOWN_WORDS, Service, serve
from tests.support.counting import count_words

Chat = dict[str, Any]
SYSTEM: Chat = {"role": "system", "content": "Be right."}
USER: Chat = {"role": "user", "content": "fix it", "name": "ann"}


def service(window: int = 10_000) -> Service:
    return Service(Replayed(Budget(window, 100), count_words), count_words)


def call(identity: Any, arguments: Any = "{}") -> Chat:
    return {"id": identity, "type": "function", "function": {"name": "read", "arguments": arguments}}


def asked(*calls: Chat, content: str | None = None) -> Chat:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(identity: str, content: Any) -> Chat:
    return {"role": "tool", "tool_call_id": identity, "content": content}


def told(one: Service, *messages: Any) -> list[Any]:
    """The answers to adding these, one by one."""
    return [json.loads(one.answer(json.dumps({"op": "add", "message": message}))) for message in messages]


def assembled(one: Service) -> Chat:
    answer: Chat = json.loads(one.answer('{"op": "assemble"}'))
    return answer


def test_messages_are_returned_with_all_their_fields() -> None:
    one = service()
    reply = asked(call("a"), call("b"), content="I look.") | {"reasoning": "hm"}
    given = [SYSTEM, USER, reply, result("b", "second"), result("a", "first"), {"role": "assistant", "content": "done"}]
    assert told(one, *given) == [{"ok": True}] * len(given)
    counted = 6 * 4 + 2 * 6 + count_words("Be right. fix it I look. second first done") + 2 * count_words("read {}")
    assert assembled(one) == {"messages": given, "tokens": counted, "epoch": 0}
    assert assembled(one)["epoch"] == 0


def test_a_repeated_call_id_means_its_newest_call() -> None:
    one = service()
    given = [
        USER,
        asked(call("a")),
        result("a", "old"),
        asked(call("a"), call("a")),
        result("a", "x"),
        result("a", "y"),
    ]
    told(one, *given)
    assert assembled(one)["messages"] == given


def test_a_conversation_starting_with_a_reply_gets_a_user_message_first() -> None:
    one = service()
    reply = {"role": "assistant", "content": "hello"}
    told(one, SYSTEM, reply)
    assert assembled(one)["messages"] == [SYSTEM, {"role": "user", "content": UNKNOWN_WORDS}, reply]


def test_an_empty_system_message_stays_first_when_an_empty_user_message_is_dropped() -> None:
    one = service(200)
    empty: Chat = {"role": "system", "content": ""}
    told(one, empty, {"role": "user", "content": ""}, asked(call("a")), result("a", "word " * 90), USER)
    messages = assembled(one)["messages"]
    assert (messages[0], messages[-1]) == (empty, USER)
    assert [message["role"] for message in messages] == ["system", "user", "user"]


def test_a_later_system_message_keeps_its_place() -> None:
    one = service()
    late = {"role": "system", "content": "It is late."}
    given = [SYSTEM, USER, {"role": "assistant", "content": "ok"}, late]
    told(one, *given)
    assert assembled(one)["messages"] == given


def test_content_in_parts_is_read_and_returned() -> None:
    one = service()
    parts = [{"type": "text", "text": "one two"}, {"type": "image_url"}, "odd", {"type": "text", "text": "three"}]
    told(one, {"role": "user", "content": parts})
    assert assembled(one) == {"messages": [{"role": "user", "content": parts}], "tokens": 4 + 3, "epoch": 0}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (None, "no message with a role (roles are system, user, assistant, tool)"),
        ({"content": "x"}, "no message with a role (roles are system, user, assistant, tool)"),
        ({"role": "developer", "content": "x"}, "no message with a role (roles are system, user, assistant, tool)"),
        ({"role": "user", "content": 3}, "content is not text"),
        ({"role": "tool", "content": "x"}, "a tool message without tool_call_id"),
        (result("a", "x"), "no open call has the id 'a'"),
        ({"role": "user", "content": "x", "tool_calls": [call("a")]}, "tool calls in a message of the user"),
        ({"role": "assistant", "tool_calls": {"a": 1}}, "tool_calls is not a list"),
        ({"role": "assistant", "tool_calls": [{"id": "a"}]}, "a tool call without function"),
        (asked(call("a", arguments={})), "a tool call needs id, name and arguments, each a text"),
        (asked(call(None)), "a tool call needs id, name and arguments, each a text"),
    ],
)
def test_an_invalid_message_is_refused_and_changes_nothing(message: Any, error: str) -> None:
    one = service()
    told(one, USER)
    assert told(one, message) == [{"error": error}]
    assert assembled(one)["messages"] == [USER]


def test_a_conversation_with_open_calls_waits_for_their_results() -> None:
    one = service()
    told(one, USER, asked(call("a"), call("b")), result("a", "x"))
    missing = {"error": "calls without results: b (add a tool message for each)"}
    assert told(one, USER, asked(call("c"))) == [missing] * 2
    assert assembled(one) == missing
    assert told(one, result("a", "again"), result("b", "y")) == [{"error": "no open call has the id 'a'"}, {"ok": True}]
    assert len(assembled(one)["messages"]) == 4


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "the line is not JSON"),
        ("{", "the line is not JSON"),
        ("[" * 100_000, "the line is not JSON"),
        ("[]", "the line is not a JSON object"),
        ('{"op": "fold"}', "unknown op 'fold' (add or assemble)"),
        ('{"op": ["add"]}', "unknown op ['add'] (add or assemble)"),
    ],
)
def test_an_invalid_line_is_answered_with_an_error(line: str, error: str) -> None:
    assert json.loads(service().answer(line)) == {"error": error}


def test_a_request_that_cannot_fit_is_an_error_and_the_next_may_fit() -> None:
    one = service(130)
    told(one, {"role": "system", "content": "word " * 40}, USER)
    assert assembled(one)["error"].startswith("the request cannot fit: ")


def test_every_line_is_answered_by_one_line_of_utf_8() -> None:
    given = [{"role": "user", "content": "half a pair \ud83d"}, {"role": "assistant", "content": "ünïcode\u2028"}]
    lines = [json.dumps({"op": "add", "message": message}).encode() for message in given]
    out = io.BytesIO()
    serve(service(), io.BytesIO(b"\n".join([*lines, b"\xff", b'{"op": "assemble"}'])), out)
    first, second, third, last, empty = out.getvalue().decode().split("\n")
    assert [json.loads(answer) for answer in (first, second, third)] == [
        {"ok": True},
        {"ok": True},
        {"error": "the line is not JSON"},
    ]
    assert json.loads(last)["messages"] == given
    assert empty == ""
