"""OpenAI's responses API without server-side state: encrypted reasoning is sent back with the call it led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import Reply, StopReason, ToolCall, ToolResult, Usage
from ctxe.domain.model import CallDelta, Delta, Image, Message, Model, ReasoningDelta, Request, Text, TextDelta
from ctxe.providers import faults
from ctxe.providers.draft import Draft, Slot, usage_of, words
from ctxe.providers.echo import layout, legal_id, legal_json, legal_name, placed
from ctxe.providers.faults import RequestFault
from ctxe.providers.pictures import Look, no_picture, unseen_line, url
from ctxe.providers.retry import persist
from ctxe.providers.sealed import Seals
from ctxe.providers.transport import Transport

LEAST_OUTPUT = 16
"""The smallest max_output_tokens that the API accepts."""


class Responses:
    """One model behind the responses API. ``cache_key``: the host knows prompt_cache_key."""

    def __init__(self, model: Model, transport: Transport, *, cache_key: bool = True, look: Look = no_picture) -> None:
        self.model, self.transport, self.cache_key, self.look = model, transport, cache_key, look
        self._seals = Seals()

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas, then the reply (see Provider)."""
        return persist(lambda: self._seals.ask(request, self._attempt), self.transport.patience)

    def listed(self) -> tuple[str, ...]:
        """The names of the host's models, free of charge. Raises ProviderError."""
        try:
            return self.transport.listed("/models")
        except RequestFault as fault:
            raise fault.error from None

    def _attempt(self, request: Request) -> Iterator[Delta | Reply]:
        draft = Draft()
        sent = body(request, self.model, cache_key=self.cache_key, look=self.look)
        deltas = read(self.transport.events("/responses", sent), draft, self.transport)
        return draft.finish(deltas, self.transport.endpoint, request, self.model.id)


def body(request: Request, model: Model, *, cache_key: bool = True, look: Look = no_picture) -> dict[str, Any]:
    """The body of a request to the responses API; the provider stores nothing."""
    items = [item for message in request.messages for item in _items(message, model, look)]
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": False,
        }
        for tool in request.tools
    ]
    limit = max(LEAST_OUTPUT, min(request.max_output, model.max_output))
    system = "\n\n".join(text for text in request.system if text.strip())
    sent: dict[str, Any] = {"model": model.name, "store": False, "stream": True, "max_output_tokens": limit}
    sent |= {"include": ["reasoning.encrypted_content"]} if model.reasoning else {}
    sent |= {"reasoning": {"effort": request.effort}} if request.effort else {}
    sent |= {"prompt_cache_key": request.session} if cache_key and request.session else {}
    sent |= {"instructions": system} if system else {}
    sent |= {"tools": tools} if tools else {}
    return sent | {"input": items}


def _items(message: Message, model: Model, look: Look) -> Iterator[dict[str, Any]]:
    if message.role == "user":
        for block in message.blocks:
            if isinstance(block, ToolResult):
                parts = (
                    [_content_part(Text(block.text), look), _content_part(Image(block.picture), look)]
                    if block.picture
                    else None
                )
                output = parts or block.text
                yield {"type": "function_call_output", "call_id": legal_id(block.call_id), "output": output}
        shown = [part for part in message.blocks if isinstance(part, Image) or (isinstance(part, Text) and part.text)]
        if shown:
            yield {"role": "user", "content": [_content_part(block, look) for block in shown]}
        return
    reasoning: list[dict[str, Any]] = []
    phase: Mapping[str, Any] = {}
    for part in placed(message.blocks, model.id):
        if isinstance(part, Mapping) and "type" not in part:
            phase = part
        elif isinstance(part, Mapping):
            reasoning.append(dict(part))  # the API refuses reasoning without the item it led to
        elif item := _assistant_item(part):
            yield from reasoning
            reasoning.clear()
            if isinstance(part, Text):
                item, phase = {**item, **phase}, {}
            yield item


