"""Facts of a run, read from the output of real test runners and compilers (transcripts/)."""

import time
from pathlib import Path
from typing import Any

import pytest

from ctxe.tools.outcomes.fault import Fault
from ctxe.tools.outcomes.faults import read_fault
from ctxe.tools.outcomes.outcome import outcome

TRANSCRIPTS = Path(__file__).with_name("transcripts")
PYTEST_IDS = [
    "test_a.py::test_bad",
    "test_a.py::test_par[1]",
    "test_a.py::test_par[2]",
    "test_a.py::T::test_e",
    "test_a.py::T::test_u",
    "test_a.py::test_fix",
]


def run(runner: str, passed: int, failures: int, failed: list[str], skipped: int = 0) -> dict[str, Any]:
    return {"runner": runner, "passed": passed, "failures": failures, "failed": failed, "skipped": skipped}


def error(kind: str, message: str, file: str = "", line: int = 0) -> dict[str, Any]:
    return {"class": kind, "message": message, "file": file, "line": line}


NO_FIXTURE = error("FixtureLookupError", "fixture 'nope' not found", "test_a.py", 11)
CASES: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "pytest": (run("pytest", 1, 6, PYTEST_IDS, 1), NO_FIXTURE),
    "pytest-q": (run("pytest", 1, 6, PYTEST_IDS, 1), NO_FIXTURE),
    "pytest-x": (
        run("pytest", 1, 1, ["test_a.py::test_bad"]),
        error("AssertionError", "assert [1, 2] == [1, 3]", "test_a.py", 7),
    ),
    "pytest-collection": (
        run("pytest", 0, 1, ["test_b.py"]),
        error("ModuleNotFoundError", "No module named 'nonexist'", "test_b.py", 1),
    ),
    "pytest-syntax": (
        run("pytest", 0, 1, ["tests/test_model.py"]),
        error("SyntaxError", "'(' was never closed", "src/invoices/model.py", 24),
    ),
    "pytest-passed": (run("pytest", 2, 0, [], 1), None),
    "unittest": (
        run("unittest", 0, 2, ["test_a.T.test_e", "test_a.T.test_u"]),
        error("ValueError", "boom: x", "test_a.py", 16),
    ),
    "unittest-passed": (run("unittest", 2, 0, [], 1), None),
    "jest": (
        run("jest", 1, 1, ["suite › bad one"], 1),
        error("AssertionError", "expect(received).toBe(expected) // Object.is equality", "js/a.test.js", 1),
    ),
    "vitest": (
        run("vitest", 1, 1, ["vt/b.test.mjs > suite > bad one"], 1),
        error("AssertionError", "expected 1 to be 2 // Object.is equality", "vt/b.test.mjs", 2),
    ),
    "node-test": (run("node", 1, 1, ["bad one"]), error("AssertionError", "1 == 2", "n.test.mjs", 2)),
    "mocha": (run("mocha", 1, 1, ["suite bad one"]), error("Error", "boom", "m.js", 1)),
    "go-test": (
        run("go", 1, 2, ["TestSum", "TestSum/negative"], 1),
        error("FAIL", "got 3, want -1", "sum_test.go", 18),
    ),
    "go-build": (run("go", 0, 1, ["example.org/p/sum"]), error("error", "undefined: total", "sum.go", 7)),
    "cargo-test": (
        run("cargo", 1, 1, ["tests::bad"], 1),
        error("panic", "assertion `left == right` failed: no luck left: 1 right: 2", "src/lib.rs", 6),
    ),
    "maven": (
        run("maven", 1, 2, ["org.example.CalcTest.adds", "org.example.CalcTest.divides"], 1),
        error("AssertionFailedError", "expected: <3> but was: <4>", "CalcTest.java", 12),
    ),
    "maven-compile": (None, error("error", "cannot find symbol: variable totl", "src/main/java/Calc.java", 5)),
    "gradle": (
        run("gradle", 3, 1, ["CalcTest.adds()"], 1),
        error("AssertionFailedError", "expected: <3> but was: <4>", "CalcTest.java", 12),
    ),
    "make": (None, error("make", "all] Error 1", "Makefile", 2)),
    "tsc": (None, error("TS2322", "Type 'string' is not assignable to type 'number'.", "t.ts", 1)),
    "eslint": (None, error("no-undef", "'foo' is not defined", "l.js", 2)),
    "ruff": (None, error("I001", "Import block is un-sorted or un-formatted", "lint.py", 1)),
    "ruff-concise": (None, error("I001", "Import block is un-sorted or un-formatted", "lint.py", 1)),
    "mypy": (
        None,
        error("return-value", 'Incompatible return value type (got "int", expected "str")', "lint.py", 3),
    ),
    "rustc": (None, error("E0308", "mismatched types", "src/lib.rs", 1)),
    "javac": (None, error("error", "incompatible types: String cannot be converted to int", "A.java", 1)),
    "gcc": (None, error("error", "‘x’ undeclared (first use in this function)", "a.c", 1)),
    "node": (None, error("TypeError", "Cannot read properties of null (reading 'x')", "e.js", 1)),
    "python-syntax": (None, error("SyntaxError", "invalid syntax", "syn.py", 1)),
    "python-traceback": (
        None,
        error("JSONDecodeError", "Expecting value: line 1 column 1 (char 0)", "app/core.py", 40),
    ),
    "not-found": (None, error("command not found", "bash: line 1: nosuch: command not found")),
    "missing-file": (None, error("No such file or directory", "cat: setup.cfg: No such file or directory")),
    "python-module": (None, error("No module named", "No module named unitest")),
    "git-unknown": (None, error("git", "'comit' is not a git command")),
    "git-fatal": (None, error("fatal", "not a git repository (or any of the parent directories): .git")),
}


