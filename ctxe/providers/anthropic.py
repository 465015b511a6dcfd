"""Anthropic's messages API: requests with cache breakpoints, and thinking blocks that are sent back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import Reply, StopReason, ToolCall, ToolResult, Usage
from ctxe.domain.model import Billed, CallDelta, Delta, Image, Message, Model, ReasoningDelta, Request, Text, TextDelta
from ctxe.domain.value import dataclass, field
from ctxe.providers import faults
from ctxe.providers.draft import Draft, Slot, tokens, usage_of, words
from ctxe.providers.echo import layout, legal_arguments, legal_id, legal_name, placed
from ctxe.providers.efforts import THINKING_TYPES, thinking, thoughtless
from ctxe.providers.faults import RequestFault
from ctxe.providers.pictures import Look, no_picture, unseen_line
from ctxe.providers.retry import persist
from ctxe.providers.sealed import Seals
from ctxe.providers.transport import Transport

STOPS: Mapping[str, StopReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
"""Stop reasons that are not a normal end, as all others are (end_turn, tool_use, stop_sequence, pause_turn, ...)."""
MARKS, REACH = 4, 15
"""Cache breakpoints per request, and the most blocks between two of them: a lookup goes back at most 20 blocks."""


class Anthropic:
    """One Claude model. ``long_cache`` caches the system prompt for an hour, at twice the write price."""

    def __init__(
        self, model: Model, transport: Transport, *, long_cache: bool = False, look: Look = no_picture
    ) -> None:
        self.model, self.transport, self.long_cache, self.look = model, transport, long_cache, look
        self._seals = Seals()

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas, then the reply (see Provider)."""
        return persist(lambda: self._seals.ask(request, self._attempt), self.transport.patience)

    def count(self, request: Request) -> int:
        """Tokens of a request, counted by the provider. Raises ProviderError."""
        request_body = body(request, self.model, long_cache=self.long_cache, look=self.look)
        try:
            answer = self.transport.ask(
                "/v1/messages/count_tokens",
                {key: request_body[key] for key in request_body if key not in ("max_tokens", "stream")},
            )
        except RequestFault as fault:
            raise fault.error from None
        return int(answer.get("input_tokens") or 0)

    def _attempt(self, request: Request) -> Iterator[Delta | Reply]:
        draft = Draft()
        request_body = body(request, self.model, long_cache=self.long_cache, look=self.look)
        events = self.transport.events("/v1/messages", request_body)
        deltas = read(events, draft, self.transport)
        return draft.finish(deltas, self.transport.endpoint, request, self.model.id)


def body(request: Request, model: Model, *, long_cache: bool = False, look: Look = no_picture) -> dict[str, Any]:
    """The body of a request to the messages API."""
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
        for tool in request.tools
    ]
    system: list[dict[str, Any]] = [{"type": "text", "text": text} for text in request.system if text.strip()]
    messages = [message for message in (_message(message, model, look) for message in request.messages) if message]
    limit = min(request.max_output, model.max_output)
    thinking_fields = thinking(request.effort, model, limit, messages)
    if model.budgeted and not thinking_fields:
        messages = thoughtless(messages)
    cache_control = {"type": "ephemeral", "ttl": "1h"} if long_cache else {"type": "ephemeral"}
    for last in (system or tools)[-1:]:
        last["cache_control"] = cache_control
    first_blocks = request.messages[0].blocks[: request.settled_blocks] if request.messages else ()
    settled = sum(isinstance(block, Text) and bool(block.text.strip()) for block in first_blocks)
    breakpoints = mark(
        [block for message in messages for block in message["content"]], MARKS - bool(system or tools), settled
    )
    for shared in system[-2:-1] if breakpoints + 1 < MARKS else ():
        shared["cache_control"] = cache_control  # the last block, the memory, differs between sessions and after folds
    request_body: dict[str, Any] = {"model": model.name, "max_tokens": limit, **thinking_fields}
    request_body |= {"system": system} if system else {}
    request_body |= {"tools": tools} if tools else {}
    return request_body | {"messages": messages, "stream": True}


def mark(blocks: Sequence[dict[str, Any]], marks: int, settled: int = 0) -> int:
    """Set cache breakpoints on the last block and then every REACH blocks backwards. Returns how many were set.

    The next request then finds the cached prefix even after a step with many parallel calls. One breakpoint goes to the
    end of the first ``settled`` blocks, so that the request after a fold finds these too.
    """
    position, count = len(blocks), 0
    if 0 < settled < position and marks > 1:
        blocks[settled - 1]["cache_control"] = {"type": "ephemeral"}
        count = 1
    while count < marks:
        reach = range(max(0, position - REACH), position) if position < len(blocks) else range(len(blocks) - 1, -1, -1)
        place = next((index for index in reach if blocks[index]["type"] not in THINKING_TYPES), None)
        if place is None:
            break
        blocks[place]["cache_control"] = {"type": "ephemeral"}
        position, count = place, count + 1
        if place <= REACH:
            break
    return count


def _message(message: Message, model: Model, look: Look) -> dict[str, Any] | None:
    if message.role == "user":
        results = [_result(block, look) for block in message.blocks if isinstance(block, ToolResult)]
        shown = [block for block in message.blocks if isinstance(block, Text | Image)]
        content = [*results, *filter(None, (_content_block(block, look) for block in shown))]
    else:
        content = [block for block in map(_assistant_block, placed(message.blocks, model.id)) if block]
        if all(block["type"] in THINKING_TYPES for block in content):
            return None
    return {"role": message.role, "content": content} if content else None


