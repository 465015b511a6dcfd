"""BM25 over fields: ranking, arithmetic, additions and removals."""

import math

import pytest

from ctxe.lexical.bm25 import Corpus, FieldWeight, idf, length_norm, saturate


def built(**texts: str) -> Corpus:
    index = Corpus({"text": FieldWeight()})
    for key, text in texts.items():
        index.add(key, {"text": {word: text.split().count(word) for word in text.split()}})
    return index


def test_one_term_scores_as_the_formula_says() -> None:
    index = built(a="cat dog", b="dog dog dog fish", c="bird")
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 7 / 3
    frequency = 3 / (1 - 0.75 + 0.75 * 4 / average)
    assert index.scores({"dog": 1.0})["b"] == pytest.approx(rarity * frequency * 2.2 / (frequency + 1.2))


def test_rare_terms_count_more_and_the_best_comes_first() -> None:
    index = built(a="common rare", b="common", c="common common", d="other")
    assert [hit.key for hit in index.top({"common": 1, "rare": 1}, 10)] == ["a", "c", "b"]


def test_equal_scores_are_ordered_by_key() -> None:
    assert [hit.key for hit in built(b="x", a="x", c="x").top({"x": 1}, 2)] == ["a", "b"]


def test_fields_are_weighed_before_they_saturate() -> None:
    index = Corpus({"title": FieldWeight(3.0, b=0.0), "text": FieldWeight(1.0, b=0.0)})
    index.add("t", {"title": {"parser": 1}, "text": {}})
    index.add("x", {"text": {"parser": 1}})
    scores = index.scores({"parser": 1})
    assert scores["t"] / scores["x"] == pytest.approx(saturate(3.0) / saturate(1.0))


def test_weights_of_the_query_multiply() -> None:
    index = built(a="x", b="y")
    assert index.scores({"x": 2.5})["a"] == pytest.approx(2.5 * index.scores({"x": 1})["a"])


def test_adding_and_removing_equals_a_rebuilt_index() -> None:
    index = built(a="one two", b="two three")
    index.top({"two": 1}, 5)
    index.add("c", {"text": {"three": 2}})
    index.add("a", {"text": {"four": 1}})
    index.remove("b")
    fresh = built(c="three three", a="four")
    query = {"two": 1.0, "three": 1.0, "four": 1.0}
    assert index.scores(query) == fresh.scores(query)
    assert (len(index), list(index.keys()), "b" in index, index.scores({"two": 1.0})) == (2, ["c", "a"], False, {})


def test_explain_sums_to_the_score() -> None:
    index = built(a="one two two", b="two")
    query = {"one": 1.0, "two": 0.5, "absent": 9.0}
    told = index.explain(query, "a")
    assert [term for term, _ in told] == ["one", "two"]
    assert sum(worth for _, worth in told) == pytest.approx(index.scores(query)["a"])


def test_unknown_fields_and_keys_are_refused() -> None:
    index = built(a="x")
    with pytest.raises(KeyError):
        index.add("b", {"body": {"x": 1}})
    with pytest.raises(KeyError):
        index.remove("b")
    assert list(index.keys()) == ["a"]


def test_an_empty_index_and_empty_documents_find_nothing() -> None:
    index = Corpus({"text": FieldWeight()})
    assert index.top({"x": 1}, 3) == []
    index.add("a", {})
    assert index.top({"x": 1}, 3) == []
    assert index.fields("a") == {"text": {}}


def test_idf_saturation_and_length_norm_at_their_limits() -> None:
    assert idf(10, 10) > 0
    assert saturate(0.0) == 0.0
    assert saturate(1.0) == 1.0
    assert saturate(1e9) == pytest.approx(2.2)
    assert length_norm(5, 5) == 1.0
    assert length_norm(3, 0) == 1.0
