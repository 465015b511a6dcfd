"""Trimming a tool's output: every kind of output keeps its important lines, and says what was left out."""

from __future__ import annotations

import time

import pytest

from ctxe.context.trim import Kind, Trimmed, handle_of, trim
from tests.support.counting import count_words

NUMBERED = "\n".join(f"line {n} of it" for n in range(1, 101))


@pytest.mark.parametrize("run", ["1", "1/", "a", ".", "=", " "])
def test_one_very_long_word_is_trimmed_quickly(run: str) -> None:
    started = time.process_time()
    trim(run * 60_000, "shell", 30, count_words)
    trim(run * 60_000, "search", 30, count_words)
    assert time.process_time() - started < 2


def test_an_output_that_fits_is_unchanged() -> None:
    assert trim("one\ntwo\n", "read", 10, count_words) == Trimmed("one\ntwo\n")
    assert not trim("one\ntwo\n", "shell", 10, count_words).is_cut


def test_a_read_keeps_its_head_and_names_the_handle() -> None:
    got = trim(NUMBERED, "read", 30, count_words)
    handle = handle_of(NUMBERED)
    assert got.handle == handle
    lines = got.text.split("\n")
    assert lines[:-1] == NUMBERED.split("\n")[: len(lines) - 1]
    assert lines[-1] == f"[{100 - len(lines) + 1} lines left out; recall {handle}]"
    assert count_words(got.text) <= 30


def test_shell_output_keeps_both_ends_and_error_lines() -> None:
    lines = NUMBERED.split("\n")
    lines[49] = "E   error here now"
    lines.append("exit code 1")
    got = trim("\n".join(lines), "shell", 60, count_words)
    assert got.text.split("\n")[0] == "line 1 of it"
    assert got.text.endswith("exit code 1")
    assert "E   error here now" in got.text.split("\n")
    assert got.text.count("recall") == 1
    assert count_words(got.text) <= 60


def test_other_output_keeps_both_ends() -> None:
    got = trim(NUMBERED, "other", 40, count_words).text.split("\n")
    assert got[0] == "line 1 of it"
    assert got[-1] == "line 100 of it"


def test_a_search_names_every_file_before_it_shows_more_of_one() -> None:
    found = [f"src/{name}.py:{n}:call {n}" for name in ("a", "b", "c") for n in range(1, 21)]
    got = trim("\n".join(found), "search", 16, count_words)
    assert got.text.split("\n") == [*found[:3], found[20], found[40], f"[55 more lines; recall {got.handle}]"]


def test_a_search_under_headings_names_every_file_too() -> None:
    found = [line for name in ("a", "b", "c") for line in (f"src/{name}.py", *(f"{n}:call {n}" for n in range(1, 21)))]
    got = trim("\n".join(found), "search", 12, count_words)
    assert got.text.split("\n") == [*found[:3], found[21], found[42], f"[58 more lines; recall {got.handle}]"]


def test_a_single_long_line_is_capped() -> None:
    text = "short\n" + "x" * 5_000 + "\nend"
    got = trim(text, "read", 100, count_words)
    line = f"{'x' * 1500} [3,250 characters left out] {'x' * 250}"
    assert got.text == f"short\n{line}\nend\n[shortened; recall {got.handle}]"
    assert got.handle == handle_of(text)


