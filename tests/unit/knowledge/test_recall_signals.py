"""Each signal of the ranker and each clue for showing an entry unasked, against its formula worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.neighbours import MOST_CITING
from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.reading import read_question
from ctxe.knowledge.recall.signals import SIGNALS, SlotSignals, Vector
from ctxe.knowledge.recall.weights import TRACE, WORDS, Weights
from ctxe.knowledge.recall.worth import ALSO, CLUES, Scored, clues, relevance_odds, relevant

COMMON = {"gamma": 0.1, "alpha": 0.05}
BACKGROUND = 200


def rarity(number: int, having: int, elsewhere: float = 0.0) -> float:
    """The inverse document frequency when 200 texts elsewhere count as well."""
    documents, found = number + BACKGROUND, having + BACKGROUND * elsewhere
    return math.log(1.0 + (documents - found + 0.5) / (found + 0.5))


def worth(times: float, length: float, average: float, k1: float = 1.6, b: float = 0.75) -> float:
    """What a term that a text says so many times is worth there (BM25)."""
    short = times / (1.0 - b + b * length / average)
    return short * (k1 + 1.0) / (short + k1)


def look(entries: list[Entry], query: Query, common: Mapping[str, float] = COMMON) -> SlotSignals:
    postings = Postings(None, common)
    postings.sync(entries)
    return SlotSignals(postings, read_question(query), query.as_of)


def signals(
    entries: list[Entry], query: Query, fed: Mapping[str, float] | None = None, common: Mapping[str, float] = COMMON
) -> dict[str, dict[str, float]]:
    """The signals that are not 0 of every entry, by its id."""
    asked = look(entries, query, common)
    vectors = asked.vectors(sorted(asked.postings.entries), fed or {})
    named = {
        asked.postings.entries[slot].id: dict(zip(SIGNALS, vector, strict=True)) for slot, vector in vectors.items()
    }
    return {name: {key: value for key, value in found.items() if value} for name, found in named.items()}


ALPHA = Entry("a", "fact", "alpha beta", text="gamma gamma delta", files=("src/alpha.py",))
EPSILON = Entry("e", "fact", "delta", text="epsilon")


def test_words_titles_names_and_files_count_by_rarity_and_length() -> None:
    query = Query("gamma alpha\ngamma zeta py", files=("src/alpha.py",))
    gamma, alpha = rarity(2, 1, 0.1), rarity(2, 1, 0.05)
    one, path = rarity(2, 1), worth(1, 3, 1.5, 1.2, 0.5)
    squares = {"gamma": (1 + math.log(2)) * gamma, "alpha": alpha, "zeta": rarity(2, 0), "py": rarity(2, 0)}
    length = math.hypot(*squares.values())
    found = signals([ALPHA, EPSILON], query, {"delta": 0.5, "epsilon": 0.25})
    delta = rarity(2, 2)
    assert found["e"] == pytest.approx({"feedback": (0.5 * delta + 0.25 * one) * worth(1, 2, 3.5)})
    grams = found["a"].pop("grams")
    assert found["a"] == pytest.approx(
        {
            "head": gamma * worth(2, 5, 3.5) + alpha * worth(1, 5, 3.5),
            "feedback": 0.5 * delta * worth(1, 5, 3.5),
            "names": (rarity(2, 1, 0.05) + one) * path,
            "files": 3 * one * path,
            "file": one,
            "cover": alpha / (alpha + one),
            "opening": gamma,
            "shared": (squares["gamma"] * gamma * math.log1p(2) + squares["alpha"] * alpha * math.log1p(1)) / length,
            "rarest": max(gamma, alpha),
        }
    )
    # " gam", "gamm", "amma", "mma ", as many of alpha, and "eta " that zeta shares with beta: in one of two entries
    assert grams == pytest.approx(9 * math.log(1 + (2 - 1 + 0.5) / (1 + 0.5)))


def test_postings_hold_the_weight_of_each_term_for_each_entry() -> None:
    postings = look([ALPHA, EPSILON], Query("gamma")).postings
    found = {term: postings.weighed(term) for term in ("gamma", "delta", "N:alpha", "F:src/alpha.py", "nobody")}
    assert {term: list(one.worths) for term, one in found.items()} == {
        "gamma": pytest.approx([worth(2, 5, 3.5)]),
        "delta": pytest.approx([worth(1, 5, 3.5), worth(1, 2, 3.5)]),
        "N:alpha": pytest.approx([worth(1, 3, 1.5, 1.2, 0.5)]),
        "F:src/alpha.py": pytest.approx([worth(1, 3, 1.5, 1.2, 0.5)]),
        "nobody": [],
    }
    assert [postings.entries[slot].id for slot in found["delta"].slots] == ["a", "e"]


def test_shared_files_count_together_and_the_rarest_alone() -> None:
    scoped = Entry("s", "fact", "omega", scope=("lib/**",))
    other = Entry("o", "fact", "kappa", files=("docs/alpha.md",))
    found = signals([ALPHA, scoped, other], Query(files=("lib/alpha.py",)))
    one, two = rarity(3, 1), rarity(3, 2)
    assert found == {
        "a": {"files": pytest.approx((one + two) * worth(1, 3, 7 / 3, 1.2, 0.5)), "file": pytest.approx(one)},
        "s": {"files": pytest.approx(one * worth(1, 1, 7 / 3, 1.2, 0.5)), "file": pytest.approx(one)},
        "o": {"files": pytest.approx(two * worth(1, 3, 7 / 3, 1.2, 0.5)), "file": pytest.approx(two)},
    }


def test_failures_fade_with_the_number_of_later_ones() -> None:
    failures = [Entry(f"n{n}", "failure", "boom", ts=str(n)) for n in range(4)]
    fact = Entry("f", "fact", "boom")

    def recent(as_of: float | None) -> dict[str, float]:
        found = signals([*failures, fact], Query("nothing", as_of=as_of))
        return {name: values["recent"] for name, values in found.items() if values}

    assert recent(None) == pytest.approx({f"n{n}": math.exp(-(3 - n) / 100) for n in range(4)})
    assert recent(2.0) == pytest.approx({"n0": math.exp(-1 / 100), "n1": 1.0, "n2": 1.0, "n3": 1.0})


def test_the_age_of_a_failure_is_capped_at_a_thousand_later_ones() -> None:
    failures = [Entry(f"n{n}", "failure", "boom", ts=str(n), path=str(n)) for n in range(1002)]
    found = signals(failures, Query("nothing"))
    assert [name for name, values in found.items() if not values] == ["n0", "n1"]
    assert found["n2"] == {"recent": pytest.approx(math.exp(-999 / 100))}


def test_citations_count_by_number_and_by_the_words_around_them() -> None:
    rule = Entry("adr-7", "decision", "omega", ts="1")
    citing = [
        Entry(f"x{n}", "fact", "kappa", text="kappa sigma, see ADR-7, sigma tau", ts=f"{n + 2}") for n in range(3)
    ]
    found = signals([rule, *citing], Query("sigma"), common={})["adr-7"]
    sigma, said = rarity(4, 3), 7  # of each mention: kappa, sigma, adr, 7, sigma, tau, and the title
    short = 6 / (1 - 0.75 + 0.75 * 3 * said / 60)
    assert found == pytest.approx({"cited": math.log1p(3), "said_of": sigma * short * 2.2 / (short + 1.2)})


TALK = (
    "Ada: is the omega kappa here?",
    "Ben: the sigma tau",
    "Ada: upsilon",
    "Ben: lambda",
    "Ada: rho",
)  # fmt: skip


def test_turns_score_with_their_neighbours_and_their_speaker() -> None:
    log = [Entry(f"D{n}", "log", session="s", ts=str(n), text=text) for n, text in enumerate(TALK)]
    lengths = {"D0": 3, "D1": 3, "D2": 2, "D3": 2, "D4": 2}
    average, omega, sigma = sum(lengths.values()) / 5, rarity(5, 1), rarity(5, 1)
    found = signals(log, Query("what omega did Ben see? sigma"), common={})
    ben = rarity(5, 2)

    def window(*near: int, terms: Mapping[str, int]) -> float:
        length = sum(lengths[f"D{n}"] for n in near)
        known = {"omega": omega, "sigma": sigma, "ben": ben}
        return sum(known[term] * worth(times, length, average * 5) for term, times in terms.items())

    answered = omega * worth(1, 3, average)
    assert {name: values.get("said_by", 0.0) for name, values in found.items()} == {
        **dict.fromkeys(found, 0.0), "D1": 1.0, "D3": 1.0
    }  # fmt: skip
    assert {name: values["answers"] for name, values in found.items() if "answers" in values} == {
        "D1": pytest.approx(answered)
    }
    assert {name: values.get("window", 0.0) for name, values in found.items()} == pytest.approx(
        {
            "D0": window(0, 1, 2, terms={"omega": 1, "sigma": 1, "ben": 1}),
            "D1": window(0, 1, 2, 3, terms={"omega": 1, "sigma": 1, "ben": 2}),
            "D2": window(0, 1, 2, 3, 4, terms={"omega": 1, "sigma": 1, "ben": 2}),
            "D3": window(1, 2, 3, 4, terms={"sigma": 1, "ben": 2}),
            "D4": window(2, 3, 4, terms={"ben": 1}),
        }
    )


def test_the_speaker_counts_when_the_full_name_and_a_word_of_the_turn_match() -> None:
    talk = ("Ada King: where is the omega?", "Ben: sigma", "Ada King: tau", "Ada Lee: tau")
    log = [Entry(f"D{n}", "log", session="s", ts=str(n), text=text) for n, text in enumerate(talk)]

    def counted(text: str, signal: str) -> dict[str, float]:
        found = signals(log, Query(text), common={})
        return {name: values[signal] for name, values in found.items() if signal in values}

    assert counted("what tau did Ada King see?", "said_by") == {"D0": 1.0, "D2": 1.0}
    assert counted("tau\nof Ada King", "said_by") == {"D2": 1.0}
    assert counted("sigma of Ada", "said_by") == {}
    omega, king = rarity(4, 1), rarity(4, 2)
    fit = (omega + rarity(4, 3) + king) * worth(1, 3, 11 / 4)
    assert counted("omega of Ada King", "answers") == {"D1": pytest.approx(fit + 1.5)}
    assert counted("omega", "answers") == {"D1": pytest.approx(omega * worth(1, 3, 11 / 4))}


def test_the_first_turn_of_a_session_answers_no_question() -> None:
    log = [
        Entry(f"D{n}", "log", session="s", ts=str(n), text=text) for n, text in enumerate(("sigma", "tau", "omega?"))
    ]
    assert [name for name, values in signals(log, Query("omega")).items() if "answers" in values] == []


def test_only_log_entries_have_neighbouring_turns() -> None:
    written = [Entry(f"f{n}", "fact", session="s", text=text) for n, text in enumerate(("omega?", "sigma"))]
    assert signals(written, Query("omega"))["f1"] == {}


def test_among_many_mentions_of_an_entry_the_newest_count() -> None:
    rule = Entry("adr-7", "decision", "omega")
    citing = [Entry(f"x{n}", text=f"{'sigma' if n < 8 else 'tau'} ADR-7", path=f"{n}") for n in range(8 + MOST_CITING)]
    assert "said_of" not in signals([rule, *citing], Query("sigma"))["adr-7"]
    assert signals([rule, *citing], Query("tau"))["adr-7"]["said_of"] > 0.0


def scored(asked: SlotSignals, *scores: float, recent: float = 0.0) -> list[Scored]:
    vector: Vector = tuple(recent if name == "recent" else 0.0 for name in SIGNALS)
    entries = sorted(asked.postings.entries.items())
    return [Scored(entry, score, slot, vector) for (slot, entry), score in zip(entries, scores, strict=True)]


def weighed(**starts: float) -> Weights:
    """Weights by which the odds are the fit and a start by kind."""
    clue = dict.fromkeys(CLUES, 0.0) | {"fit": 1.0}
    inject = {kind: clue | {"start": starts.get(kind, 0.0)} for kind in ("failure", "lasting", "log")}
    counting = {name: 2.0 if name == "recent" else 0.0 for name in SIGNALS}
    return Weights(dict.fromkeys((WORDS, TRACE), counting), inject, {})


def test_the_clues_for_showing_an_entry_unasked_follow_their_formula() -> None:
    entries = [ALPHA, EPSILON, Entry("t", "failure", "alpha gamma", files=("a.py", "b.py")), *(
        Entry(f"o{n}", "fact", "omega", path=str(n)) for n in range(2)
    )]  # fmt: skip
    asked = look(entries, Query("gamma alpha\ngamma zeta", files=("src/alpha.py",)))
    found = [
        dict(zip(CLUES, clue, strict=True))
        for clue in clues(asked, scored(asked, 9, 7, 6, 5, 1, recent=0.5), weighed())
    ]
    gamma, alpha, zeta, one = rarity(5, 2, 0.1), rarity(5, 2, 0.05), rarity(5, 0), rarity(5, 1)
    length = math.hypot(gamma, alpha, zeta)
    folder, delta = rarity(5, 0), rarity(5, 2)
    both = gamma**2 + alpha**2
    assert found[0] == pytest.approx(
        {
            "fit": 8.0,
            "behind": 0.0,
            "lead_few": 8.0 - 4.0,
            "lead_many": 8.0,
            "rarest": max(gamma, alpha),
            "alike": both / (length * math.hypot(alpha, one, gamma, delta)),
            "files": 3 * one / (3 * one + folder),
            "head": 1.0,
            "recent": 0.5,
            "many": math.log1p(5),
        }
    )
    assert found[1] == pytest.approx(
        dict.fromkeys(CLUES, 0.0)
        | {"fit": 6.0, "behind": 2.0, "lead_few": 2.0, "lead_many": 6.0, "recent": 0.5, "many": math.log1p(5)}
    )
    assert found[2]["alike"] == pytest.approx(both / (length * math.hypot(alpha, gamma)))


def test_the_lead_is_measured_against_the_fourth_and_twentieth_result() -> None:
    entries = [Entry(f"o{n}", "fact", "omega", path=str(n)) for n in range(22)]
    asked = look(entries, Query("omega"))
    found = [
        dict(zip(CLUES, clue, strict=True)) for clue in clues(asked, scored(asked, *range(100, 78, -1)), weighed())
    ]
    assert [(clue["lead_few"], clue["lead_many"]) for clue in (found[0], found[1])] == [(3.0, 19.0), (2.0, 18.0)]


def test_results_nearly_as_likely_as_the_best_are_shown_with_it() -> None:
    entries = [Entry("a", "fact", "omega"), Entry("b", "fact", "kappa"), Entry("c", "fact", "sigma")]
    asked = look(entries, Query("omega"))
    found = scored(asked, 0.0, -ALSO, -ALSO - 0.01)
    assert [one.entry.id for one in relevant(asked, found, weighed())] == ["a", "b"]
    assert relevant(asked, scored(asked, -0.01, -0.02, -0.03), weighed()) == []
    assert relevant(asked, [], weighed()) == []


def test_each_kind_of_entry_has_its_own_prior() -> None:
    kinds = ("failure", "log", "decision", "fact", "preference", "routine")
    asked = look([Entry(kind, kind, "omega", ts="1") for kind in kinds], Query("omega"))
    found = scored(asked, *(1.0 for _ in kinds))
    assert relevance_odds(asked, found, weighed(failure=0.1, log=0.2, lasting=0.3)) == pytest.approx(
        [1.1, 1.2, *[1.3] * 4]
    )
