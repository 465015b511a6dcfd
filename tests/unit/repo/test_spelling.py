"""The spelling of names in reasons."""

from __future__ import annotations

import pytest

from ctxe.repo.planning.spelling import convincing, listed_words, short, whole


def test_parts_of_a_listed_name_are_not_listed() -> None:
    assert whole(["WebSocket", "ping", "web", "socket", "Ping"]) == ["WebSocket", "ping", "Ping"]


def test_weak_words_are_given_only_when_there_are_no_others() -> None:
    assert convincing(["sinc", "kettl", "fix"]) == ["kettl"]
    assert convincing(["sinc", "fix"]) == ["sinc", "fix"]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("`Kettle.boil` mentions water, Longer", ["water", "longer"]),
        ("lines 1-4 mention water", ["water"]),
        ("contains water, tea", ["water", "tea"]),
    ],
)
def test_words_are_joined_into_a_reason(detail: str, words: list[str]) -> None:
    assert listed_words(detail) == words


def test_deeply_nested_names_are_shortened_to_their_last_parts() -> None:
    assert short("Kettle.boil") == "Kettle.boil"
    assert short(".".join(f"DISABLE_{n:02}" for n in range(9))) == "…" + ".".join(
        f"DISABLE_{n:02}" for n in range(4, 9)
    )
    assert short("x" * 100) == "…" + "x" * 60