def test_one_line_alone_may_fill_the_room() -> None:
    text = "y" * 6_000
    assert trim(text, "other", 3_000, lambda t: len(t) // 4) == Trimmed(text)


def test_escape_codes_are_removed() -> None:
    coloured = "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1bMup"
    assert trim(coloured, "other", 100, count_words) == Trimmed("red link up")
    assert trim("\x1b[1mbold", "read", 10, count_words) == Trimmed("bold")


def test_overwritten_lines_and_progress_bars_show_their_end() -> None:
    assert trim("load 1%\rload 50%\rload 100%\r\ndone", "shell", 100, count_words) == Trimmed("load 100%\ndone")
    bars = "\n".join(f"Downloading {n}% |{'#' * (n // 10)}" for n in range(0, 101, 10))
    text = f"start\n{bars}\nend"
    note = f"[10 lines like the next one, with other numbers; recall {handle_of(text)}]"
    shown = f"start\n{note}\nDownloading 100% |##########\nend"
    assert trim(text, "shell", 100, count_words) == Trimmed(shown, handle_of(text))


def test_results_that_look_like_progress_become_a_count_with_a_handle() -> None:
    epochs = [f"Epoch {n}/12: 100% loss={1 / n:.2f} acc={60 + n}%" for n in range(1, 13)]
    text = "\n".join(["train", *epochs, "saved"])
    handle = handle_of(text)
    told = f"train\n[11 lines like the next one, with other numbers; recall {handle}]\n{epochs[-1]}\nsaved"
    assert trim(text, "shell", 1_000, count_words) == Trimmed(told, handle)
    assert trim(text, "read", 1_000, count_words) == Trimmed(text)
    few = "\n".join(epochs[:9])
    assert trim(few, "shell", 1_000, count_words) == Trimmed(few)
    same = "\n".join(["3/4 done"] * 20)
    assert trim(same, "shell", 1_000, count_words) == Trimmed("3/4 done\n[the line above 19 more times]")


@pytest.mark.parametrize(
    "line",
    [
        "test filter::size::is_size_{} ... ok",
        "tests/test_a.py::test_it[{}] PASSED   [ 12%]",
        "    --- PASS: TestRoute/case_{} (0.00s)",
        "  ✓ src/ref.spec.ts > ref {} 3ms",
        "ok {} - parses it",
        "tests/test_{}.py ....s..x.         [ 12%]",
        "PASS src/ref{}.test.ts (5.123 s)",
        "CacheTest > caches[{}] PASSED",
        "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.0{} s -- in org.x.ATest",
        "[INFO] Running org.jsoup.nodes.A{}Test",
        " {}/60 Test #7: parse ............................   Passed    0.01 sec",
        "    Start {}: util",
        "[       OK ] ParserTest.Empty{} (0 ms)",
        "[ RUN      ] ParserTest.Empty{}",
    ],
)
def test_passed_tests_become_a_count_and_failed_ones_are_shown(line: str) -> None:
    passed, failed = [line.format(n) for n in range(40)], "test filter::size::is_size_41 ... FAILED"
    text = "\n".join(["running 41 tests", *passed, failed, *passed[:3], "1 failed"])
    handle = handle_of(text)
    told = f"running 41 tests\n[40 lines of tests that passed; recall {handle}]\n{failed}\n"
    assert trim(text, "shell", 10_000, count_words, handle).text == told + "\n".join([*passed[:3], "1 failed"])
    assert trim(text, "read", 10_000, count_words, handle).text == text


def test_distinct_lines_with_numbers_are_not_taken_for_a_progress_bar() -> None:
    text = "tests/a 3/3 ok\ntests/b 4/4 ok"
    assert trim(text, "shell", 100, count_words) == Trimmed(text)


def test_repeated_lines_are_counted() -> None:
    text = "go\n" + "warn: x\n" * 41 + "end"
    assert trim(text, "shell", 100, count_words) == Trimmed("go\nwarn: x\n[the line above 40 more times]\nend")
    assert trim("a\na\na", "shell", 100, count_words) == Trimmed("a\na\na")


def test_a_file_keeps_its_repeats_and_line_ends() -> None:
    text = "}\r\n" * 9
    assert trim(text, "read", 100, count_words) == Trimmed(text)


def test_only_the_ends_of_a_huge_output_are_read() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text) // 4

    text = "start\n" + "filler\n" * 3_000_000 + "exit code 3"
    got = trim(text, "shell", 100, count)
    assert got.text.startswith("start\n")
    assert got.text.endswith(f"exit code 3\n[shortened; recall {handle_of(text)}]")
    assert max(counted) < 20_000
    assert "lines left out]\n" in got.text


@pytest.mark.parametrize("kind", ["read", "shell", "search", "other"])
@pytest.mark.parametrize("limit", [0, 1, 7, 20, 1000])
def test_the_limit_holds_apart_from_the_marker(kind: Kind, limit: int) -> None:
    got = trim(NUMBERED, kind, limit, count_words)
    assert count_words(got.text) <= max(limit, 6)
    assert trim(NUMBERED, kind, limit, count_words) == got


def test_trimming_is_idempotent() -> None:
    once = trim(NUMBERED, "shell", 60, count_words)
    assert trim(once.text, "shell", 60, count_words) == Trimmed(once.text)


def test_odd_texts_are_unchanged() -> None:
    assert trim("", "shell", 5, count_words) == Trimmed("")
    assert trim("\ud800 half", "read", 5, count_words) == Trimmed("\ud800 half")
