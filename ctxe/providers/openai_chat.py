"""OpenAI's chat completions, for the many servers that imitate them more or less completely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

from ctxe.domain.conversation import Reply, ToolCall, ToolResult
from ctxe.domain.errors import BadRequest
from ctxe.domain.model import Delta, Image, Message, Model, Request, Text, ToolSchema
from ctxe.domain.value import dataclass
from ctxe.providers.chat_answer import AnswerReader
from ctxe.providers.draft import Draft
from ctxe.providers.echo import carried, legal_id, legal_json, legal_name
from ctxe.providers.faults import RequestFault
from ctxe.providers.pictures import Look, no_picture, unseen_line, url
from ctxe.providers.retry import persist
from ctxe.providers.transport import Transport

UNSIGNED = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}
"""Accepted by Gemini instead of a signature for calls that it did not make (ai.google.dev, thought signatures)."""
OPTIONAL = ("stream_options", "max_tokens")
"""Fields that a server may refuse. Without them usage is not reported, and max_completion_tokens limits the output."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Peculiarities of single hosts.

    ``echo_reasoning``: the model's own reasoning must be sent back (DeepSeek, Moonshot, MiniMax). ``needs_reasoning``:
    every message of a model must have reasoning, whichever model wrote it (DeepSeek, Moonshot). ``mistral``: Mistral's
    API and chat templates want ids of nine characters, and no words of the user right after tool results.
    ``signed_calls``: the first call of each message needs a signature, Google's placeholder if another model made it
    (Gemini). ``marked``: caching must be requested (OpenRouter for Claude). ``spoken_calls``: a local server, which may
    leave a model's calls in its text. ``billed``: usage reports the cost in dollars, and encrypted reasoning details
    must be sent back (OpenRouter).
    """

    echo_reasoning: bool = False
    mistral: bool = False
    signed_calls: bool = False
    marked: bool = False
    spoken_calls: bool = False
    billed: bool = False
    needs_reasoning: bool = False

    @property
    def alternating(self) -> bool:
        """Whether the chat template may refuse two user messages in a row, as Mistral's and Gemma's do."""
        return self.mistral or self.spoken_calls


NO_REASONING = "(not told)"
"""The reasoning for a message that another model wrote, if the host needs one."""
PLAIN = Habits()


class ChatCompletions:
    """One model behind a chat completions endpoint."""

    def __init__(self, model: Model, transport: Transport, habits: Habits = PLAIN, *, look: Look = no_picture) -> None:
        self.model, self.transport, self.habits, self.look = model, transport, habits, look
        self._refused: set[str] = set()
        self._unexplained = False

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas, then the reply (see Provider)."""
        return persist(lambda: self._tolerant(request), self.transport.patience)

    def listed(self) -> tuple[str, ...]:
        """The names of the host's models, free of charge. Raises ProviderError."""
        try:
            return self.transport.listed("/models")
        except RequestFault as fault:
            raise fault.error from None

    def _tolerant(self, request: Request) -> Iterator[Delta | Reply]:
        """Make an attempt, and one more for each optional field that the server refuses."""
        while True:
            try:
                yield from self._attempt(request)
                return
            except RequestFault as fault:
                refused_fields = [
                    field for field in OPTIONAL if field in fault.error.message and field not in self._refused
                ]
                if not isinstance(fault.error, BadRequest) or not refused_fields:
                    raise
                self._refused.update(refused_fields)

    def _attempt(self, request: Request) -> Iterator[Delta | Reply]:
        draft = Draft()
        spoken = tuple(tool.name for tool in request.tools) if self.habits.spoken_calls else ()
        habits = self.habits
        reader = AnswerReader(
            draft,
            self.transport,
            echo_reasoning=habits.echo_reasoning,
            spoken=spoken,
            billed=habits.billed,
            trusting=self._unexplained,
        )
        request_body = body(request, self.model, self.habits, refused=self._refused, look=self.look)
        deltas = reader.read(self.transport.events("/chat/completions", request_body))
        try:
            yield from draft.finish(deltas, self.transport.endpoint, request, self.model.id)
        finally:  # after two answers in a row without a finish reason, this server is taken never to give one
            self._unexplained = reader.unexplained


