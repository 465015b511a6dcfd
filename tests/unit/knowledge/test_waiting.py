"""Which passing command is the corrected form of a failed one, and which steps between were part of the fix."""

from __future__ import annotations

from typing import Any

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.cures import Cure, cure_of_correction
from ctxe.knowledge.failures.waiting import SPAN, Edits, FailedCommand

GONE = "file or directory not found: tests/x.py"
BOGUS = "usage: unrecognized arguments: --bogus"


def waits(command: str, error: str, **more: Any) -> FailedCommand:
    return FailedCommand(["f"], command, command, error, **more)


@pytest.mark.parametrize(
    ("failed", "error", "passes", "more", "right"),
    [
        ("pytest test/x.py", "no tests ran", "pytest tests/x.py", {}, True),
        ("pytest tests/x.py --bogus", BOGUS, "pytest tests/x.py", {}, True),
        ("pytest tests/x.py --bogus", BOGUS, "pytest tests/y.py", {}, False),
        ("pytest tests/x.py", BOGUS, "pytest tests/x.py", {}, False),
        ("pytest tests/x.py", "AssertionError: 1", "pytest tests/x.py -k a", {}, False),
        ("pytest tests/x.py", GONE, "pytest other/place/of/tests", {}, True),
        ("pytest tests/x.py", GONE, "pytest other/place/of/tests", {"whole": Edits({"a.py": ""})}, False),
        ("pytest tests/x.py", GONE, "pytest unit/x.py --help", {}, False),
        ("pytest tests/x.py", GONE, "pytest unit/x.py", {"commands": SPAN}, True),
        ("pytest tests/x.py", GONE, "pytest unit/x.py", {"commands": SPAN + 1}, False),
        ("cat a.txt", "cat: a.txt: No such file or directory", "cat docs/a.txt", {}, True),
        ("go test ./pkgs", "usage: ./pkgs does not exist", "go test ./pkg", {}, True),
        ("pyhton run.py", "pyhton: command not found", "python run.py", {}, True),
        ("pyhton run.py", "pyhton: command not found", "pip install python", {}, False),
        ("pip install foo", "error: unknown option", "pip install --user foo", {}, True),
        ("npm run biuld", 'npm error: Missing script: "biuld"', "npm run build", {}, True),
        ("npm run biuld", 'npm error: Missing script: "biuld"', "npm run lint", {}, False),
        ("cargo tset", "error: no such command: `tset`", "cargo test", {}, True),
        ("make chekc", "No rule to make target 'chekc'. Stop.", "make check", {}, True),
        ("make chekc", "No rule to make target 'chekc'. Stop.", "make clean", {}, False),
        ("make chekc", "No rule to make target 'chekc'. Stop.", "make check install", {}, False),
        ("make chekc", "make: [check] Error 1", "make check", {}, False),
        ("mvn -o tset", 'Unknown lifecycle phase "tset".', "mvn -o test", {}, True),
        ("npm run tets", "missing script: not found", "npm run test", {}, True),
        ("npm run tets", "missing script: not found", "npm run build", {}, False),
    ],
)
def test_a_failed_command_is_corrected_by_a_similar_one(
    failed: str, error: str, passes: str, more: dict[str, Any], right: bool
) -> None:
    assert waits(failed, error, **more).put_right(passes) is right


def test_steps_needed_besides_the_correction_are_part_of_the_fix() -> None:
    edited = {"whole": Edits({"a.py": "--- a\n+++ b\n-x\n+y"}, {"a.py": "123"})}
    without = "run `pytest tests/x.py` instead (without `--bogus`)"
    needed = waits("pytest tests/x.py --bogus", "usage", **edited)
    failure = Entry("f", "failure", "t", files=("a.py",), error=BOGUS)
    told = Cure(f"edited a.py: `x` → `y`; then {without}", {"a.py": "123"})
    assert cure_of_correction(needed, "pytest tests/x.py", "", failure) == told
    elsewhere = Entry("f", "failure", "t", error=GONE)
    assert cure_of_correction(needed, "pytest tests/x.py", "", elsewhere) == Cure(without, None)
    missing = Entry("f", "failure", "t", error="No module named foo")
    installed = waits("pytest tests/x.py", "No module named foo", others=["pip install foo", "ls"])
    assert cure_of_correction(installed, "python -m pytest tests/x.py", "", missing) == Cure(
        "first ran `pip install foo`", {}
    )
