"""The wording of errors by each host, in one place: phrases, status codes, and where an error body has its message."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

from ctxe.domain.pattern import pattern

TOO_LONG = pattern(
    r"prompt (?:is )?too long|input is too long|context.?length.?exceed|exceed_context_size|exceed context limit"
    r"|exceeds? (?:the |its |your )?(?:model'?s? )?(?:maximum |available )?context"
    r"|maximum (?:context|prompt|model) length|available context size|context window exceeds"
    r"|too large for model with \d+|input token count .{0,40}exceeds|exceeded model token limit|range of input length"
    r"|when context the overflows|number of tokens to keep from the initial prompt"
    r"|tokens\W+max_new_tokens\W+must be|request_too_large"
    r"|tokens must be reduced|reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)
"""A request is too long: OpenAI, Anthropic, Gemini, Mistral, xAI, DeepSeek, Qwen, Moonshot, MiniMax, OpenRouter, Groq,
Bedrock, vLLM, TGI, llama.cpp, Ollama and LM Studio."""

WINDOW = pattern(
    r"(?:maximum (?:context|prompt|model) length(?: is| of)?|context (?:size|length|window) (?:is |of )?(?:only )?"
    r"|is loaded with (?:context length of )?(?:only )?|token limit:?|maximum number of tokens allowed)"
    r"\W{0,3}(\d[\d,]{3,9})"
    r"|(\d[\d,]{3,9}) (?:tokens )?maximum",
    re.IGNORECASE,
)
"""The number of tokens that would fit, in such a message."""
LEAST_WINDOW = 1_024

NO_CREDIT = pattern(
    r"insufficient.(?:quota|balance|credits|funds)|credit balance is too low|payment required|available credits"
    r"|billing.{0,6}limit|have any credits",
    re.IGNORECASE,
)
"""An account has no credit, for hosts whose status does not say so (Anthropic, xAI and gateways)."""
KEY_REFUSED = pattern(r"api key not valid|incorrect api key|invalid api key|api key expired", re.IGNORECASE)
"""A key is refused with status 400 (Gemini, xAI)."""
NO_TOOLS = pattern(r"not support (?:tools|tool use|function)|support tool use", re.IGNORECASE)
"""A model does not support tools (Ollama, OpenRouter and others)."""
NO_PARSER = pattern(r"requires --jinja|requires --enable-auto-tool-choice", re.IGNORECASE)
"""A server was started without a parser for tool calls (llama.cpp, vLLM)."""
PARSER_HINT = "start it so that it reads tool calls: llama.cpp with --jinja, vLLM with --enable-auto-tool-choice"
NO_MEMORY = pattern(r"more system memory|out of memory|resource limitations|failed to load", re.IGNORECASE)
"""A model is too large for the server's machine, so that waiting does not help."""
BUSY = pattern(r"overloaded|unavailable|capacity|busy|high demand", re.IGNORECASE)
"""A host is overloaded."""
STATUS_OF = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
    "timeout_error": 504,
}
"""The HTTP status for each error type that arrives inside a stream."""


def window_in(message: str) -> int:
    """The context window in tokens that a message about a too long request states; 0 when it states none."""
    match = WINDOW.search(message)
    tokens = int((match[1] or match[2]).replace(",", "")) if match else 0
    return tokens if tokens >= LEAST_WINDOW else 0


def status_in(error: Any) -> int:
    """The HTTP status that an error inside a stream stands for; 500 when it is unknown."""
    kinds = [str(error.get(key)) for key in ("code", "type") if error.get(key)] if isinstance(error, Mapping) else []
    status = next((STATUS_OF[kind] for kind in kinds if kind in STATUS_OF), None)
    if status is None:
        status = next((int(kind) for kind in kinds if kind.isdigit() and 400 <= int(kind) < 600), 500)
    return status


def words_of(body: Any) -> str:
    """The message in an error body, wherever the host puts it."""
    if isinstance(body, list):  # Gemini wraps the object in a list
        return words_of(body[0]) if body else ""
    if not isinstance(body, Mapping):
        text = "" if body is None else str(body).strip()
        if text.startswith("{"):  # Ollama quotes the whole answer of its model runner
            with contextlib.suppress(ValueError, RecursionError):
                return words_of(json.loads(text)) or text
        return "" if text.startswith("<") else text
    for key in ("error", "message", "detail", "error_message", "msg"):
        if body.get(key):
            return words_of(body[key])
    return ""


def code_of(body: Any) -> str:
    """The machine-readable code, type or status in an error body; empty for none."""
    if isinstance(body, list) and body:
        return code_of(body[0])
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return code_of(inner)
    return " ".join(str(body[key]) for key in ("code", "type", "status") if body.get(key))
