"""OpenAI's chat completions, as compatible servers speak them: with or without usage, indices and ids of calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from ctxe.domain.conversation import Reply, StopReason, ToolCall, ToolResult, Usage
from ctxe.domain.errors import BadRequest
from ctxe.domain.model import CallDelta, Delta, Message, Model, ReasoningDelta, Request, Text, TextDelta, ToolSchema
from ctxe.providers import faults
from ctxe.providers.draft import Draft, Slot, is_object, usage_of
from ctxe.providers.echo import carried, legal_id, legal_json, legal_name
from ctxe.providers.faults import Fault
from ctxe.providers.retry import persist
from ctxe.providers.think import Thinking
from ctxe.providers.transport import Transport

FILTERED = ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive")
LENGTH = ("length", "max_tokens", "model_length", "max_output_tokens")
FAILED = ("error", "network_error", "insufficient_system_resource", "abort", "function_call_filter")
"""Finish reasons of hosts whose own side failed (OpenRouter, GLM, DeepSeek, vLLM, Gemini)."""
UNSIGNED = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}
"""What Gemini accepts in place of a signature for calls that it did not make (ai.google.dev, thought signatures)."""
OPTIONAL = ("stream_options", "max_tokens")
"""Fields that a server may refuse: usage is then left unreported, the limit named max_completion_tokens."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What single hosts want of a request beyond the common form.

    ``echo_reasoning``: the model's own reasoning comes back (DeepSeek, Moonshot, MiniMax). ``mistral``: the rules of
    Mistral's API and chat templates, ids of nine characters and no words of the user straight after tool results.
    ``signed_calls``: the first call of each message bears a signature, Google's placeholder where another model made
    it (Gemini). ``marked``: the host caches only what is asked for (OpenRouter for Claude).
    """

    echo_reasoning: bool = False
    mistral: bool = False
    signed_calls: bool = False
    marked: bool = False


class Chat:
    """One model behind a chat completions endpoint."""

    def __init__(self, model: Model, transport: Transport, habits: Habits = Habits()) -> None:
        self.model, self.transport, self.habits = model, transport, habits
        self._refused: set[str] = set()

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas, then the reply (see Provider)."""
        return persist(lambda: self._tolerant(request), self.transport.patience)

    def listed(self) -> tuple[str, ...]:
        """The names of the host's models, by one question that costs nothing. Raises ProviderError."""
        try:
            return self.transport.listed("/models")
        except Fault as fault:
            raise fault.error from None

    def _tolerant(self, request: Request) -> Iterator[Delta | Reply]:
        """One attempt, and one more for each optional field that the server turns out not to know."""
        while True:
            try:
                yield from self._attempt(request)
                return
            except Fault as fault:
                named = [field for field in OPTIONAL if field in fault.error.message and field not in self._refused]
                if not isinstance(fault.error, BadRequest) or not named:
                    raise
                self._refused.update(named)

    def _attempt(self, request: Request) -> Iterator[Delta | Reply]:
        draft = Draft()
        sent = body(request, self.model, self.habits, refused=self._refused)
        try:
            reader = _Reader(draft, self.transport, echo_reasoning=self.habits.echo_reasoning)
            yield from reader.read(self.transport.events("/chat/completions", sent))
        except Fault:
            if draft.stop is None:
                raise
        yield draft.reply(self.transport.at, request, self.model.id)


def body(
    request: Request, model: Model, habits: Habits = Habits(), *, refused: Set[str] = frozenset()
) -> dict[str, Any]:
    """The request as chat completions take it, without the fields in ``refused``."""
    system = "\n\n".join(text for text in request.system if text.strip())
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for message in request.messages:
        if message.role == "assistant":
            messages += _assistant(message, model, habits)
            continue
        for sent in _user(message, short=habits.mistral):
            if habits.mistral and sent["role"] == "user" and messages and messages[-1]["role"] == "tool":
                messages.append({"role": "assistant", "content": "Noted."})
            messages.append(sent)
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    whole: dict[str, Any] = {"model": model.name, "messages": messages}
    whole |= {"tools": [_tool(tool) for tool in request.tools]} if request.tools else {}
    whole |= {limit: min(request.max_output, model.max_output), "stream": True}
    whole |= {"cache_control": {"type": "ephemeral"}} if habits.marked else {}
    return whole | ({} if "stream_options" in refused else {"stream_options": {"include_usage": True}})


def _tool(tool: ToolSchema) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _user(message: Message, *, short: bool) -> Iterator[dict[str, Any]]:
    for block in message.blocks:
        if isinstance(block, ToolResult):
            yield {"role": "tool", "tool_call_id": legal_id(block.call_id, short=short), "content": block.text}
    text = "\n\n".join(block.text for block in message.blocks if isinstance(block, Text) and block.text)
    if text:
        yield {"role": "user", "content": text}


def _assistant(message: Message, model: Model, habits: Habits) -> Iterator[dict[str, Any]]:
    text = "".join(block.text for block in message.blocks if isinstance(block, Text))
    calls = [block for block in message.blocks if isinstance(block, ToolCall)]
    if not text and not calls:
        return
    kept = carried(message.blocks, model.id)
    kept = kept if isinstance(kept, dict) else {}
    thought = f"<think>\n{kept['think']}\n</think>\n\n" if "think" in kept else ""
    said: dict[str, Any] = {"role": "assistant", "content": thought + text}
    said |= {key: kept[key] for key in ("reasoning_content", "reasoning_details") if key in kept}
    extras = kept.get("calls") or {}
    if calls:
        first = UNSIGNED if habits.signed_calls and calls[0].id not in extras else {}
        made = [_call(call, short=habits.mistral) | extras.get(call.id, {}) for call in calls]
        said["tool_calls"] = [made[0] | first, *made[1:]]
    yield said


