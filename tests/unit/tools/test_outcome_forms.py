"""What failed is read from what runners and checkers print: quiet, verbose, cut, in parallel, of other versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.tools.outcomes.outcome import outcome
from tests.unit.tools.built_forms import BUILT, Tests

FORMS = Path(__file__).with_name("forms")
CASES: dict[str, tuple[str, str, Tests]] = {
    "testify": (
        'FAIL: Not equal: expected: "a" actual : "b"',
        "src/terminal/writer_gradient_test.go:64",
        (0, 2, ["TestWriteGradientRendering", "TestWriteGradientRendering/auto"]),
    ),
    "go-logs": (
        "FAIL: HumanAdded = 5, want 3 (2 between + 1 after)",
        "attribution_test.go:99",
        (0, 1, ["TestManualCommit"]),
    ),
    "go-panic": ("panic: runtime error: index out of range [3] with length 2", "boom.go:7", (0, 1, ["TestBoom"])),
    "go-verbose": ("FAIL: got 1, want 2", "a_test.go:9", (1, 1, ["TestA"])),
    "go-race": ("DATA RACE: race detected", "x.go:9", (0, 1, ["TestRace"])),
    "go-timeout": ("panic: test timed out after 1s", "", (0, 1, ["TestSlow"])),
    "bun": (
        "AssertionError: expect(received).toContain(expected)",
        "apps/cli/test/eval.test.ts:13",
        (1, 1, ["eval > adds"]),
    ),
    "bun-logs": ("AssertionError: expect(received).toBe(expected)", "src/a.test.ts:5", (1, 1, ["a > is two"])),
    "ctest-clar": (
        "AssertionError: Function call failed: (git_diff_index_to_workdir(&diff, g_repo, NULL, NULL))"
        " error -1 - could not parse pattern",
        "tests/libgit2/diff/drivers.c:92",
        (2, 2, ["offline", "gitdaemon"]),
    ),
    "ctest-plain": ("Timeout: render", "", (1, 1, ["render"])),
    "gtest": (
        'AssertionError: Expected equality of these values: parse("((a))").depth() Which is: 1 2',
        "tests/parser_test.cc:41",
        (4, 1, ["ParserTest.Nested"]),
    ),
    "curl": ("error: 2: protocol FAILED:", "", (2, 1, ["test 2"])),
    "minitest": (
        "AssertionError: Expected: 2 Actual: 1",
        "test/test_parser.rb:22",
        (7, 2, ["TestParser#test_nested", "TestParser#test_deep"]),
    ),
    "test-unit": (
        "error: Failure: test_nested(TestParser): <2> expected but was",
        "",
        (1, 1, ["test_nested(TestParser)"]),
    ),
    "bun-script": ("command not found: /usr/bin/bash: line 1: tsc: command not found", "", None),
    "bun-missing": ("command not found: bun: command not found: tsc", "", None),
    "zsh": ("command not found: zsh:1: command not found: yq", "", None),
    "npm": (
        "ENOENT: Could not read package.json: Error: ENOENT: no such file or directory, open 'web/package.json'",
        "",
        None,
    ),
    "npm-404": ("E404: Not Found - GET https://example.org/leftpadd - Not found", "", None),
    "npm-script": ('npm error: Missing script: "tests"', "", None),
    "jest-suite": ("Error: Cannot find module './gone' from 'b.test.js'", "b.test.js:1", (0, 1, ["b.test.js"])),
    "vitest3": (
        "AssertionError: expected 3 to be 4 // Object.is equality",
        "src/sum.test.ts:8",
        (1, 1, ["src/sum.test.ts > sum > two"]),
    ),
    "pytest-xdist": ("AssertionError: assert 1 == 2", "tests/test_a.py:9", (1, 1, ["tests/test_a.py::test_b[x-1]"])),
    "pytest-no-traceback": ("AssertionError: assert 1 == 2", "tests/test_a.py:0", (1, 1, ["tests/test_a.py::test_b"])),
    "pytest-quiet": (
        "FixtureLookupError: fixture 'db' not found",
        "tests/test_x.py:1",
        (0, 1, ["tests/test_x.py::test_db"]),
    ),
    "pytest-line": ("AssertionError: assert 1 == 2", "tests/test_a.py:0", (0, 1, ["tests/test_a.py::test_b"])),
    "pytest-nosum": ("AssertionError: assert 1 == 2", "tests/test_a.py:9", (0, 1, ["tests/test_a.py::test_b"])),
    "pytest-subtests": ("AssertionError: 3 is odd", "tests/test_a.py:9", (1, 3, ["tests/test_a.py::test_many"])),
    "pytest-tail": (
        "ValueError: bad: worse",
        "tests/a.py:0",
        (8, 3, ["tests/a.py::test_x[a b - c]", "tests/a.py::T::test_y", "tests/b.py"]),
    ),
    "pytest-usage": ("pytest: unrecognized arguments: --cov=src", "", None),
    "pytest-module": ("error: unrecognized arguments: -nauto", "", None),
    "pytest-conftest": ("ModuleNotFoundError: No module named 'respx'", "tests/conftest.py:6", None),
    "unittest-import": ("ModuleNotFoundError: No module named 'gone'", "tests/test_x.py:1", (0, 1, ["tests.test_x"])),
    "unittest-313": ("AssertionError: 1 != 2", "tests/test_x.py:5", (0, 1, ["tests.test_x.X.test_a"])),
    "cargo-test": ("panic: assertion `left == right` failed left: 1 right: 2", "src/lib.rs:10", (1, 1, ["tests::bad"])),
    "cargo-nextest": ("panic: boom", "src/lib.rs:10", (1, 1, ["p tests::bad"])),
    "eslint-parse": ("error: Parsing error: Unexpected token }", "src/a.js:3", None),
    "eslint-warning": ("@typescript-eslint/no-unused-vars: 'foo' is defined but never used", "src/b.ts:1", None),
    "ruff-syntax": ("invalid-syntax: Expected ':', found newline", "src/a.py:1", None),
    "ruff-format": ("error: Would reformat", "src/a.py:0", None),
    "pyright": ('error: Type "str" is not assignable to declared type "int"', "src/a.py:3", None),
    "maven-quiet": ("error: expected: <3> but was: <4>", "", (1, 1, ["CalcTest.adds"])),
    "gradle-kotlin": ("error: Unresolved reference 'foo'.", "src/main/kotlin/A.kt:3", None),
    "ld": ("undefined reference: undefined reference to `foo'", "", None),
    "csc": ("CS0103: The name 'x' does not exist in the current context", "A.cs:3", None),
    "node-tap-20": (
        "AssertionError: Expected values to be strictly equal: -1 !== 3",
        "js/sum.test.js:4",
        (0, 3, ["sums", "finds users", "user service"]),
    ),
    "rspec": (
        "ExpectationNotMetError: expected: 119 got: 100",
        "spec/cart_spec.rb:12",
        (2, 1, ["Cart totals with tax"]),
    ),
    "rspec-raised": ("ArgumentError: no lines", "lib/cart.rb:3", (0, 1, ["Cart is made"])),
    "phpunit": (
        "AssertionError: Failed asserting that 100 matches expected 119.",
        "tests/CartTest.php:22",
        (3, 1, ['Tests\\CartTest::testTotal with data set "tax" (119)']),
    ),
    "terraform": ("Error: Reference to undeclared input variable", "main.tf:12", None),
    "port": ("Error: listen EADDRINUSE: address already in use :::3000", "server.js:5", None),
    **BUILT,
}


def test_every_output_form_has_a_case() -> None:
    assert sorted(path.stem for path in FORMS.iterdir()) == sorted(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_output_form_gives_its_error_and_test_counts(name: str) -> None:
    facts = outcome("run it", 1, (FORMS / f"{name}.txt").read_text("utf-8"), "/w/repo")
    error, ran = facts["error"], facts.get("tests")
    place = f"{error['file']}:{error['line']}" if error["file"] else ""
    tests = (ran["passed"], ran["failures"], ran["failed"]) if ran else None
    assert (f"{error['class']}: {error['message']}", place, tests) == CASES[name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("src/main.rs:1:5: error[E0432]: unresolved import `a`\nerror: could not compile `r`", "E0432 src/main.rs:1"),
        ("unformatted: File would be reformatted\n --> r.py:2:1", "unformatted r.py:2"),
        ("::error title=ruff (F401),file=/w/repo/r.py,line=1::r.py:1:8: F401 `os` is unused", "F401 r.py:1"),
        ('\nESLint: 9.1.0\n\nNo files matching the pattern "gone.js" were found.', "error :0"),
        ("No tests found, exiting with code 1\nRun with `--passWithNoTests`", "error :0"),
    ],
)
def test_an_error_of_one_line(text: str, told: str) -> None:
    error = outcome("run it", 1, text, "/w/repo")["error"]
    assert f"{error['class']} {error['file']}:{error['line']}" == told


def test_log_records_of_a_program_are_not_taken_for_errors() -> None:
    assert "error" not in outcome("ruff check --output-format json", 1, '[\n  {\n    "severity": "error",\n  }\n]')


CARGO = """running 2 tests
F.
failures:

