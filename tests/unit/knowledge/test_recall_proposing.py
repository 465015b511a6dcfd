"""Which entries recall examines closely: one strong signal comes before many weak ones."""

from __future__ import annotations

import math

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.propose import CANDIDATES, MOST_POSTINGS, NEAR, candidates
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.reading import read_question
from ctxe.knowledge.recall.signals import SIGNALS, SlotSignals
from ctxe.knowledge.recall.weights import WORDS, shipped_weights

CROWDED = "kappa sigma tau lambda rho theta iota zeta north south east west amber cobalt indigo maroon"
"""Words that a crowd says and that a question asks in passing, below its first line."""


def crowd(number: int = 100, text: str = CROWDED) -> list[Entry]:
    """Newer than anything else, so that of equals they come first; each with a file, of which nobody asks."""
    return [
        Entry(f"c{n}", "fact", text=text, path=f"memory/c{n}.md", files=(f"lib/crowd{n}.rs",)) for n in range(number)
    ]


def looked_at(entries: list[Entry], query: Query, most: int = 0, hidden: str = "") -> list[str]:
    postings = Postings()
    postings.sync(entries)
    look = SlotSignals(postings, read_question(query), query.as_of)
    allowed = {slot for slot, entry in postings.entries.items() if entry.id != hidden}
    return [
        postings.entries[slot].id
        for slot in candidates(look, allowed.__contains__, shipped_weights().signals[WORDS], most)
    ]


@pytest.mark.parametrize(
    ("special", "query"),
    [
        (Entry("x", text="omega"), Query(f"omega\n{CROWDED}")),
        (Entry("x", text="psi", files=("omega/psi.rs",)), Query(f"chi\n{CROWDED} omega psi")),
        (Entry("x", text="psi", files=("src/omega.rs",)), Query(f"chi\n{CROWDED}", ("src/omega.rs",))),
        (Entry("x", text="psi", scope=("src/**",)), Query(f"chi\n{CROWDED}", ("src/omega.rs",))),
        (Entry("x", "failure", text="kappa psi"), Query(f"chi\n{CROWDED}")),
    ],
    ids=["first line", "names", "files", "scope", "new failure"],
)
def test_one_strong_signal_outranks_many_weak_matches(special: Entry, query: Query) -> None:
    assert len(looked_at([special, *crowd()], query)) == CANDIDATES
    assert looked_at([special, *crowd()], query)[0] == "x"


def test_words_of_the_best_hits_find_what_shares_none_with_the_question() -> None:
    hits = [Entry(f"h{n}", text="omega psi chi phi upsilon", path=f"{n}") for n in range(5)]
    kin = Entry("kin", text="psi chi phi upsilon")
    found = looked_at([kin, *hits, *crowd(text="kappa")], Query("omega\nkappa"))
    assert [found[:6], len(found)] == [["h4", "h3", "h2", "h1", "h0", "kin"], CANDIDATES]


def test_expansion_words_are_weighed_by_frequency_and_rarity() -> None:
    entries = [Entry("h", text="omega psi psi chi"), Entry("o", text="chi tau", path="o")]
    postings = Postings()
    postings.sync(entries)
    look = SlotSignals(postings, read_question(Query("omega")))
    found = {
        postings.entries[slot].id: vector
        for slot, vector in candidates(look, lambda _: True, shipped_weights().signals[WORDS], 0).items()
    }
    psi, chi, length = postings.rarity("psi"), postings.rarity("chi"), 0.25 + 0.75 * 4 / 3
    fed = chi / (psi * (1 + math.log(2)))
    assert found["h"][SIGNALS.index("feedback")] == pytest.approx(
        psi * (2 / length) * 2.6 / (2 / length + 1.6) + fed * chi * (1 / length) * 2.6 / (1 / length + 1.6)
    )


def test_the_requested_number_of_candidates_is_proposed() -> None:
    assert len(looked_at(crowd(), Query("kappa"))) == CANDIDATES
    assert len(looked_at(crowd(), Query("kappa"), most=80)) == 80
    assert [len(Ranker().ranked(Query("kappa", k=k), crowd())) for k in (5, 80)] == [CANDIDATES, 80]


def test_among_equal_candidates_the_newest_are_proposed() -> None:
    assert looked_at(crowd(), Query("kappa")) == [f"c{99 - n}" for n in range(CANDIDATES)]


def test_neighbouring_turns_and_mentioned_entries_are_proposed_when_allowed() -> None:
    log = [
        Entry(f"D{n}", "log", session="s", ts=str(n), text=text)
        for n, text in enumerate(["psi", "chi", "omega", "phi", "tau", "rho"])
    ]
    rules = [Entry("adr-7", text="psi", path="a"), Entry("b", text="omega as ADR-7 says", path="b")]
    assert sorted(looked_at([*log, *rules], Query("omega"))) == ["D0", "D1", "D2", "D3", "D4", "adr-7", "b"]
    assert sorted(looked_at([*log, *rules], Query("omega"), hidden="adr-7")) == ["D0", "D1", "D2", "D3", "D4", "b"]
    assert sorted(looked_at([*log, *rules], Query("omega"), hidden="D3")) == ["D0", "D1", "D2", "D4", "adr-7", "b"]


def test_an_id_in_a_text_does_not_propose_turns() -> None:
    turns = [Entry("turn-7", "log", text="psi", session="s", ts="1"), Entry("b", text="omega in turn 7", ts="2")]
    assert looked_at(turns, Query("omega")) == ["b"]


def test_only_the_best_candidates_propose_others() -> None:
    pairs = [
        Entry(f"{kind}-{n}", text=text, path=f"{kind}{n}")
        for n in range(NEAR + 1)
        for kind, text in (("rule", "psi"), ("says", f"omega, see RULE-{n}"))
    ]
    found = looked_at(pairs, Query("omega"))
    assert sorted(found) == sorted([f"says-{n}" for n in range(NEAR + 1)] + [f"rule-{n}" for n in range(1, NEAR + 1)])


def test_a_very_common_word_proposes_nothing_beside_a_rarer_one() -> None:
    many = [Entry(f"m{n}", text="kappa", path=f"{n}") for n in range(MOST_POSTINGS)]
    rare = Entry("x", text="omega")
    assert looked_at([rare, *many], Query("kappa omega")) == ["x"]
    assert len(looked_at([rare, *many], Query("kappa"))) == CANDIDATES