def body(
    request: Request,
    model: Model,
    habits: Habits = PLAIN,
    *,
    refused: Set[str] = frozenset(),
    look: Look = no_picture,
) -> dict[str, Any]:
    """The body of a chat completions request, without the fields in ``refused``."""
    system = "\n\n".join(text for text in request.system if text.strip())
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for message in request.messages:
        if message.role == "assistant":
            messages += _assistant(message, model, habits)
            continue
        for sent in _user(message, look, short=habits.mistral):
            if habits.mistral and sent["role"] == "user" and messages and messages[-1]["role"] == "tool":
                messages.append({"role": "assistant", "content": "Noted."})
            follows_user = bool(messages) and sent["role"] == "user" == messages[-1]["role"]
            messages.append(_joined(messages.pop(), sent) if habits.alternating and follows_user else sent)
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    request_body: dict[str, Any] = {"model": model.name, "messages": messages}
    request_body |= {"tools": [_tool(tool) for tool in request.tools]} if request.tools else {}
    request_body |= {limit: min(request.max_output, model.max_output), "stream": True}
    request_body |= {"reasoning_effort": request.effort} if request.effort else {}
    request_body |= {"cache_control": {"type": "ephemeral"}} if habits.marked else {}
    return request_body | ({} if "stream_options" in refused else {"stream_options": {"include_usage": True}})


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Join two user messages into one."""
    contents = (first["content"], second["content"])
    if all(isinstance(content, str) for content in contents):
        return {"role": "user", "content": "\n\n".join(contents)}
    parts = ([{"type": "text", "text": content}] if isinstance(content, str) else content for content in contents)
    return {"role": "user", "content": [part for content in parts for part in content]}


def _tool(tool: ToolSchema) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _user(message: Message, look: Look, *, short: bool) -> Iterator[dict[str, Any]]:
    """Tool results, then a user message with texts and pictures, those of results included: a tool message holds text
    only.
    """
    shown: list[Text | Image] = []
    for block in message.blocks:
        if isinstance(block, ToolResult):
            yield {"role": "tool", "tool_call_id": legal_id(block.call_id, short=short), "content": block.text}
            shown += (
                [Text(f"[{block.picture.description}, of {block.call_id}]"), Image(block.picture)]
                if block.picture
                else []
            )
    shown += [block for block in message.blocks if isinstance(block, Text | Image)]
    parts = _parts(shown, look)
    if parts and all(part["type"] == "text" for part in parts):
        yield {"role": "user", "content": "\n\n".join(part["text"] for part in parts)}
    elif parts:
        yield {"role": "user", "content": parts}


def _parts(shown: Sequence[Text | Image], look: Look) -> list[dict[str, Any]]:
    """Texts and pictures in order; consecutive texts are joined."""
    parts: list[dict[str, Any]] = []
    for block in shown:
        data = look(block.picture) if isinstance(block, Image) else ""
        if isinstance(block, Image) and data:
            parts.append({"type": "image_url", "image_url": {"url": url(block.picture, data)}})
            continue
        text = unseen_line(block.picture) if isinstance(block, Image) else block.text
        if text and parts and parts[-1]["type"] == "text":
            parts[-1] = {"type": "text", "text": f"{parts[-1]['text']}\n\n{text}"}
        elif text:
            parts.append({"type": "text", "text": text})
    return parts


def _assistant(message: Message, model: Model, habits: Habits) -> Iterator[dict[str, Any]]:
    text = "".join(block.text for block in message.blocks if isinstance(block, Text))
    calls = [block for block in message.blocks if isinstance(block, ToolCall)]
    if not text and not calls:
        return
    carry = carried(message.blocks, model.id)
    carry = carry if isinstance(carry, dict) else {}
    thought = f"<think>\n{carry['think']}\n</think>\n\n" if "think" in carry else ""
    message_sent: dict[str, Any] = {"role": "assistant", "content": thought + text}
    message_sent |= {"reasoning_content": NO_REASONING} if habits.needs_reasoning else {}
    message_sent |= {key: carry[key] for key in ("reasoning_content", "reasoning_details") if key in carry}
    extras = carry.get("calls") or {}
    if calls:
        first = UNSIGNED if habits.signed_calls and calls[0].id not in extras else {}
        calls_sent = [_call(call, short=habits.mistral) | extras.get(call.id, {}) for call in calls]
        message_sent["tool_calls"] = [calls_sent[0] | first, *calls_sent[1:]]
    yield message_sent


def _call(call: ToolCall, *, short: bool) -> dict[str, Any]:
    function = {"name": legal_name(call.name), "arguments": legal_json(call.arguments)}
    return {"id": legal_id(call.id, short=short), "type": "function", "function": function}
