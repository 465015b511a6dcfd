"""Refuses what the real hosts answer with a 400: calls without results, illegal names, empty blocks, too many marks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

THOUGHTS = ("thinking", "redacted_thinking")
REASONING = re.compile(r"deepseek-v4|kimi-k[23]")
"""Models whose hosts refuse an assistant message without its reasoning."""
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def refusal(api: str, body: Mapping[str, Any]) -> str:
    """The message of the 400 that the real host would answer with; empty when the request is fine."""
    check = {"chat": _chat, "responses": _responses, "messages": _messages}[api]
    return next(check(body), "")


def _chat(body: Mapping[str, Any]) -> Iterator[str]:
    open_calls: list[str] = []
    for at, message in enumerate(body.get("messages", ())):
        yield from _chat_parts(at, message)
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"messages[{at}]: tool result {message['tool_call_id']!r} without a preceding tool call"
                return
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            yield f"messages[{at}]: tool_calls {open_calls} must be followed by tool messages"
        calls = message.get("tool_calls") or ()
        needs = message["role"] == "assistant" and REASONING.search(str(body.get("model")))
        if needs and not str(message.get("reasoning_content") or "").strip():
            yield f"messages[{at}]: The `reasoning_content` in the thinking mode must be passed back to the API."
        if message["role"] == "assistant" and not calls and not message.get("content"):
            yield f"messages[{at}]: an assistant message needs content or tool_calls"
        open_calls = [call["id"] for call in calls]
        yield from _ids_and_names(at, open_calls, [call["function"]["name"] for call in calls])
        yield from _of_single_hosts(at, str(body.get("model")), body["messages"])
    if open_calls:
        yield f"tool_calls {open_calls} have no tool messages"
    yield from _names("tools", [tool["function"]["name"] for tool in body.get("tools", ())])


def _of_single_hosts(at: int, model: str, messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Additional refusals of Mistral and Gemini."""
    message, before = messages[at], messages[at - 1]["role"] if at else ""
    calls = message.get("tool_calls") or ()
    if "devstral" in model:
        if message["role"] == "user" and before in ("tool", "user"):
            yield f"messages[{at}]: Unexpected role 'user' after role {before!r}"
        if not all(re.fullmatch(r"[a-zA-Z0-9]{9}", call["id"]) for call in calls):
            yield f"messages[{at}]: Tool call id must be a-z, A-Z, 0-9, with a length of 9"
    if model.startswith("gemini-3") and calls and not calls[0].get("extra_content"):
        yield f"messages[{at}]: Function call is missing a thought_signature in functionCall parts"


def _chat_parts(at: int, message: Mapping[str, Any]) -> Iterator[str]:
    """Content given as parts: only user messages may contain pictures."""
    parts = message.get("content")
    for part in parts if isinstance(parts, list) else ():
        if part["type"] == "image_url" and (message["role"] != "user" or not _data_url(part["image_url"]["url"])):
            yield f"messages[{at}]: Invalid image part"
        if part["type"] not in ("text", "image_url") or (part["type"] == "text" and not part["text"]):
            yield f"messages[{at}]: Invalid content part {part['type']!r}"


def _data_url(address: str) -> bool:
    head, _, data = address.partition(",")
    return head.startswith("data:image/") and head.endswith(";base64") and _base64(data)


def _base64(data: str) -> bool:
    try:
        return bool(base64.b64decode(data, validate=True))
    except ValueError:
        return False


def _responses(body: Mapping[str, Any]) -> Iterator[str]:
    open_calls: list[str] = []
    for at, item in enumerate(body.get("input", ())):
        parts = item.get("output") if item.get("type") == "function_call_output" else item.get("content")
        for part in parts if isinstance(parts, list) else ():
            if part["type"] == "input_image" and not _data_url(part["image_url"]):
                yield f"input[{at}]: Invalid image"
        if item.get("type") == "function_call":
            open_calls.append(item["call_id"])
            yield from _ids_and_names(at, open_calls, [item["name"]])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in open_calls:
                yield f"No tool call found for function call output with call_id {item['call_id']}"
                return
            open_calls.remove(item["call_id"])
        elif open_calls and item.get("role") == "user":
            yield f"No tool output found for function call {open_calls[0]}"
    if open_calls:
        yield f"No tool output found for function call {open_calls[0]}"
    yield from _names("tools", [tool["name"] for tool in body.get("tools", ())])


