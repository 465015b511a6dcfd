"""The similarity of texts by shared words and by characters."""

import pytest

from ctxe.lexical.similarity import (
    Pair,
    jaccard,
    near_pairs,
    paragraphs,
    shingles,
    topic_similarity,
    wording_similarity,
)


def test_shingles_are_runs_of_words() -> None:
    assert shingles("One two three four five", 4) == {("one", "two", "three", "four"), ("two", "three", "four", "five")}
    assert shingles("One two", 4) == {("one", "two")}
    assert shingles(" -- ") == frozenset()


def test_similarity_is_the_shared_part_of_the_shingles() -> None:
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard(set(), set()) == 0.0


def test_titles_are_compared_by_stems() -> None:
    assert topic_similarity("Store sessions as JSONL", "storing the session as jsonl") == 1.0
    assert topic_similarity("Store sessions", "Paint the wall") == 0.0


def test_wording_is_compared_by_characters() -> None:
    assert wording_similarity("same", "same") == 1.0
    assert 0.8 < wording_similarity("tests pass now", "test pass now") < 1.0


def test_texts_in_nearly_the_same_words_are_near_pairs_of_shingles() -> None:
    one = "Sessions are stored as one JSON object a line because a torn line can be dropped and the rest reads well."
    texts = [one, "Nothing of the kind is said here at all.", one.replace("well", "fine"), ""]
    (pair,) = near_pairs([shingles(text) for text in texts], 0.8)
    assert (pair.first, pair.second) == (0, 2)
    assert pair.similarity == pytest.approx(18 / 20, abs=0.05)


def test_near_pairs_are_ordered_and_above_the_threshold_only() -> None:
    assert near_pairs([{1, 2}, {2, 3}, {1, 2}, set()], 0.5) == [Pair(0, 2, 1.0)]
    assert near_pairs([{1, 2}, {2, 3}], 0.3) == [Pair(0, 1, 1 / 3)]


def test_paragraphs_keep_code_blocks_whole() -> None:
    assert paragraphs("a\nb\n\n\n```py\nx\n\ny\n```\n\nc") == ["a\nb", "```py\nx\n\ny\n```", "c"]
    assert paragraphs("```\nnever closed\n\nx") == ["```\nnever closed\n\nx"]
    assert paragraphs("") == []
