"""Vectors over the wire: the real SDK against a server on loopback, in the shapes and with the faults of real hosts."""

from __future__ import annotations

import base64
import struct

import pytest

from ctxe.domain.errors import AuthError, BadReply, ConfigError, RateLimited, Unreachable
from ctxe.providers.embed import batches, embedder
from ctxe.providers.retry import RetryLimits
from tests.wire.script import Answer, Drop, failure
from tests.wire.server import WireServer
from tests.wire.vectors import vector

QUICK = RetryLimits(requests=3, idle=5.0, sleep=lambda seconds: None)


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    with WireServer() as server:
        embed = embedder("openai/words-1", environment={"OPENAI_API_KEY": "k"}, base_url=f"{server.url}/v1")
        texts = [f"pour tea number {n} into the pot" for n in range(70)]
        found = embed(texts)
    assert [list(one) for one in found] == [vector(text) for text in texts]
    sent = [exchange.body for exchange in server.exchanges]
    assert [(body["model"], len(body["input"])) for body in sent] == [("words-1", 64), ("words-1", 6)]
    assert server.exchanges[0].path == "/v1/embeddings"


def test_a_local_server_needs_no_key() -> None:
    with WireServer() as server:
        embed = embedder("local/words", environment={}, base_url=server.url)
        assert list(embed(["tea"])[0]) == vector("tea")


def test_base64_and_unordered_vectors_are_read() -> None:
    packed = [base64.b64encode(struct.pack("<2f", *pair)).decode() for pair in ((1.0, 2.0), (3.0, 4.0))]
    rows = [{"index": 1, "embedding": packed[1]}, {"index": 0, "embedding": packed[0]}]
    with WireServer() as server:
        server.embeddings.append(Answer(200, {"data": rows}))
        found = embedder("openai/x", environment={"OPENAI_API_KEY": "k"}, base_url=f"{server.url}/v1")(["a", "b"])
    assert [list(one) for one in found] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("part", "error"),
    [
        (Answer(401, failure("Incorrect API key provided", "invalid_api_key")), AuthError),
        (Answer(429, failure("slow down", "rate_limit_exceeded")), RateLimited),
        (Answer(200, {"data": []}), BadReply),
        (Answer(200, {"data": [{"index": 0, "embedding": ["a", "b"]}]}), BadReply),
        (Answer(200, {"object": "list"}), BadReply),
        (Drop(reset=True), Unreachable),
    ],
)
def test_embedding_errors_are_reported_like_those_of_any_request(part: Answer | Drop, error: type[Exception]) -> None:
    with WireServer() as server:
        server.embeddings += [part] * 3
        embed = embedder("openai/x", environment={"OPENAI_API_KEY": "k"}, base_url=f"{server.url}/v1", patience=QUICK)
        with pytest.raises(error):
            embed(["tea"])


def test_vectors_of_different_lengths_are_refused() -> None:
    rows = [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]
    with WireServer() as server:
        server.embeddings += [Answer(200, {"data": rows})] * 3
        embed = embedder("openai/x", environment={"OPENAI_API_KEY": "k"}, base_url=f"{server.url}/v1", patience=QUICK)
        with pytest.raises(BadReply, match="several lengths"):
            embed(["tea", "pot"])


def test_a_passing_fault_is_retried() -> None:
    with WireServer() as server:
        server.embeddings += [Answer(503, failure("busy")), None]
        embed = embedder("openai/x", environment={"OPENAI_API_KEY": "k"}, base_url=f"{server.url}/v1", patience=QUICK)
        assert list(embed(["tea"])[0]) == vector("tea")
        assert len(server.exchanges) == 2


def test_a_missing_key_or_unknown_provider_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match="no key for openai"):
        embedder("openai/text-embedding-3-small", environment={})
    with pytest.raises(ConfigError, match="no provider is called 'nobody'"):
        embedder("nobody/x", environment={})


def test_embedding_requests_are_sent_in_small_batches() -> None:
    assert [len(batch) for batch in batches(["x" * 50_000] * 5)] == [2, 2, 1]
    assert batches([]) == []
    assert batches([""]) == [[" "]]