---- tests::pours stdout ----
thread 'tests::pours' panicked at src/lib.rs:7:21:
assertion `left == right` failed

failures:
    tests::pours

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.35s
"""


def test_quiet_and_verbose_cargo_runs_name_the_same_failed_tests() -> None:
    quiet = outcome("cargo test -q", 101, CARGO)["tests"]
    loud = outcome("cargo test", 101, CARGO.replace("F.", "test tests::pours - should panic ... FAILED"))["tests"]
    assert (quiet["failed"], loud["failed"]) == (["tests::pours"], ["tests::pours"])


TAP = """TAP version 13
# node:internal/modules/cjs/loader:1210
#   throw err;
# Error: Cannot find module '../lib/cartt'
# Require stack:
# - /w/repo/test/cart.test.js
# Subtest: /w/repo/test/cart.test.js
not ok 1 - /w/repo/test/cart.test.js
  ---
  location: '/w/repo/test/cart.test.js:1:1'
  error: 'test failed'
  code: 'ERR_TEST_FAILURE'
  ...
1..1
# tests 1
# pass 0
# fail 1
"""


def test_a_file_that_node_cannot_run_gives_its_error_and_project_path() -> None:
    facts = outcome("node --test test/cart.test.js", 1, TAP, "/w/repo")
    error = facts["error"]
    assert (error["class"], error["message"]) == ("Error", "Cannot find module '../lib/cartt'")
    assert (error["file"], facts["tests"]["failed"]) == ("test/cart.test.js", ["test/cart.test.js"])


PYTEST = """F.E                                                                      [100%]
=========================== short test summary info ============================
FAILED tests/test_pot.py::test_pour - assert 1 == 2
ERROR tests/test_pot.py::test_fill
1 failed, 1 passed, 1 error in 0.07s
"""


@pytest.mark.parametrize(
    ("first", "last", "passed", "failed"),
    [
        (0, 5, 1, ["tests/test_pot.py::test_pour", "tests/test_pot.py::test_fill"]),
        (4, 5, 1, []),  # pytest -q | tail -1, pytest --no-summary, pytest -rN
        (0, 4, 0, ["tests/test_pot.py::test_pour", "tests/test_pot.py::test_fill"]),  # pytest -qq
    ],
)
def test_any_part_of_a_test_summary_is_recognised_as_a_run(
    first: int, last: int, passed: int, failed: list[str]
) -> None:
    text = "\n".join(PYTEST.splitlines()[first:last])
    assert outcome("pytest", 1, text)["tests"] == {
        "runner": "pytest",
        "passed": passed,
        "failures": 2,
        "failed": failed,
        "skipped": 0,
    }
