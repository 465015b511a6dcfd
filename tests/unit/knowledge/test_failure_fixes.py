"""The fix of a failure: which edit, command or corrected call resolves it, and which does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.failed_runs import capture
from ctxe.knowledge.failures.lessons import of_edits
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.remembered import record
from tests.unit.knowledge.failed_runs import ROOT, run
from tests.unit.knowledge.stores import counters_in, store_in


def test_a_pass_after_an_edit_resolves_the_failure_with_that_edit(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    watch = Watch(MemoryPorts(store, counters_in(tmp_path)), ROOT, "s1")
    (new,) = watch.ran(run("pytest tests/test_x.py", 1, "NameError", "name 'client' is not defined"))
    (again,) = watch.ran(run("pytest tests/test_x.py -q", 1, "NameError", "name 'client' is not defined"))
    watch.edited("tests/conftest.py", "--- a\n+++ b\n@@ -1 +1 @@\n-old = 1\n+def client(): ...\n")
    (done,) = watch.ran(run("pytest tests/test_x.py", 0))
    assert [new.change, again.change, done.change] == ["new", "again", "resolved"]
    assert (done.entry.status, done.entry.fix) == (
        "resolved",
        "edited tests/conftest.py: `old = 1` → `def client(): ...`",
    )
    assert store.entries() == (done.entry,)


def test_a_corrected_path_becomes_the_fix(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("pytest tests/test_api.py", 4, "error", "file or directory not found: tests/test_api.py"))
    watch.ran(run("ls tests", 0))
    (done,) = watch.ran(run("pytest tests/unit/test_api.py", 0))
    assert done.entry.fix == "`tests/test_api.py` → `tests/unit/test_api.py` (`pytest tests/unit/test_api.py`)"


def test_a_preparing_command_becomes_the_fix(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("npm test", 1, "Error", "Cannot find module 'x'"))
    watch.ran(run("npm install", 0))
    (done,) = watch.ran(run("npm test", 0))
    assert (done.change, done.entry.fix) == ("resolved", "first ran `npm install`")


def test_passing_again_without_a_change_is_flaky(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("pytest", 1, "TimeoutError", "slow"))
    (done,) = watch.ran(run("pytest", 0))
    assert (done.change, done.entry.status) == ("flaky", "wontfix")


def test_a_later_session_resolves_what_an_earlier_one_left_open(tmp_path: Path) -> None:
    store, counters = store_in(tmp_path), counters_in(tmp_path)
    Watch(MemoryPorts(store, counters)).ran(run("make check", 2, "make", "boom"))
    (done,) = Watch(MemoryPorts(store, counters)).ran(run("make check", 0))
    assert (done.change, done.entry.fix, done.entry.outcome) == ("resolved", "", "the same command passes")


def test_a_stale_failure_that_recurs_is_open_again(tmp_path: Path) -> None:
    store, counters = store_in(tmp_path), counters_in(tmp_path)
    draft = capture(run("make", 2, "make", "no rule"))
    assert draft is not None
    first, _ = record(store, draft, counters)
    store.change(first.id, status="stale")
    assert (record(store, draft, counters)[0].status, len(store.entries())) == ("open", 1)


def test_several_errors_that_vanish_without_a_change_are_all_resolved(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    watch = Watch(MemoryPorts(store, counters_in(tmp_path)))
    watch.ran(run("pytest", 1, "NameError", "a"))
    watch.ran(run("pytest", 1, "TypeError", "b"))
    watch.ran(run("pytest", 0))
    assert [entry.status for entry in store.entries()] == ["resolved", "resolved"]


@pytest.mark.parametrize(("between", "change"), [(6, ["resolved"]), (7, [])])
def test_a_corrected_call_resolves_a_failure_only_within_a_few_commands(
    tmp_path: Path, between: int, change: list[str]
) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("pytest tests/test_api.py", 4, "error", "file or directory not found: tests/test_api.py"))
    for number in range(between):
        watch.ran(run(f"ls {number}", 0))
    assert [told.change for told in watch.ran(run("pytest tests/unit/test_api.py", 0))] == change


def test_every_error_of_one_command_is_resolved_when_it_passes(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("pytest", 1, "NameError", "a"))
    watch.edited("a.py")
    watch.ran(run("pytest", 1, "TypeError", "b"))
    watch.edited("b.py")
    told = watch.ran(run("pytest", 0))
    assert [(one.change, one.entry.fix) for one in told] == [("resolved", f"edited {file}.py") for file in "ab"]


def test_the_edit_made_for_an_error_is_its_fix_and_later_edits_are_not(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("make", 1, "error", "expected ';' before 'while'"))
    watch.edited("a.c", "-n = 0\n+n = 0;")
    watch.ran(run("make", 1, "error", "implicit declaration of 'octet'"))
    watch.edited("a.c", "-octet(p)\n+(*p < 32)")
    watch.ran(run("make", 1, "error", "expected ';' before 'while'"))
    watch.edited("a.c", "-int m\n+int m;")
    watch.ran(run("make", 1, "error", "no rule"))
    watch.edited("rules", "-x\n+y")
    fixes = ["a.c: `int m` → `int m;`", "a.c: `octet(p)` → `(*p < 32)`", "rules: `x` → `y`"]
    assert [one.entry.fix for one in watch.ran(run("make", 0))] == [f"edited {fix}" for fix in fixes]


def test_a_fix_made_in_two_edits_of_one_line_shows_the_final_line(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    tests = {"tests": {"passed": 2, "failures": 1, "failed": ["tests::rounds"]}}
    watch.ran(run("cargo test", 101, "panic", "left: 114 right: 115", file="src/lib.rs", line=66) | tests)
    watch.edited("src/lib.rs", "@@ -52,1 +52,1 @@\n-    Ok(v as i64)\n+    Ok(v.rounded() as i64)\n")
    watch.ran(run("cargo test", 101, "E0599", "no method named `rounded`", file="src/lib.rs", line=52))
    watch.edited("src/lib.rs", "@@ -52,1 +52,1 @@\n-    Ok(v.rounded() as i64)\n+    Ok(v.round() as i64)\n")
    whole, last = (one.entry.fix for one in watch.ran(run("cargo test", 0)))
    assert whole == "edited src/lib.rs: `Ok(v as i64)` → `Ok(v.round() as i64)`"
    assert last == "edited src/lib.rs: `Ok(v.rounded() as i64)` → `Ok(v.round() as i64)`"


def test_an_edit_that_was_reverted_is_no_fix(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("make", 2, "error", "boom"))
    watch.edited("a.c", "@@ -3 +3 @@\n-x = 1\n+x = 2\n")
    watch.edited("b.c", "@@ -7 +7 @@\n-y = 1\n+y = 2\n")
    watch.edited("a.c", "@@ -3 +3 @@\n-x = 2\n+x = 1\n")
    assert [one.entry.fix for one in watch.ran(run("make", 0))] == ["edited b.c: `y = 1` → `y = 2`"]


def test_edits_still_present_when_the_command_passes_are_not_called_vain(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    watch = Watch(MemoryPorts(store, counters_in(tmp_path)))
    for edit in ("+throw RangeErorr();", "-throw RangeErorr();\n+throw RangeError();", "+check(sku);"):
        watch.ran(run("npm test", 1, "AssertionError", "Missing expected exception."))
        watch.edited("a.js", edit)
    assert "edited a.js: `throw RangeErorr();` → `throw RangeError();`" in store.entries()[0].tried
    (done,) = watch.ran(run("npm test", 0))
    assert done.entry.tried == "edited a.js: added `throw RangeErorr();`"


def test_every_step_of_a_passing_shell_line_counts_as_passed(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    for command in ("npm run lint", "npm run types", "npm test"):
        watch.ran(run(command, 1, "error", f"{command} is wrong"))
    watch.edited("a.js", "-var x\n+let x")
    told = watch.ran(run("npm run lint && npm run types | tail -3; npm test", 0))
    assert told == ()  # what comes before a pipe or a semicolon may have failed
    told = watch.ran(run("npm run lint && npm run types && npm test", 0))
    assert [(one.entry.command, one.entry.fix) for one in told] == [
        (command, "edited a.js: `var x` → `let x`") for command in ("npm run lint", "npm run types", "npm test")
    ]


def test_a_fix_shows_the_change_nearest_to_the_error() -> None:
    first, other = " a\n-one\n+two\n b\n c\n d\n e\n f\n", "-get('a').count\n+get('a')?.count\n g\n+\n"
    diff = f"--- a/t.ts\n+++ b/t.ts\n@@ -5,9 +5,9 @@\n{first}{other}"
    assert of_edits({"t.ts": diff}, ["t.ts"], "TS2532: Object is possibly 'undefined'. (t.ts:12)") == (
        "edited t.ts: `get('a').count` → `get('a')?.count`"
    )
    assert of_edits({"t.ts": diff}, ["t.ts"], "boom (other.ts:12)") == "edited t.ts: `one` → `two`"
    assert of_edits({"t.ts": ""}, ["t.ts"], "boom (t.ts:12)") == "edited t.ts"


def test_a_failure_stays_open_while_its_test_fails(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    first, other = ({"tests": {"failures": 2, "failed": failed}} for failed in (["t1", "t2"], ["t2", "t1"]))
    watch.ran(run("pytest", 1, "NameError", "a") | first)
    watch.edited("a.py")
    watch.ran(run("pytest", 1, "TypeError", "b") | other)
    watch.edited("b.py")
    assert [one.entry.fix for one in watch.ran(run("pytest", 0))] == ["edited a.py; b.py", "edited b.py"]


def test_a_fix_is_shortened_to_its_limit(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("pytest", 1, "NameError", "a"))
    for n in range(30):
        watch.edited(f"some/folder/file_{n}.py", "-" + "old words " * 50 + "\n+" + "new words " * 50)
    (done,) = watch.ran(run("pytest", 0))
    assert len(done.entry.fix.split()) <= 46


def test_a_failed_build_is_resolved_by_tests_that_pass_after_an_edit(tmp_path: Path) -> None:
    watch = Watch(MemoryPorts(store_in(tmp_path), counters_in(tmp_path)))
    watch.ran(run("cargo build", 101, "error", "expected `;`", file="src/lib.rs", line=14))
    assert watch.ran(run("cargo test --workspace", 0)) == ()  # nothing was edited: it had another reason
    watch.edited("src/lib.rs", "-let a = b\n+let a = b;")
    (done,) = watch.ran(run("cargo test --workspace", 0))
    assert (done.change, done.entry.command) == ("resolved", "cargo build")
    assert done.entry.fix == "edited src/lib.rs: `let a = b` → `let a = b;`"
