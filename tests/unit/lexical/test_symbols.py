"""Paths, identifiers, stack frames and errors named in a text."""

import time

import pytest

from ctxe.lexical.symbols import Symbols, symbols_in
from ctxe.lexical.traces import PrintedError, TraceLocation


def test_paths_and_identifiers_are_found_in_a_sentence() -> None:
    text = (
        "Fix `parseHeader` and foo.bar_baz() in src/http/parser.py:123, see ./docs/ and README.md; HTTPServer reads "
        "MAX_SIZE, e.g. #42 and deadbeef1, https://a.b/c#4."
    )
    assert symbols_in(text) == Symbols(
        paths=(TraceLocation("src/http/parser.py", 123), TraceLocation("./docs/"), TraceLocation("README.md")),
        modules=("foo.bar_baz",),
        identifiers=("parseHeader", "HTTPServer", "MAX_SIZE"),
        urls=("https://a.b/c#4",),
        commits=("deadbeef1",),
    )


def test_plain_english_names_nothing() -> None:
    assert symbols_in("Either and/or, i.e. version 3.14 (U.S.A.) of it... don't; 12:30 - ok?") == Symbols()


def test_frames_and_error_are_found_in_pytest_output() -> None:
    text = "tests/test_x.py:12: AssertionError\nFAILED tests/test_x.py::TestY::test_z[a-1] - ValueError: no\n"
    assert symbols_in(text) == Symbols(
        frames=(TraceLocation("tests/test_x.py", 12),), errors=(PrintedError("ValueError", "no"),)
    )


def test_a_stack_trace_line_is_only_a_frame() -> None:
    found = symbols_in('  File "/app/a_b.py", line 3, in do_it\n    at org.x.Foo.run(Foo.java:9)\n')
    assert found == Symbols(
        frames=(TraceLocation("/app/a_b.py", 3, "do_it"), TraceLocation("org/x/Foo.java", 9, "org.x.Foo.run")),
    )


@pytest.mark.parametrize(
    "piece",
    [
        "a/",
        "a.",
        "(",
        "_",
        "a:",
        "#1 ",
        "at ",
        "at a(",
        "`",
        "Caused by: ",
        "E ",
        ":1",
        "a::",
        "[a",
        "A1",
        "aB",
        "~/.",
        "-",
        "+-",
        "~",
        "@",
        "\\",
    ],
)
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    line = piece * (1900 // len(piece))
    started = time.process_time()
    symbols_in("\n".join([line] * 100))
    assert time.process_time() - started < 2.0
