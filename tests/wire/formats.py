"""The three wire formats: a scripted reply as the frames of a server-sent event stream, one frame per event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.wire.script import Call, Reply, Usage

CREATED = 1_750_000_000
Frame = bytes

CHAT_STOPS = {"end": "stop", "tools": "tool_calls", "length": "length", "filtered": "content_filter", "refusal": "stop"}
MESSAGE_STOPS = {"end": "end_turn", "tools": "tool_use", "length": "max_tokens", "refusal": "refusal"}


def frames(api: str, reply: Reply, body: Mapping[str, Any], number: int) -> list[Frame]:
    """All frames of one reply, the terminal ones last."""
    form: Callable[..., Iterator[Frame]] = {"chat": chat, "responses": responses, "messages": messages}[api]
    return list(form(reply, body, number))


def error_frame(api: str) -> Frame:
    """An error event as each API sends it inside a 200 stream."""
    if api == "chat":
        return _data({"error": {"message": "The server had an error", "type": "server_error", "code": None}})
    if api == "responses":
        error = {"type": "error", "code": "server_error", "message": "The server had an error", "param": None}
        return _event({**error, "sequence_number": 99})
    return _event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def usage_of(reply: Reply, body: Mapping[str, Any]) -> Usage | None:
    """The usage to report; "auto" is computed from the request."""
    if reply.usage != "auto":
        return reply.usage
    written = len(reply.text) + sum(len(arguments_of(call)) for call in reply.calls)
    return Usage(input=len(json.dumps(body)) // 4 + 1, output=written // 4 + 1)


def arguments_of(call: Call) -> str:
    """The arguments as text on the wire."""
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)


def call_id(call: Call, prefix: str, number: int, index: int) -> str:
    """The id of a call: its own, or one unique to this server."""
    return f"{prefix}{number}_{index}" if call.id is None else call.id


def pieces(text: str, size: int) -> Iterator[str]:
    """The text in deltas of at most ``size`` characters."""
    return (text[start : start + size] for start in range(0, len(text), size))


def _data(value: Mapping[str, Any]) -> Frame:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _event(value: Mapping[str, Any]) -> Frame:
    return b"event: " + str(value["type"]).encode() + b"\n" + _data(value)


# -- chat completions ------------------------------------------------------------------------------------------------


def chat(reply: Reply, body: Mapping[str, Any], number: int) -> Iterator[Frame]:
    """Chat completion chunks; the usage chunk only when the request asked for it."""

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> Frame:
        return _data(base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    base = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": body.get("model", ""),
    }
    yield chunk({"role": "assistant", "content": None if reply.calls and not reply.text else ""})
    for part in pieces(reply.reasoning, reply.piece):
        yield chunk({"reasoning_content": part})
    key = "refusal" if reply.stop == "refusal" else "content"
    for part in pieces(reply.text, reply.piece):
        yield chunk({key: part})
    for index, call in enumerate(reply.calls):
        for delta in _chat_call(call, reply, number, index):
            yield chunk({"tool_calls": [delta]})
    yield chunk({}, CHAT_STOPS.get(reply.stopped, reply.stopped))
    usage = usage_of(reply, body)
    if usage and (body.get("stream_options") or {}).get("include_usage"):
        yield _data(base | {"choices": [], "usage": chat_usage(usage)})
    yield b"data: [DONE]\n\n"


def _chat_call(call: Call, reply: Reply, number: int, index: int) -> Iterator[dict[str, Any]]:
    place: dict[str, Any] = {"index": index} if reply.indexed else {}
    name = call_id(call, "call_", number, index)
    first: dict[str, Any] = {"type": "function", "function": {"name": call.name, "arguments": ""}}
    if not reply.indexed:  # such servers send each call whole
        first["function"]["arguments"] = arguments_of(call)
        yield place | ({"id": name} if name else {}) | first
        return
    yield place | ({"id": name} if name else {}) | first
    for part in pieces(arguments_of(call), reply.piece):
        yield place | {"function": {"arguments": part}}


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Usage as chat completions count it: prompt tokens include the cached ones."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": 0},
        **({} if usage.cost is None else {"cost": usage.cost, "cost_details": {"upstream_inference_cost": None}}),
    }


# -- responses -------------------------------------------------------------------------------------------------------


def responses(reply: Reply, body: Mapping[str, Any], number: int) -> Iterator[Frame]:
    """Events of the responses API, numbered in order, with the whole response at the end."""
    for order, event in enumerate(_response_events(reply, body, number)):
        yield _event({**event, "sequence_number": order})


def _response_events(reply: Reply, body: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    whole: dict[str, Any] = {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": CREATED,
        "model": body.get("model", ""),
        "status": "in_progress",
        "output": [],
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "error": None,
        "incomplete_details": None,
        "usage": None,
    }
    yield {"type": "response.created", "response": whole}
    yield {"type": "response.in_progress", "response": whole}
    items = _response_items(reply, number)
    for index, item in enumerate(items):
        yield from _item_events(item, index, reply.piece)
    usage = usage_of(reply, body)
    ended = {
        "length": ("incomplete", {"reason": "max_output_tokens"}),
        "filtered": ("incomplete", {"reason": "content_filter"}),
    }
    status, why = ended.get(reply.stopped, ("completed", None))
    output = [item | ({"status": status} if item["type"] != "reasoning" else {}) for item in items]
    done = whole | {"status": status, "incomplete_details": why, "output": output}
    yield {"type": f"response.{status}", "response": done | {"usage": response_usage(usage) if usage else None}}


def _response_items(reply: Reply, number: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        sealed = f"sealed-{number}"
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, "encrypted_content": sealed})
    if reply.text:
        kind = {"type": "refusal", "refusal": reply.text}
        part = kind if reply.stop == "refusal" else {"type": "output_text", "text": reply.text, "annotations": []}
        message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
        items.append(message | {"content": [part]})
    for index, call in enumerate(reply.calls):
        known = {"id": f"fc_{number}_{index}", "call_id": call_id(call, "call_", number, index)}
        made = {"type": "function_call", "name": call.name, "arguments": arguments_of(call), "status": "completed"}
        items.append(made | known)
    return items


def _item_events(item: dict[str, Any], index: int, piece: int) -> Iterator[dict[str, Any]]:
    at = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "function_call":
        started = item | {"arguments": "", "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": started}
        for part in pieces(item["arguments"], piece):
            yield {"type": "response.function_call_arguments.delta", **at, "delta": part}
        yield {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"]}
    elif item["type"] == "reasoning":
        yield {"type": "response.output_item.added", "output_index": index, "item": item | {"summary": []}}
        for part in pieces(item["summary"][0]["text"], piece):
            yield {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": part}
    else:
        yield {"type": "response.output_item.added", "output_index": index, "item": item | {"content": []}}
        yield from _part_events(item["content"][0], {**at, "content_index": 0}, piece)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _part_events(part: dict[str, Any], at: dict[str, Any], piece: int) -> Iterator[dict[str, Any]]:
    key, name = ("refusal", "refusal") if part["type"] == "refusal" else ("text", "output_text")
    yield {"type": "response.content_part.added", **at, "part": part | {key: ""}}
    for text in pieces(part[key], piece):
        yield {"type": f"response.{name}.delta", **at, "delta": text} | ({"logprobs": []} if key == "text" else {})
    yield {"type": f"response.{name}.done", **at, key: part[key]} | ({"logprobs": []} if key == "text" else {})
    yield {"type": "response.content_part.done", **at, "part": part}


def response_usage(usage: Usage) -> dict[str, Any]:
    """Usage as the responses API counts it: input tokens include the cached ones."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }


