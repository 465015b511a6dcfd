"""Lines are counted so that their sum is no less than the text's own count."""

from __future__ import annotations

from pathlib import Path

from ctxe.repo.indexing import linecount
from ctxe.storage.vocabulary import count

SOURCES = sorted(Path(linecount.__file__).parent.glob("*.py"))


def test_the_sum_of_lines_is_a_close_upper_bound() -> None:
    exact = linecount.exact()
    for path in SOURCES[:12]:
        text = path.read_text()
        lines, true = sum(exact(text.split("\n"))), count(text)
        assert true <= lines <= true * 1.06 + 3


def test_an_estimate_is_close_and_errs_upwards() -> None:
    exact = linecount.exact()
    lines = [line for path in SOURCES for line in path.read_text().split("\n")]
    true, guessed = sum(exact(lines)), sum(linecount.estimate(lines))
    assert true <= guessed <= true * 1.15


def test_odd_lines_are_estimated_above_their_count() -> None:
    lines = ["", " " * 300, "x" * 5000, "茶壶漏水了" * 40, "é" * 100, "\t\t\t", "0123456789" * 10, "=" * 120, "aB" * 50]
    exact = linecount.exact()(lines)
    assert [guess >= true for guess, true in zip(linecount.estimate(lines), exact, strict=True)] == [True] * len(lines)


def test_every_line_is_counted_as_the_vocabulary_counts_it() -> None:
    indents, words = (
        ["", " ", "    ", "\t", "\t\t", " \t ", "\t "],
        ["x", "=", "call(a,", "1)", "{", "}", "//", "'s", "don't", "1234"],
    )
    plain = [f"{indent}{' '.join(words[n : n + 1 + n % 4])}" for indent in indents for n in range(len(words))]
    odd = [
        "",
        "  ",
        "\t",
        "a  b",
        "a \t b",
        "a ",
        "\ta\t",
        "é = 1",
        "x\x0cy",
        "a\xa0b",
        " \x0bx",
        "  #  x",
        "x" * 200_000,
    ]
    lines = [*plain, *odd, *plain]
    assert list(linecount.exact()(lines)) == [min(count(line + "\n"), linecount.MOST) for line in lines]


def test_lines_of_many_words_are_counted_whole_and_as_exactly() -> None:
    lines = [f"name_{n} = value_{n * 7919}({n})" for n in range(4_000)]
    counted = list(linecount.exact()(lines)) + list(linecount.exact()([*lines, lines[0]]))[-1:]
    assert counted == [count(f"{line}\n") for line in [*lines, lines[0]]]
