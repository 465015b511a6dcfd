"""Embeddings of any texts of a project by the user's own embedding model."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.project import Project
from ctxe.project.planning.meaning import similarity
from tests.e2e.harness import KEY, environment, repository
from tests.wire.server import WireServer


def test_texts_are_embedded_once_and_keys_are_masked(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"a.py": "x = 1\n"})
    with WireServer() as server:
        flags = {"retrieval": {"embeddings": "local/words", "base_url": f"{server.url}/v1"}}
        env = environment(home, OPENAI_API_KEY=KEY)
        similar = similarity(Project.open(repo, env, flags))
        assert similar is not None
        texts = ["the infusion is cold", "taxes are due", f"the key is {KEY}"]
        found = similar(texts, "cold tea")
        assert found[0] == max(found)
        assert found[0] > 0.5 > found[1]
        asked = sum(len(exchange.body["input"]) for exchange in server.exchanges)
        again = similarity(Project.open(repo, env, flags))
        assert again is not None
        assert again(texts, "cold tea") == pytest.approx(found)
        sent = [text for exchange in server.exchanges for text in exchange.body["input"]]
    assert len(sent) == asked == 4
    assert KEY not in " ".join(sent)


def test_without_an_embedding_model_there_are_no_vectors(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"a.py": "x = 1\n"})
    assert similarity(Project.open(repo, environment(home))) is None
