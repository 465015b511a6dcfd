"""Invariants of search terms, scores and near pairs on any text."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ctxe.lexical.bm25 import Corpus, FieldWeight
from ctxe.lexical.similarity import near_pairs, shingles
from ctxe.lexical.symbols import symbols_in
from ctxe.lexical.words import path_terms, term_counts, terms

WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon"])
DOCUMENTS = st.lists(st.lists(WORDS, max_size=12), max_size=8)


@given(st.text())
def test_counts_are_counted_terms_and_no_term_is_empty(text: str) -> None:
    found = terms(text)
    assert term_counts(text) == Counter(found)
    assert all(found)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_has_symbols_and_path_terms(text: str) -> None:
    assert symbols_in(text) == symbols_in(text)
    assert path_terms(text) == path_terms(text)


@given(DOCUMENTS, st.lists(WORDS, min_size=1), st.data())
def test_an_index_changed_step_by_step_scores_as_one_built_at_once(
    documents: list[list[str]], query: list[str], data: st.DataObject
) -> None:
    wanted = dict.fromkeys(query, 1.0)
    grown = Corpus({"text": FieldWeight()})
    for place, words in enumerate(documents):
        grown.add(str(place), {"text": Counter(words)})
        grown.scores(wanted)
    gone = data.draw(st.sets(st.sampled_from(range(len(documents))))) if documents else set()
    for place in gone:
        grown.remove(str(place))
    fresh = Corpus({"text": FieldWeight()})
    for place, words in enumerate(documents):
        if place not in gone:
            fresh.add(str(place), {"text": Counter(words)})
    assert grown.scores(wanted) == fresh.scores(wanted)
    assert grown.top(wanted, 3) == fresh.top(wanted, 3)


@given(DOCUMENTS, st.lists(WORDS, min_size=1))
def test_scores_are_positive_and_explained(documents: list[list[str]], query: list[str]) -> None:
    index = Corpus({"text": FieldWeight()})
    for place, words in enumerate(documents):
        index.add(str(place), {"text": Counter(words)})
    wanted = dict.fromkeys(query, 1.0)
    for key, score in index.scores(wanted).items():
        assert score > 0
        assert abs(sum(worth for _, worth in index.explain(wanted, key)) - score) < 1e-9


@given(st.lists(st.text(alphabet="ab \n", max_size=30), max_size=6), st.floats(min_value=0.05, max_value=1.0))
def test_near_pairs_are_those_of_every_pair_compared(texts: list[str], at_least: float) -> None:
    sets = [shingles(text, 2) for text in texts]
    slow = [
        (first, second)
        for first in range(len(sets))
        for second in range(first + 1, len(sets))
        if sets[first] & sets[second] and len(sets[first] & sets[second]) / len(sets[first] | sets[second]) >= at_least
    ]
    assert [(pair.first, pair.second) for pair in near_pairs(sets, at_least)] == slow