def test_every_transcript_has_a_case() -> None:
    assert sorted(path.stem for path in TRANSCRIPTS.iterdir()) == sorted(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_recorded_output_gives_its_test_counts_and_error(name: str) -> None:
    tests, fault = CASES[name]
    text = (TRANSCRIPTS / f"{name}.txt").read_text("utf-8")
    facts = outcome("run it", 1 if fault else 0, text, "/home/me/p", 1.2345)
    expected = {"command": "run it", "exit_code": 1 if fault else 0, "seconds": 1.23}
    assert facts == expected | ({"tests": tests} if tests else {}) | ({"error": fault} if fault else {})


def test_output_without_tests_or_errors_gives_no_facts() -> None:
    assert outcome("ls", 0, "a.py\nerror: none\n") == {"command": "ls", "exit_code": 0, "seconds": 0.0}
    assert outcome("ls", 2, "") == {"command": "ls", "exit_code": 2, "seconds": 0.0}


def test_facts_from_output_are_bounded_and_printable() -> None:
    facts = outcome("x", 1, "ValueError: not this\nerror: " + "\x07\x1b[31m" + "long " * 500)
    assert len(facts["error"]["message"]) <= 200
    assert facts["error"]["message"].isprintable()


def test_many_failures_are_counted_and_some_are_named() -> None:
    text = "".join(f"FAILED t.py::test_{n} - KeyError: 'x'\n" for n in range(1000)) + "1000 failed in 2.00s\n"
    tests = outcome("pytest", 1, text)["tests"]
    assert (tests["failures"], len(tests["failed"])) == (1000, 100)


@pytest.mark.parametrize(
    "text",
    ["\n" * 2_000_000, ("1 failed, " * 200 + "\n") * 500, "    --- FAIL\n" * 50_000, ("  at a.b:1" * 400 + "\n") * 300],
    ids=["empty lines", "counts", "go", "frames"],
)
def test_hostile_output_is_read_quickly(text: str) -> None:
    began = time.process_time()
    outcome("x", 1, text)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("text", "kind", "message", "place"),
    [
        (
            "bash: line 2: unexpected EOF while looking for matching `''",
            "bash",
            "unexpected EOF while looking for matching `''",
            ("", 0),
        ),
        ("(eval):1: parse error near `time'", "eval", "parse error near `time'", ("", 0)),
        ("a.md:396 error MD040/fenced Fenced code blocks", "MD040/fenced", "Fenced code blocks", ("a.md", 396)),
        ("[lint] cmd/x.go:12:3: unused variable x (unused)", "error", "unused variable x (unused)", ("cmd/x.go", 12)),
        ("jq: error (at <stdin>:82): string and number", "jq", "(at <stdin>:82): string and number", ("", 0)),
        (
            "[ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.2:test (default-test) on "
            'project tide: No tests matching pattern "TidesTst" were executed!',
            "error",
            'No tests matching pattern "TidesTst" were executed!',
            ("", 0),
        ),
        (
            "not ok 4\n  ---\n  error: \"EACCES: permission denied, open 'flaky.state'\"\n  code: 'EACCES'\n  ...",
            "EACCES",
            "EACCES: permission denied, open 'flaky.state'",
            ("", 0),
        ),
        ("fine\n0 errors\nThe upload was refused by the host", "error", "The upload was refused by the host", ("", 0)),
    ],
)
def test_errors_without_a_known_format_are_found(text: str, kind: str, message: str, place: tuple[str, int]) -> None:
    assert read_fault(text) == Fault(kind, message, *place)


def test_loose_error_words_are_ignored_when_the_run_may_have_succeeded() -> None:
    assert read_fault("The upload was refused by the host", failed=False) is None
