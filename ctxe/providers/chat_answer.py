"""Reading the streamed answer of a chat completions endpoint, whose servers differ in indices, ids and reasoning."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.conversation import StopReason, ToolCall, Usage
from ctxe.domain.model import Billed, CallDelta, Delta, ReasoningDelta, TextDelta
from ctxe.providers import faults, sse
from ctxe.providers.draft import Draft, Slot, is_object, usage_of
from ctxe.providers.text_calls import TextCalls
from ctxe.providers.think import Thinking, unopened
from ctxe.providers.transport import Transport

FILTERED = ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive")
LENGTH = ("length", "max_tokens", "model_length", "max_output_tokens")
FAILED = ("error", "network_error", "insufficient_system_resource", "abort", "function_call_filter")
"""Finish reasons that report a failure of the host (OpenRouter, GLM, DeepSeek, vLLM, Gemini)."""

GROWING = ("text", "summary")
"""Fields of reasoning details that a gateway streams in pieces."""
MOST_USD = 1e6
"""US dollars above which a reported cost is ignored as nonsense."""


class AnswerReader:
    """Collects one answer in ``draft``. ``spoken`` are the tools whose calls may also be written as text (TextCalls);
    ``billed``: usage reports the cost; ``trusting``: ``[DONE]`` without a finish reason counts as a normal end.
    """

    def __init__(
        self,
        draft: Draft,
        transport: Transport,
        *,
        echo_reasoning: bool,
        spoken: Collection[str] = (),
        billed: bool = False,
        trusting: bool = False,
    ) -> None:
        self.draft, self.transport, self.echo_reasoning, self.billed = draft, transport, echo_reasoning, billed
        self.trusting, self.unexplained, self.refused = trusting, False, False
        self.by_index: dict[Any, Slot] = {}
        self.thinking = Thinking()
        self.spoken = TextCalls(spoken)
        self.reasoning: list[str] = []
        self.thoughts: list[str] = []
        self.details: list[Any] = []
        self.extras: dict[int, dict[str, Any]] = {}
        draft.seal = self.seal

    def read(self, events: Iterator[Mapping[str, Any]]) -> Iterator[Delta]:
        """The deltas of the chunks of one answer. Raises RequestFault."""
        for chunk in events:
            if chunk.get("error"):
                raise faults.of_event(self.transport.endpoint, chunk["error"], self.transport.patience.now())
            if usage := _usage(chunk):
                self.draft.usage = usage
                yield from self._bill(usage, chunk)
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or choice.get("message") or {}
                yield from self._texts_of_delta(delta)
                for part in delta.get("tool_calls") or ():
                    yield self._call(part)
                if reason := choice.get("finish_reason"):
                    yield from self._finished()
                    self.draft.stop = self._stop(str(reason).lower())
            if chunk is sse.DONE and self.draft.stop is None:
                yield from self._finished()
                self.unexplained = True
                self.draft.stop = self._stop("") if self.trusting else None

    def _bill(self, usage: Usage, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        cost = (chunk.get("usage") or {}).get("cost") if self.billed else None
        if isinstance(cost, int | float) and 0 <= cost < MOST_USD:
            yield Billed(usage, float(cost))

    def _finished(self) -> Iterator[Delta]:
        """The deltas of text that was held back, at the end of the answer."""
        for piece in self.thinking.rest():
            yield from self._piece(piece)
        yield from self._held_back_calls()
        self._remove_unopened_reasoning()

    def _texts_of_delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        for text in _texts(delta.get("reasoning_content") or delta.get("reasoning"), "thinking"):
            self.reasoning.append(text)
            yield ReasoningDelta(text)
        self.details += delta.get("reasoning_details") or ()
        content = delta.get("content")
        for text in _texts(content, "thinking") if isinstance(content, list) else ():
            yield ReasoningDelta(text)
        for text in [*_texts(content, "text"), *_texts(delta.get("refusal"), "text")]:
            for piece in self.thinking.split(text):
                yield from self._piece(piece)
        self.refused = self.refused or bool(delta.get("refusal"))

    def _piece(self, piece: tuple[str, bool]) -> Iterator[Delta]:
        text, is_thought = piece
        if is_thought:
            self.thoughts.append(text)
            yield ReasoningDelta(text)
        elif answer_text := self.spoken.split(text):
            self.draft.text.append(answer_text)
            yield TextDelta(answer_text)

    def _held_back_calls(self) -> Iterator[Delta]:
        """The deltas of text that was held back as a possible call."""
        answer_text, calls = self.spoken.rest(called=bool(self.draft.slots))
        if answer_text:
            self.draft.text.append(answer_text)
            yield TextDelta(answer_text)
        for name, arguments in calls:
            self.draft.slots.append(Slot(name=name, parts=[arguments], size=len(arguments)))
            yield CallDelta(name, len(arguments))

    def _remove_unopened_reasoning(self) -> None:
        """Remove reasoning without an opening tag from the answer; while streaming it looked like words."""
        if not (self.thoughts or self.reasoning):
            thought, answer_text = unopened("".join(self.draft.text))
            if thought:
                self.thoughts, self.draft.text[:] = [thought], [answer_text]

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
        """The call that a piece belongs to: by its index, else by its id, else the last one.

        Some servers number all calls 0 or none, so another id, or a name after complete arguments, begins a new call.
        """
        slots = self.draft.slots
        slot = (
            self.by_index.get(index)
            if index is not None
            else next(
                (slot for slot in slots if name_of_call and slot.id == name_of_call), slots[-1] if slots else None
            )
        )
        has_other_id = slot is not None and bool(name_of_call and slot.id and name_of_call != slot.id)
        has_other_name = slot is not None and bool(tool) and (not name_of_call or tool != slot.name)
        is_complete = slot is not None and bool(has_other_name and slot.parts and is_object(slot.arguments))
        if slot is None or has_other_id or is_complete:
            slot = Slot()
            slots.append(slot)
            self.by_index[index] = slot
        slot.id = slot.id or name_of_call
        if tool and tool != slot.name:
            slot.name += tool
        return slot

    def _stop(self, reason: str) -> StopReason:
        if reason.startswith(FAILED):
            raise faults.broken(self.transport.endpoint, f"it ended with {reason!r}")
        if reason.startswith(FILTERED):
            return "filtered"
        if reason in LENGTH:
            return "length"
        return "refusal" if self.refused else "end"

    def seal(self, calls: Sequence[ToolCall]) -> str:
        """The carry: reasoning if the host wants it back, and fields the host attached to calls; empty without them."""
        carry: dict[str, Any] = {}
        if self.echo_reasoning and self.reasoning:
            carry["reasoning_content"] = "".join(self.reasoning)
        if self.echo_reasoning and self.thoughts:
            carry["think"] = "".join(self.thoughts).strip()
        if (self.echo_reasoning or self.billed) and self.details:
            carry["reasoning_details"] = _joined(self.details)
        pairs = zip(self.draft.slots, calls, strict=False)
        extras = {call.id: self.extras[id(slot)] for slot, call in pairs if id(slot) in self.extras}
        carry |= {"calls": extras} if extras else {}
        return json.dumps(carry, ensure_ascii=False, separators=(",", ":")) if carry else ""


def _joined(details: Sequence[Any]) -> list[Any]:
    """Reasoning details joined as they were before streaming: each thought in one piece, with its signature."""
    joined: list[Any] = []
    for detail in details:
        last = joined[-1] if joined else None
        if isinstance(detail, Mapping) and isinstance(last, dict) and _continues(last, detail):
            extended = {key: f"{last.get(key) or ''}{detail[key] or ''}" for key in GROWING if key in detail}
            last |= {key: value for key, value in detail.items() if value is not None} | extended
        else:
            joined.append(dict(detail) if isinstance(detail, Mapping) else detail)
    return joined


def _continues(last: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    same = all(last.get(key) == detail.get(key) for key in ("type", "index"))
    return same and detail.get("type") in ("reasoning.text", "reasoning.summary") and not last.get("signature")


def _texts(content: Any, kind: str) -> list[str]:
    """The texts in a content field: plain text, or (Mistral) the parts of one ``kind`` in a list of typed parts."""
    if isinstance(content, str):
        return [content] if content else []
    texts: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, Mapping) and part.get("type") == kind:
            texts += _texts(part.get(kind), "text")
    return texts


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    """Usage from ``usage`` or ``x_groq``; DeepSeek has its own field for cache hits."""
    usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("prompt_tokens_details") or {}
    read = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
    return usage_of(usage.get("prompt_tokens"), usage.get("completion_tokens"), read, details.get("cache_write_tokens"))