def _result(result: ToolResult, look: Look) -> dict[str, Any]:
    content: Any = result.text
    if result.picture:
        content = [{"type": "text", "text": result.text or "-"}, _content_block(Image(result.picture), look)]
    block = {"type": "tool_result", "tool_use_id": legal_id(result.call_id), "content": content}
    return block if result.ok else block | {"is_error": True}


def _content_block(block: Text | Image, look: Look) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text} if block.text.strip() else None
    if not (data := look(block.picture)):
        return {"type": "text", "text": unseen_line(block.picture)}
    source = {"type": "base64", "media_type": block.picture.media, "data": data}
    return {"type": "image", "source": source}


def _assistant_block(block: Text | ToolCall | Mapping[str, Any]) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return _content_block(block, no_picture)
    if isinstance(block, ToolCall):
        name = legal_name(block.name)
        return {"type": "tool_use", "id": legal_id(block.id), "name": name, "input": legal_arguments(block.arguments)}
    return dict(block)


@dataclass(slots=True)
class _Block:
    """A content block that is being streamed; ``parts`` are its texts."""

    kind: str
    raw: dict[str, Any]
    parts: list[str] = field(default_factory=list)
    slot: Slot | None = None


def read(events: Iterator[Mapping[str, Any]], draft: Draft, transport: Transport) -> Iterator[Delta]:
    """The deltas of the events of one answer, which is collected in ``draft``. Raises RequestFault."""
    blocks: dict[Any, _Block] = {}
    usage: dict[str, Any] = {}
    draft.seal = lambda calls: _seal(list(blocks.values()), draft.slots, calls)
    stop: StopReason = "end"
    for event in events:
        match event.get("type"):
            case "message_start":
                usage |= (event.get("message") or {}).get("usage") or {}
                if reported := _usage(usage):
                    yield Billed(reported)
            case "content_block_start":
                blocks[event.get("index")] = _start(event.get("content_block") or {}, draft)
            case "content_block_delta" if event.get("index") in blocks:
                yield from _delta(event.get("delta") or {}, blocks[event.get("index")], draft)
            case "message_delta":
                usage |= {key: value for key, value in (event.get("usage") or {}).items() if value is not None}
                stop = STOPS.get(str((event.get("delta") or {}).get("stop_reason")), stop)
            case "message_stop":
                draft.stop, draft.usage = stop, _usage(usage)
            case "error":
                raise faults.of_event(transport.endpoint, event.get("error"), transport.patience.now())


def _start(raw: Mapping[str, Any], draft: Draft) -> _Block:
    block = _Block(str(raw.get("type")), dict(raw))
    if block.kind == "tool_use":
        block.slot = Slot(str(raw.get("id") or ""), str(raw.get("name") or ""))
        if raw.get("input"):  # some imitations of this API send the arguments at once
            block.slot.write(json.dumps(raw["input"], ensure_ascii=False))
        draft.slots.append(block.slot)
    elif block.kind == "text" and words(raw.get("text")):
        block.parts.append(raw["text"])
        draft.text.append(raw["text"])
    return block


def _delta(delta: Mapping[str, Any], block: _Block, draft: Draft) -> Iterator[Delta]:
    match delta.get("type"):
        case "text_delta":
            block.parts.append(words(delta.get("text")))
            draft.text.append(block.parts[-1])
            yield TextDelta(block.parts[-1])
        case "input_json_delta" if block.slot:
            block.slot.write(words(delta.get("partial_json")))
            yield CallDelta(block.slot.name, block.slot.size)
        case "thinking_delta":
            block.parts.append(words(delta.get("thinking")))
            yield ReasoningDelta(block.parts[-1])
        case "signature_delta":
            block.raw["signature"] = words(delta.get("signature"))


def _seal(blocks: Sequence[_Block], slots: Sequence[Slot], calls: Sequence[ToolCall]) -> str:
    """The carry, without thinking that has no signature, which the API would refuse."""
    calls_by_slot = {id(slot): call for slot, call in zip(slots, calls, strict=False)}
    parts: list[str | ToolCall | Mapping[str, Any]] = []
    for block in blocks:
        if block.kind == "text":
            parts.append("".join(block.parts))
        elif block.slot and id(block.slot) in calls_by_slot:
            parts.append(calls_by_slot[id(block.slot)])
        elif block.kind == "redacted_thinking":
            parts.append(block.raw)
        elif block.kind == "thinking" and block.raw.get("signature"):
            parts.append(block.raw | {"thinking": words(block.raw.get("thinking")) + "".join(block.parts)})
    return layout(parts)


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    """Usage with the cached tokens as part of the input, which the API reports separately.

    Tokens written to the cache are also counted by how long they are kept, which changes the price.
    """
    read, write = tokens(usage.get("cache_read_input_tokens")), tokens(usage.get("cache_creation_input_tokens"))
    by_duration = usage.get("cache_creation")
    hour = by_duration.get("ephemeral_1h_input_tokens") if isinstance(by_duration, Mapping) else 0
    return usage_of(tokens(usage.get("input_tokens")) + read + write, usage.get("output_tokens"), read, write, hour)