def _messages(body: Mapping[str, Any]) -> Iterator[str]:
    if json.dumps([body.get("system"), body.get("tools"), body.get("messages")]).count('"cache_control"') > 4:
        yield "A maximum of 4 blocks with cache_control may be provided"
    yield from _thinking(body)
    open_calls: list[str] = []
    for at, message in enumerate(body.get("messages", ())):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        yield from _message(at, message["role"], blocks, open_calls)
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if open_calls:
        yield f"`tool_use` ids were found without `tool_result` blocks: {open_calls}"
    yield from _names("tools", [tool["name"] for tool in body.get("tools", ())])


def _thinking(body: Mapping[str, Any]) -> Iterator[str]:
    """The thinking budget is below ``max_tokens``, and thinking is not switched on or off in the middle of work."""
    asked = body.get("thinking") or {}
    if asked.get("type") == "enabled" and not 1_024 <= asked["budget_tokens"] < body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`"
    older = "-4-5" in str(body.get("model"))
    first = _first_of_work(body.get("messages", ()))
    thought = first is not None and _types(first)[:1] in ([kind] for kind in THOUGHTS)
    if first is not None and asked.get("type") == "enabled" and not thought:
        yield "a final `assistant` message must start with a thinking block: expected `thinking`, found `tool_use`"
    if thought and older and not asked:
        yield "When thinking is disabled, an `assistant` message in the final position cannot contain `thinking`"


def _first_of_work(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first answer of the work whose results come last; None when the last message is only the user's words."""
    found = None
    for n in range(len(messages) - 1, -1, -1):
        if messages[n]["role"] == "assistant":
            found = messages[n]
        elif "tool_result" not in _types(messages[n]):
            if n and messages[n - 1]["role"] == "user":
                continue
            break
    return found


def _types(message: Mapping[str, Any]) -> list[str]:
    return ["text"] if isinstance(message["content"], str) else [block["type"] for block in message["content"]]


def _message(at: int, role: str, blocks: Sequence[Mapping[str, Any]], open_calls: list[str]) -> Iterator[str]:
    results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    if sorted(results) != sorted(open_calls):
        yield f"messages.{at}: `tool_use` ids {open_calls} and `tool_result` ids {results} do not match"
    if [block["type"] for block in blocks[: len(results)]].count("tool_result") != len(results):
        yield f"messages.{at}: `tool_result` blocks must stand first"
    if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
        yield f"messages.{at}: text content blocks must contain non-whitespace text"
    inner = [part for block in blocks if isinstance(block.get("content"), list) for part in block["content"]]
    pictures = [part for part in (*blocks, *inner) if part["type"] == "image"]
    if pictures and (role != "user" or not all(_pictured(part["source"]) for part in pictures)):
        yield f"messages.{at}: Could not process image"
    calls = [block for block in blocks if block["type"] == "tool_use"]
    if calls and role != "assistant":
        yield f"messages.{at}: `tool_use` blocks can only be in assistant messages"
    yield from _ids_and_names(at, [call["id"] for call in calls], [call["name"] for call in calls])


def _pictured(source: Mapping[str, Any]) -> bool:
    kinds = ("image/png", "image/jpeg", "image/gif", "image/webp")
    return source["type"] == "base64" and source["media_type"] in kinds and _base64(source["data"])


def _ids_and_names(at: int, ids: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    if len(set(ids)) != len(ids) or not all(ids):
        yield f"messages.{at}: call ids must be unique and not empty: {list(ids)}"
    yield from _names(f"messages.{at}", names)


def _names(where: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{where}: tool name {name!r} does not match '^[a-zA-Z0-9_-]{{1,64}}$'"