# -- messages --------------------------------------------------------------------------------------------------------


def messages(reply: Reply, body: Mapping[str, Any], number: int) -> Iterator[Frame]:
    """Events of the messages API, whose input tokens exclude the cached ones."""
    usage = usage_of(reply, body)
    start: dict[str, Any] = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", ""),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": message_usage(usage or Usage()) | {"output_tokens": 1 if usage else 0},
    }
    yield _event({"type": "message_start", "message": start})
    yield _event({"type": "ping"})
    for index, (block, deltas) in enumerate(_message_blocks(reply, number)):
        yield _event({"type": "content_block_start", "index": index, "content_block": block})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    stop = MESSAGE_STOPS.get(reply.stopped, reply.stopped)
    counted = {"output_tokens": usage.output if usage else 0}
    yield _event({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": counted})
    yield _event({"type": "message_stop"})


def signature(number: int) -> str:
    """The signature of the thoughts in answer ``number``."""
    return f"sealed-{number}"


def _message_blocks(reply: Reply, number: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if reply.reasoning:
        thoughts = [{"type": "thinking_delta", "thinking": part} for part in pieces(reply.reasoning, reply.piece)]
        sealed = {"type": "signature_delta", "signature": signature(number)}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, sealed]
    if reply.text:
        texts = [{"type": "text_delta", "text": part} for part in pieces(reply.text, reply.piece)]
        yield {"type": "text", "text": ""}, texts
    for index, call in enumerate(reply.calls):
        parts = [{"type": "input_json_delta", "partial_json": part} for part in pieces(arguments_of(call), reply.piece)]
        known = call_id(call, "toolu_", number, index)
        yield {"type": "tool_use", "id": known, "name": call.name, "input": {}}, parts


def message_usage(usage: Usage) -> dict[str, Any]:
    """Usage as the messages API counts it: input tokens exclude the cached ones."""
    return {
        "input_tokens": usage.input - usage.cache_read - usage.cache_write,
        "output_tokens": usage.output,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
    }
