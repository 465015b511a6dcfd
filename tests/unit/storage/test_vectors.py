"""Embeddings in SQLite: stored once by content, nearest by cosine, nothing lost by an interruption."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Sequence

import pytest

from ctxe.storage.databases import close_with_owner
from ctxe.storage.vectors import Embed, Vectors, comparers, key_of

PLACES = {"north": [0.0, 2.0], "east": [3.0, 0.0], "northeast": [5.0, 5.0], "west": [-1.0, 0.0], "nowhere": [0.0, 0.0]}


def embed(texts: Sequence[str]) -> list[list[float]]:
    return [PLACES[text] for text in texts]


def made(embedding: Embed = embed) -> Vectors:
    db = sqlite3.connect(":memory:", isolation_level=None)
    vectors = Vectors(db, "test/compass", embedding)
    close_with_owner(vectors, db)
    return vectors


def test_similarity_is_the_cosine() -> None:
    found = made().similar(["north", "east", "northeast", "west", "nowhere"], "north")
    assert found == pytest.approx([1.0, 0.0, 0.5**0.5, 0.0, 0.0], abs=1e-6)


def test_a_text_is_embedded_once() -> None:
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> list[list[float]]:
        asked.extend(texts)
        return embed(texts)

    vectors = made(counting)
    assert vectors.learn(["north", "east", "north"]) == 2
    assert vectors.learn(["north", "west"]) == 1
    assert vectors.similar(["north", "west"], "east") == pytest.approx([0.0, -1.0], abs=1e-6)
    assert sorted(asked) == ["east", "north", "west"]


def test_vectors_received_before_an_error_are_kept() -> None:
    texts = [f"text {n}" for n in range(150)]
    calls = iter([True, False, True, True])

    def failing(some: Sequence[str]) -> list[list[float]]:
        if not next(calls):
            raise ConnectionError("gone")
        return [[1.0, float(len(text))] for text in some]

    vectors = made(failing)
    with pytest.raises(ConnectionError):
        vectors.learn(texts)
    assert len(vectors.unknown(map(key_of, texts))) == 150 - 64
    heard: list[int] = []
    assert vectors.learn(texts, heard.append) == 150 - 64
    assert heard == [64, 86]


def test_only_the_texts_asked_for_are_compared_and_others_can_be_forgotten() -> None:
    vectors = made()
    vectors.learn(["north", "east", "west"])
    assert set(vectors.nearest("east", [key_of("north")])) == {key_of("north")}
    assert vectors.forget([key_of("east")]) == 2
    assert set(vectors.nearest("east")) == {key_of("east")}


def test_vectors_of_another_length_are_not_compared() -> None:
    vectors = made(lambda texts: [[1.0] * (2 if text == "short" else 3) for text in texts])
    assert set(vectors.nearest("short", [key_of("short"), key_of("long")])) == {key_of("short")}
    vectors.learn(["long"])
    assert set(vectors.nearest("short")) == {key_of("short")}


def test_vectors_of_a_replaced_model_of_the_same_name_are_not_compared() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    before = Vectors(db, "local/any", lambda texts: [[1.0, 0.0, 0.0] for _ in texts])
    before.learn(["known"])
    after = Vectors(db, "local/any", lambda texts: [[0.0, 1.0] for _ in texts])
    close_with_owner(after, db)
    assert after.similar(["known", "new"], "asked") == [0.0, 1.0]


def test_every_installed_implementation_gives_the_same_order() -> None:
    chance = random.Random(7)
    texts = {f"text {n}": [chance.gauss(0.0, 1.0) for _ in range(48)] for n in range(5_000)}
    texts |= {"zeros": [0.0] * 48, "odd": [math.nan] * 48, "short": [1.0] * 3, "asked": list(texts["text 77"])}
    db = sqlite3.connect(":memory:", isolation_level=None)
    vectors = Vectors(db, "test/chance", lambda some: [texts[text] for text in some])
    close_with_owner(vectors, db)
    vectors.learn(texts)
    [(mine,)] = db.execute("SELECT vector FROM vectors WHERE hash=?", (key_of("asked"),)).fetchall()
    told = {name: dict(compare(db, vectors.model, mine)) for name, compare in comparers(db).items()}
    order = {name: sorted(found, key=lambda key: (-round(found[key], 5), key)) for name, found in told.items()}
    assert list(told)[-1] == "plain"
    assert len(told["plain"]) == 5_003
    assert {key_of("asked"), key_of("text 77")} == set(order["plain"][:2])
    assert (told["plain"][key_of("zeros")], told["plain"][key_of("odd")]) == (0.0, 0.0)
    for name, found in told.items():
        assert found == pytest.approx(told["plain"], abs=1e-5), name
        assert order[name][:100] == order["plain"][:100], name
