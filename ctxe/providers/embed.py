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
    target = endpoint(model, catalog.host(model.provider), environment, base_url)
    limits = patience or RetryLimits(idle=30.0)
    transport = Transport("openai", target, limits)

    def ask(texts: Sequence[str]) -> list[Sequence[float]]:
        return [vector for batch in batches(texts) for vector in _ask_batch(transport, model.name, batch, limits)]

    return ask


def batches(texts: Sequence[str]) -> list[Sequence[str]]:
    """The texts in order, divided into requests."""
    batches: list[list[str]] = []
    size = 0
    for text in texts:
        if not batches or len(batches[-1]) >= BATCH or size + len(text) > BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(text or " ")
        size += len(text)
    return list(batches)


def _ask_batch(transport: Transport, name: str, texts: Sequence[str], patience: RetryLimits) -> list[Sequence[float]]:
    """The vectors of one batch. Raises ProviderError."""
    body = {"model": name, "input": list(texts), "encoding_format": "float"}
    vectors: list[Sequence[float]] = []

    def attempt() -> Any:
        vectors[:] = _vectors(transport, transport.ask("/embeddings", body), len(texts))
        yield from ()

    for _ in persist(attempt, patience):
        pass
    return vectors


def _vectors(transport: Transport, answer: Mapping[str, Any], count: int) -> list[Sequence[float]]:
    """The vectors of an answer in the order of the texts. Raises RequestFault when some are missing or malformed."""
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        vectors = [_numbers(row["embedding"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise faults.broken(transport.endpoint, "without vectors") from error
    if len(vectors) != count:
        raise faults.broken(transport.endpoint, f"with {len(vectors)} of {count} vectors")
    if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise faults.broken(transport.endpoint, "with vectors of no or of several lengths")
    return vectors


def _numbers(embedding: Any) -> Sequence[float]:
    """A vector as numbers; some servers send base64 even when asked for numbers."""
    values = array("f")
    if isinstance(embedding, str):
        values.frombytes(base64.b64decode(embedding, validate=True))
        return values
    values.extend(float(value) for value in embedding)
    return values
