"""Request bodies exactly as they are sent, for every case and every API; and the requests of doctor."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.errors import Unreachable
from ctxe.domain.model import Carry, Request, ToolSchema
from tests.contract.messages import asked, model, said, user
from tests.wire.adapters import APIS, HELLO, MODEL, hear, speak
from tests.wire.server import Reply, WireServer

SCHEMA = {
    "type": "object",
    "required": ["path"],
    "properties": {"path": {"type": "string"}, "all": {"type": "boolean"}},
}
READ = ToolSchema("read_file", "Read a file.", SCHEMA)
MARK = {"cache_control": {"type": "ephemeral"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def anthropic(messages: list[Any], **more: Any) -> dict[str, Any]:
    return {"model": "wire-model", "max_tokens": 1000, "messages": messages, "stream": True, **more}


def chat(messages: list[Any], **more: Any) -> dict[str, Any]:
    sent = {"model": "wire-model", "max_tokens": 1000, "messages": messages, "stream": True}
    return {**sent, "stream_options": {"include_usage": True}, **more}


def responses(items: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "model": "wire-model",
        "max_output_tokens": 1000,
        "input": items,
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "session-1",
        **more,
    }


def function(name: str, arguments: str, call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


CASES: dict[str, tuple[Request, dict[str, dict[str, Any]]]] = {
    "system blocks and tools stand first, each API in its own way": (
        Request((READ,), ("Rules.", " ", "Memory."), (user("hello"),), 1000, "session-1"),
        {
            "messages": anthropic(
                [{"role": "user", "content": [text("hello") | MARK]}],
                system=[text("Rules.") | MARK, text("Memory.") | MARK],
                tools=[{"name": "read_file", "description": "Read a file.", "input_schema": SCHEMA}],
            ),
            "chat": chat(
                [{"role": "system", "content": "Rules.\n\nMemory."}, {"role": "user", "content": "hello"}],
                tools=[
                    {
                        "type": "function",
                        "function": {"name": "read_file", "description": "Read a file.", "parameters": SCHEMA},
                    }
                ],
            ),
            "responses": responses(
                [said("hello")],
                instructions="Rules.\n\nMemory.",
                tools=[
                    {
                        "type": "function",
                        "name": "read_file",
                        "description": "Read a file.",
                        "parameters": SCHEMA,
                        "strict": False,
                    }
                ],
            ),
        },
    ),
    "parallel calls, a failed result, results first, then notes": (
        asked(
            user("fix it"),
            model("Looking.", ToolCall("c-a", "read_file", '{"path": "ä"}'), ToolCall("c-b", "run", "{}")),
            user(ToolResult("c-a", "one"), ToolResult("c-b", "exit 1", ok=False), "a changed", "b changed"),
        ),
        {
            "messages": anthropic(
                [
                    {"role": "user", "content": [text("fix it")]},
                    {
                        "role": "assistant",
                        "content": [
                            text("Looking."),
                            {"type": "tool_use", "id": "c-a", "name": "read_file", "input": {"path": "ä"}},
                            {"type": "tool_use", "id": "c-b", "name": "run", "input": {}},
                        ],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "c-a", "content": "one"},
                            {"type": "tool_result", "tool_use_id": "c-b", "content": "exit 1", "is_error": True},
                            text("a changed"),
                            text("b changed") | MARK,
                        ],
                    },
                ]
            ),
            "chat": chat(
                [
                    {"role": "user", "content": "fix it"},
                    {
                        "role": "assistant",
                        "content": "Looking.",
                        "tool_calls": [function("read_file", '{"path": "ä"}', "c-a"), function("run", "{}", "c-b")],
                    },
                    {"role": "tool", "tool_call_id": "c-a", "content": "one"},
                    {"role": "tool", "tool_call_id": "c-b", "content": "exit 1"},
                    {"role": "user", "content": "a changed\n\nb changed"},
                ]
            ),
            "responses": responses(
                [
                    said("fix it"),
                    {"role": "assistant", "content": "Looking."},
                    {"type": "function_call", "call_id": "c-a", "name": "read_file", "arguments": '{"path": "ä"}'},
                    {"type": "function_call", "call_id": "c-b", "name": "run", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c-a", "output": "one"},
                    {"type": "function_call_output", "call_id": "c-b", "output": "exit 1"},
                    said("a changed", "b changed"),
                ]
            ),
        },
    ),
    "empty words are left out, empty results are not": (
        asked(
            user("", "go"),
            model("", ToolCall("c-a", "run", "{}")),
            user(ToolResult("c-a", "")),
            model(),
            user("on"),
        ),
        {
            "messages": anthropic(
                [
                    {"role": "user", "content": [text("go")]},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "c-a", "name": "run", "input": {}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c-a", "content": ""}]},
                    {"role": "user", "content": [text("on") | MARK]},
                ]
            ),
            "chat": chat(
                [
                    {"role": "user", "content": "go"},
                    {"role": "assistant", "content": "", "tool_calls": [function("run", "{}", "c-a")]},
                    {"role": "tool", "tool_call_id": "c-a", "content": ""},
                    {"role": "user", "content": "on"},
                ]
            ),
            "responses": responses(
                [
                    said("go"),
                    {"type": "function_call", "call_id": "c-a", "name": "run", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c-a", "output": ""},
                    said("on"),
                ]
            ),
        },
    ),
    "illegal names and broken arguments come back in a form that every host takes": (
        asked(
            user("go"),
            model(
                ToolCall("c-a", "fs.read file/ß", '{"path": '), ToolCall("c-b", "", "[1]"), ToolCall("c-c", "9x", "{}")
            ),
            user(
                ToolResult("c-a", "no", ok=False), ToolResult("c-b", "no", ok=False), ToolResult("c-c", "no", ok=False)
            ),
        ),
        {
            "messages": anthropic(
                [
                    {"role": "user", "content": [text("go")]},
                    {
                        "role": "assistant",
                        "content": [
                            {
                                "type": "tool_use",
                                "id": "c-a",
                                "name": "fs_read_file__",
                                "input": {"not_json": '{"path": '},
                            },
                            {"type": "tool_use", "id": "c-b", "name": "unnamed", "input": {"not_json": "[1]"}},
                            {"type": "tool_use", "id": "c-c", "name": "_9x", "input": {}},
                        ],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "c-a", "content": "no", "is_error": True},
                            {"type": "tool_result", "tool_use_id": "c-b", "content": "no", "is_error": True},
                            {"type": "tool_result", "tool_use_id": "c-c", "content": "no", "is_error": True} | MARK,
                        ],
                    },
                ]
            ),
            "chat": chat(
                [
                    {"role": "user", "content": "go"},
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [
                            function("fs_read_file__", '{"not_json": "{\\"path\\": "}', "c-a"),
                            function("unnamed", '{"not_json": "[1]"}', "c-b"),
                            function("_9x", "{}", "c-c"),
                        ],
                    },
                    {"role": "tool", "tool_call_id": "c-a", "content": "no"},
                    {"role": "tool", "tool_call_id": "c-b", "content": "no"},
                    {"role": "tool", "tool_call_id": "c-c", "content": "no"},
                ]
            ),
            "responses": responses(
                [
                    said("go"),
                    {
                        "type": "function_call",
                        "call_id": "c-a",
                        "name": "fs_read_file__",
                        "arguments": '{"not_json": "{\\"path\\": "}',
                    },
                    {"type": "function_call", "call_id": "c-b", "name": "unnamed", "arguments": '{"not_json": "[1]"}'},
                    {"type": "function_call", "call_id": "c-c", "name": "_9x", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c-a", "output": "no"},
                    {"type": "function_call_output", "call_id": "c-b", "output": "no"},
                    {"type": "function_call_output", "call_id": "c-c", "output": "no"},
                ]
            ),
        },
    ),
    "what another model carried is not sent": (
        asked(user("a"), model(Carry('[{"type":"thinking"},2]', "wire/other"), "b!"), user("c")),
        {
            "messages": anthropic(
                [
                    {"role": "user", "content": [text("a")]},
                    {"role": "assistant", "content": [text("b!")]},
                    {"role": "user", "content": [text("c") | MARK]},
                ]
            ),
            "chat": chat(
                [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "b!"},
                    {"role": "user", "content": "c"},
                ]
            ),
            "responses": responses([said("a"), {"role": "assistant", "content": "b!"}, said("c")]),
        },
    ),
    "any text goes through, half characters as question marks": (
        asked(user("naïve 𝄞 \u202e \x00 \ud800!")),
        {
            "messages": anthropic([{"role": "user", "content": [text("naïve 𝄞 \u202e \x00 ?!") | MARK]}]),
            "chat": chat([{"role": "user", "content": "naïve 𝄞 \u202e \x00 ?!"}]),
            "responses": responses([said("naïve 𝄞 \u202e \x00 ?!")]),
        },
    ),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", CASES)
def test_the_request_body_is_exactly_as_recorded(case: str, api: str) -> None:
    request, wanted = CASES[case]
    with WireServer([Reply("ok")]) as server:
        hear(speak(api, server.url), request)
        assert server.bodies == [wanted[api]]


@pytest.mark.parametrize("api", APIS)
def test_the_output_limit_is_capped_and_no_cache_key_is_sent_without_a_session(api: str) -> None:
    request = replace(HELLO, max_output=1_000_000, session="")
    with WireServer([Reply("ok")]) as server:
        hear(speak(api, server.url, model=replace(MODEL, reasoning=False)), request)
        body = server.bodies[0]
    limit = body.get("max_tokens", body.get("max_output_tokens"))
    assert (limit, "prompt_cache_key" in body, "include" in body) == (8_000, False, False)


@pytest.mark.parametrize("api", APIS)
def test_the_same_request_is_the_same_bytes(api: str) -> None:
    request = CASES["parallel calls, a failed result, results first, then notes"][0]
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        hear(speak(api, server.url), request)
        hear(speak(api, server.url), request)
        first, second = server.requests
    assert first.raw == second.raw
    assert json.loads(first.raw) == first.body
    assert {name: first.headers[name] for name in first.headers if name != "host"} == {
        name: second.headers[name] for name in second.headers if name != "host"
    }


def test_the_system_prompt_may_be_cached_for_an_hour() -> None:
    with WireServer([Reply("ok")]) as server:
        hear(speak("messages", server.url, long_cache=True))
        assert server.bodies[0]["system"] == [text("Be brief.") | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]


def test_doctor_asks_the_provider_to_count_tokens() -> None:
    with WireServer() as server:
        counted = speak("messages", server.url).count(HELLO)
        sent = server.exchanges[0]
    assert sent.path == "/v1/messages/count_tokens"
    assert set(sent.body) == {"model", "messages", "system"}
    assert counted == len(json.dumps(sent.body)) // 4


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_doctor_asks_for_the_list_of_models(api: str) -> None:
    with WireServer(models=["a", "wire-model"]) as server:
        assert speak(api, server.url).listed() == ("a", "wire-model")
        assert [(exchange.method, exchange.path) for exchange in server.exchanges] == [("GET", "/models")]


@pytest.mark.parametrize(("api", "question"), [("messages", "count"), ("chat", "listed"), ("responses", "listed")])
def test_a_doctor_request_is_not_retried_and_its_refusal_is_shown(api: str, question: str) -> None:
    provider = speak(api, "http://127.0.0.1:9")
    ask = getattr(provider, question)
    with pytest.raises(Unreachable, match=r"nothing answers at http://127\.0\.0\.1:9$"):
        ask(HELLO) if question == "count" else ask()
