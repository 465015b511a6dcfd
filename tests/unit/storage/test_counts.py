"""Token counts: each text is counted once for all sessions, and the estimate learns only from plausible usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctxe.storage.counts import MOST_IN_MEMORY, Counts, Estimate


class Tokenizer:
    """One token a word; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str) -> int:
        self.asked.append(text)
        return len(text.split())


def test_a_text_is_counted_once_across_sessions(tmp_path: Path) -> None:
    first, second, other = Tokenizer(), Tokenizer(), Tokenizer()
    counts = Counts("words", first, tmp_path)
    assert [counts("one two"), counts(""), counts("one two"), counts("")] == [2, 0, 2, 0]
    counts.save()
    again = Counts("words", second, tmp_path)
    assert [again("one two"), again(""), again("three")] == [2, 0, 1]
    assert Counts("other", other, tmp_path)("one two") == 2
    assert (first.asked, second.asked, other.asked) == (["one two", ""], ["three"], ["one two"])


def test_recently_used_unsaved_counts_are_remembered(tmp_path: Path) -> None:
    tokenizer = Tokenizer()
    counts = Counts("words", tokenizer, tmp_path)
    for number in [*range(MOST_IN_MEMORY + 1), 0]:
        counts(str(number))
    assert len(tokenizer.asked) == MOST_IN_MEMORY + 1


@pytest.mark.parametrize("damage", ["text", "folder", "parent"])
def test_without_a_file_counts_are_kept_in_memory(tmp_path: Path, damage: str) -> None:
    path, tokenizer = tmp_path / "cache" / "counts.db", Tokenizer()
    if damage == "parent":
        path.parent.write_text("no folder")
    else:
        path.parent.mkdir()
        path.mkdir() if damage == "folder" else path.write_bytes(b"no database " * 400)
    counts = Counts("words", tokenizer, path.parent)
    assert [counts("one two"), counts("one two")] == [2, 2]
    counts.save()
    assert tokenizer.asked == ["one two"]
    kept = Tokenizer()
    Counts("words", kept, path.parent)("one two")
    assert kept.asked == ([] if damage == "text" else ["one two"])


def test_an_estimate_starts_high_and_moves_only_after_enough_requests(tmp_path: Path) -> None:
    path = tmp_path / "ratios.json"
    estimate = Estimate("a/b", len, path)
    assert [estimate("x" * 100), estimate("x"), estimate("")] == [135, 2, 0]
    estimate.settle()
    assert not path.exists()
    estimate.learn(1350, 1100)
    assert estimate("x" * 100) == 135
    estimate.settle()
    assert estimate.factor == pytest.approx(1.1 * Estimate.MARGIN)
    assert json.loads(path.read_text()) == {"a/b": {"n": 1, "ratio": 1.1}}
    assert Estimate("a/b", len, path).factor == pytest.approx(1.1 * Estimate.MARGIN)
    assert Estimate("other", len, path).factor == Estimate.START


@pytest.mark.parametrize(("ours", "theirs"), [(499, 400), (1350, 0), (1350, -5), (1350, 499), (1350, 3001)], ids=str)
def test_implausible_usage_does_not_change_the_estimate(ours: int, theirs: int) -> None:
    estimate = Estimate("a/b", len)
    estimate.learn(ours, theirs)
    estimate.settle()
    assert estimate.factor == Estimate.START


def test_newer_requests_weigh_at_least_an_eighth() -> None:
    estimate = Estimate("a/b", len)
    for _ in range(50):
        estimate.learn(1350, 1000)
    estimate.learn(1350, 1800)
    estimate.settle()
    assert estimate.factor == pytest.approx((1.0 + 0.8 / 8) * Estimate.MARGIN)


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "{",
        '{"a/b": 3}',
        '{"a/b": {"ratio": "x", "n": 2}}',
        '{"a/b": {"ratio": 0, "n": 2}}',
        '{"a/b": {"ratio": NaN, "n": 2}}',
        '{"a/b": {"ratio": 1e400, "n": 2}}',
        '{"a/b": {"ratio": null, "n": 2}}',
        '{"a/b": {"ratio": 1.2}}',
        '{"a/b": {"ratio": 1.2, "n": 1e400}}',
    ],
)
def test_a_damaged_count_file_is_ignored_and_rewritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ratios.json"
    path.write_text(text)
    estimate = Estimate("a/b", len, path)
    assert (estimate.factor, estimate("x" * 100)) == (Estimate.START, 135)
    estimate.learn(1350, 1100)
    estimate.settle()
    assert json.loads(path.read_text()) == {"a/b": {"n": 1, "ratio": 1.1}}