def _content_part(block: Text | Image, look: Look) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text}
    if not (data := look(block.picture)):
        return {"type": "input_text", "text": unseen_line(block.picture)}
    return {"type": "input_image", "image_url": url(block.picture, data)}


def _assistant_item(block: Text | ToolCall) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return {"role": "assistant", "content": block.text} if block.text else None
    name, arguments = legal_name(block.name), legal_json(block.arguments)
    return {"type": "function_call", "call_id": legal_id(block.id), "name": name, "arguments": arguments}


def read(events: Iterator[Mapping[str, Any]], draft: Draft, transport: Transport) -> Iterator[Delta]:
    """The deltas of the events of one answer, which is collected in ``draft``. Raises RequestFault."""
    items: list[Mapping[str, Any]] = []
    sizes: dict[Any, Slot] = {}
    for event in events:
        match event.get("type"):
            case "response.output_text.delta" | "response.refusal.delta":
                yield TextDelta(words(event.get("delta")))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield ReasoningDelta(words(event.get("delta")))
            case "response.output_item.added" if (event.get("item") or {}).get("type") == "function_call":
                sizes[event.get("output_index")] = Slot(name=str(event["item"].get("name") or ""))
            case "response.function_call_arguments.delta" if event.get("output_index") in sizes:
                slot = sizes[event.get("output_index")]
                slot.write(words(event.get("delta")))
                yield CallDelta(slot.name, slot.size)
            case "response.output_item.done":
                items.append(event.get("item") or {})
            case "response.completed" | "response.incomplete":
                _finish(event.get("response") or {}, items, draft)
            case "response.failed":
                error = (event.get("response") or {}).get("error")
                raise faults.of_event(transport.endpoint, error, transport.patience.now())
            case "error":
                raise faults.of_event(transport.endpoint, event.get("error") or event, transport.patience.now())


def _finish(response: Mapping[str, Any], items: Sequence[Mapping[str, Any]], draft: Draft) -> None:
    """Fill the draft from the streamed items, or else from the final copy, which some gateways leave empty."""
    parts: list[str | Slot | Mapping[str, Any]] = []
    refused = False
    for item in items or response.get("output") or ():
        match item.get("type"):
            case "message":
                parts += [{"phase": item["phase"]}] if item.get("phase") else []
                for part in item.get("content") or ():
                    refused = refused or part.get("type") == "refusal"
                    text = words(part.get("text")) or words(part.get("refusal"))
                    parts.append(text)
                    draft.text.append(text)
            case "function_call":
                slot = Slot(str(item.get("call_id") or ""), str(item.get("name") or ""))
                slot.write(words(item.get("arguments")))
                draft.slots.append(slot)
                parts.append(slot)
            case "reasoning" if item.get("encrypted_content"):
                keys = ("type", "id", "summary", "encrypted_content")
                parts.append({key: item[key] for key in keys if key in item})
    draft.seal = lambda calls: _seal(parts, draft.slots, calls)
    draft.usage = _usage(response.get("usage"))
    draft.stop = _stop(response, refused=refused)


def _seal(parts: Sequence[str | Slot | Mapping[str, Any]], slots: Sequence[Slot], calls: Sequence[ToolCall]) -> str:
    calls_by_slot = {id(slot): call for slot, call in zip(slots, calls, strict=False)}
    sent_parts = (calls_by_slot.get(id(part)) if isinstance(part, Slot) else part for part in parts)
    return layout([part for part in sent_parts if part is not None])


def _stop(response: Mapping[str, Any], *, refused: bool) -> StopReason:
    reason = (response.get("incomplete_details") or {}).get("reason")
    if reason == "content_filter":
        return "filtered"
    if response.get("status") == "incomplete":
        return "length"
    return "refusal" if refused else "end"


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("input_tokens_details") or {}
    read, write = details.get("cached_tokens"), details.get("cache_write_tokens")
    return usage_of(usage.get("input_tokens"), usage.get("output_tokens"), read, write)