def _call(call: ToolCall, *, short: bool) -> dict[str, Any]:
    function = {"name": legal_name(call.name), "arguments": legal_json(call.arguments)}
    return {"id": legal_id(call.id, short=short), "type": "function", "function": function}


class _Reader:
    """Gathers one answer in ``draft``; ``kept`` is what goes into its carry."""

    def __init__(self, draft: Draft, transport: Transport, *, echo_reasoning: bool) -> None:
        self.draft, self.transport, self.echo_reasoning = draft, transport, echo_reasoning
        self.refused = False
        self.by_index: dict[Any, Slot] = {}
        self.thinking = Thinking()
        self.reasoning: list[str] = []
        self.thoughts: list[str] = []
        self.details: list[Any] = []
        self.extras: dict[int, dict[str, Any]] = {}
        draft.seal = self.seal

    def read(self, events: Iterator[Mapping[str, Any]]) -> Iterator[Delta]:
        """Deltas out of the chunks. Raises Fault."""
        for chunk in events:
            if chunk.get("error"):
                raise faults.of_event(self.transport.at, chunk["error"], self.transport.patience.now())
            self.draft.usage = _usage(chunk) or self.draft.usage
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or choice.get("message") or {}
                yield from self._words(delta)
                for part in delta.get("tool_calls") or ():
                    yield self._call(part)
                if reason := choice.get("finish_reason"):
                    yield from map(self._told, self.thinking.rest())
                    self.draft.stop = self._stop(str(reason).lower())

    def _words(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        for text in _texts(delta.get("reasoning_content") or delta.get("reasoning"), "thinking"):
            self.reasoning.append(text)
            yield ReasoningDelta(text)
        self.details += delta.get("reasoning_details") or ()
        content = delta.get("content")
        for text in _texts(content, "thinking") if isinstance(content, list) else ():
            yield ReasoningDelta(text)
        for text in [*_texts(content, "text"), *_texts(delta.get("refusal"), "text")]:
            yield from map(self._told, self.thinking.split(text))
        self.refused = self.refused or bool(delta.get("refusal"))

    def _told(self, piece: tuple[str, bool]) -> Delta:
        text, is_thought = piece
        (self.thoughts if is_thought else self.draft.text).append(text)
        return ReasoningDelta(text) if is_thought else TextDelta(text)

    def _call(self, part: Mapping[str, Any]) -> CallDelta:
        function = part.get("function") or {}
        slot = self._slot(part.get("index"), str(part.get("id") or ""), str(function.get("name") or ""))
        arguments = function.get("arguments")
        if arguments:
            slot.write(arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False))
        if part.get("extra_content"):  # Gemini signs its calls and wants the signature back
            self.extras[id(slot)] = {"extra_content": part["extra_content"]}
        return CallDelta(slot.name, slot.size)

    def _slot(self, index: Any, name_of_call: str, tool: str) -> Slot:
        """The call a piece belongs to: by its index, else by its id, else the one being written.

        A server may number all calls 0 or none at all: another id, or a name after whole arguments, begins a new one.
        """
        slots = self.draft.slots
        slot = (
            self.by_index.get(index)
            if index is not None
            else next(
                (slot for slot in slots if name_of_call and slot.id == name_of_call), slots[-1] if slots else None
            )
        )
        other = slot is not None and bool(name_of_call and slot.id and name_of_call != slot.id)
        whole = slot is not None and bool(tool and slot.parts and not name_of_call and is_object(slot.arguments))
        if slot is None or other or whole:
            slot = Slot()
            slots.append(slot)
            self.by_index[index] = slot
        slot.id = slot.id or name_of_call
        if tool and tool != slot.name:
            slot.name += tool
        return slot

    def _stop(self, reason: str) -> StopReason:
        if reason.startswith(FAILED):
            raise faults.broken(self.transport.at, f"it ended with {reason!r}")
        if reason.startswith(FILTERED):
            return "filtered"
        if reason in LENGTH:
            return "length"
        return "refusal" if self.refused else "end"

    def seal(self, calls: Sequence[ToolCall]) -> str:
        """The carry: reasoning where the host wants it back, and what it attached to calls; empty without either."""
        kept: dict[str, Any] = {}
        if self.echo_reasoning and self.reasoning:
            kept["reasoning_content"] = "".join(self.reasoning)
        if self.echo_reasoning and self.thoughts:
            kept["think"] = "".join(self.thoughts).strip()
        if self.echo_reasoning and self.details:
            kept["reasoning_details"] = self.details
        pairs = zip(self.draft.slots, calls, strict=False)
        extras = {call.id: self.extras[id(slot)] for slot, call in pairs if id(slot) in self.extras}
        kept |= {"calls": extras} if extras else {}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else ""


def _texts(content: Any, kind: str) -> list[str]:
    """The words in a content field: plain text, or (Mistral) a list of typed parts, of which those of one kind."""
    if isinstance(content, str):
        return [content] if content else []
    found: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, Mapping) and part.get("type") == kind:
            found += _texts(part.get(kind), "text")
    return found


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    """Usage from wherever a dialect puts it: ``usage``, or ``x_groq``; DeepSeek names cache hits its own way."""
    usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("prompt_tokens_details") or {}
    read = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
    return usage_of(usage.get("prompt_tokens"), usage.get("completion_tokens"), read, details.get("cache_write_tokens"))
