"""Lines are counted so that their sum is no less than the text's own count."""

from __future__ import annotations

from pathlib import Path

from ctxe.repo.indexing import line_tokens
from ctxe.storage.vocabulary import count

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(Path(line_tokens.__file__).parent.glob("*.py"))


def test_the_sum_of_line_tokens_is_a_close_upper_bound() -> None:
    exact = line_tokens.exact()
    for path in SOURCES[:12]:
        text = path.read_text()
        lines, true = sum(exact(text.split("\n"))), count(text)
        assert true <= lines <= true * 1.06 + 3


def test_a_line_token_estimate_is_rarely_too_low_and_never_far_off() -> None:
    below, stretches = [], 0
    for path in (*SOURCES, *sorted(ROOT.glob("tests/unit/repo/*.py")), *sorted(ROOT.glob("docs/*.md"))):
        lines = path.read_text().split("\n")
        guessed = line_tokens.estimate(lines)
        for size in (5, 20, 60):
            for start in range(0, len(lines) - size, size):
                stretches += 1
                more = count("\n".join(lines[start : start + size])) - sum(guessed[start : start + size])
                below += [more] if more > 0 else []
        assert sum(guessed) <= count("\n".join(lines)) * 1.7
    assert stretches > 1_000
    assert len(below) <= stretches // 500
    assert max(below, default=0) <= 16


def test_odd_lines_are_estimated_above_their_count() -> None:
    lines = ["", " " * 300, "x" * 5000, "茶壶漏水了" * 40, "é" * 100, "\t\t\t", "0123456789" * 10, "=" * 120, "aB" * 50]
    exact = line_tokens.exact()(lines)
    assert [guess >= true for guess, true in zip(line_tokens.estimate(lines), exact, strict=True)] == [True] * len(
        lines
    )


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
    assert list(line_tokens.exact()(lines)) == [min(count(line + "\n"), line_tokens.MOST_TOKENS) for line in lines]


def test_lines_of_many_words_are_counted_whole_and_as_exactly() -> None:
    lines = [f"name_{n} = value_{n * 7919}({n})" for n in range(4_000)]
    counted = list(line_tokens.exact()(lines)) + list(line_tokens.exact()([*lines, lines[0]]))[-1:]
    assert counted == [count(f"{line}\n") for line in [*lines, lines[0]]]


def test_a_list_of_paths_costs_no_more_than_its_estimate() -> None:
    numbered = [f"peps/pep-{number:04}.rst" for number in range(0, 800, 31)]
    hashed = [f"cache/{number * 0x9E3779B97F4A7C15 % 2**64:016x}-{number:03}.json" for number in range(1, 25)]
    own = [str(path.relative_to(ROOT)) for path in (*SOURCES, *sorted(ROOT.glob("tests/**/*.txt")))]
    odd = ["茶/壶.py", "🚀🧪.md", "a/b/c/d/e/f", "1/2/3/4.x", "!!{}[]#@.txt", "AbCdEf/XyZ.ts"]
    for names in (numbered, hashed, own, odd):
        said = sum(map(line_tokens.of_name, names))
        assert count("\n".join(names)) <= said <= 3 * count("\n".join(names))
