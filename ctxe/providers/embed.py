"""Embedding texts as vectors by OpenAI's /v1/embeddings of any host, in batches and with the usual retries."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ctxe.domain.model import Model
from ctxe.providers import catalog, faults
from ctxe.providers.connect import endpoint
from ctxe.providers.retry import RetryLimits, persist
from ctxe.providers.transport import Transport

BATCH, BATCH_CHARACTERS = 64, 120_000
"""Texts and characters per request; hosts accept 2,048 texts and 300,000 tokens, local servers far less."""

Embed = Callable[[Sequence[str]], list[Sequence[float]]]


def embedder(
    name: str, *, environment: Mapping[str, str], base_url: str = "", patience: RetryLimits | None = None
) -> Embed:
    """A function that turns texts into vectors by the model ``provider/name``; nothing is sent yet.

    ``base_url`` is an OpenAI-compatible server to use instead of the provider's own. Raises ConfigError for an unknown
    provider or a missing key; the function itself raises ProviderError.
    """
    provider, _, bare = name.partition("/")
    model = Model(provider if bare else "openai", bare or provider, 8_192, 0)
    at = endpoint(model, catalog.host(model.provider), environment, base_url)
    bearing = patience or RetryLimits(idle=30.0)
    transport = Transport("openai", at, bearing)

    def ask(texts: Sequence[str]) -> list[Sequence[float]]:
        return [vector for batch in batches(texts) for vector in _asked(transport, model.name, batch, bearing)]

    return ask


def batches(texts: Sequence[str]) -> list[Sequence[str]]:
    """The texts in order, divided into requests."""
    found: list[list[str]] = []
    size = 0
    for text in texts:
        if not found or len(found[-1]) >= BATCH or size + len(text) > BATCH_CHARACTERS:
            found.append([])
            size = 0
        found[-1].append(text or " ")
        size += len(text)
    return list(found)


def _asked(transport: Transport, name: str, texts: Sequence[str], patience: RetryLimits) -> list[Sequence[float]]:
    """The vectors of one batch. Raises ProviderError."""
    body = {"model": name, "input": list(texts), "encoding_format": "float"}
    found: list[Sequence[float]] = []

    def attempt() -> Any:
        found[:] = _vectors(transport, transport.ask("/embeddings", body), len(texts))
        yield from ()

    for _ in persist(attempt, patience):
        pass
    return found


def _vectors(transport: Transport, answer: Mapping[str, Any], count: int) -> list[Sequence[float]]:
    """The vectors of an answer in the order of the texts. Raises RequestFault when some are missing or malformed."""
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        found = [_numbers(row["embedding"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise faults.broken(transport.at, "without vectors") from error
    if len(found) != count:
        raise faults.broken(transport.at, f"with {len(found)} of {count} vectors")
    if len({len(vector) for vector in found}) != 1 or not found[0]:
        raise faults.broken(transport.at, "with vectors of no or of several lengths")
    return found


def _numbers(given: Any) -> Sequence[float]:
    """A vector as numbers; some servers send base64 even when asked for numbers."""
    values = array("f")
    if isinstance(given, str):
        values.frombytes(base64.b64decode(given, validate=True))
        return values
    values.extend(float(value) for value in given)
    return values
