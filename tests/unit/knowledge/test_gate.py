"""The gate: a failed call is recognised, as long as nothing it depends on has changed."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures.calls import call_key, named_files, only_looks
from ctxe.knowledge.failures.commands import plain_command
from ctxe.knowledge.failures.failed_commands import FLAKY
from ctxe.knowledge.failures.gate import Failed, Gate, Match
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.plain import MESSAGE
from ctxe.knowledge.failures.remembered import groups
from ctxe.knowledge.failures.settling import FailureNews
from ctxe.storage.counters import Counters

ROOT = "/w/repo"
TEST = "pytest tests/test_x.py"


def remembered(**more: Any) -> Entry:
    held = {"status": "resolved", "signature": "ab" * 16, "call": TEST, "command": TEST, "fix": "edited x.py"}
    return Entry(**{"id": "a-1", "kind": "failure", "title": "`pytest`: broken", **held, **more})


def run(command: str, code: int = 1, kind: str = "ValueError", message: str = "bad") -> dict[str, Any]:
    error = {"class": kind, "message": message, "file": "", "line": 0} if code else {}
    return {"command": command, "exit_code": code, "error": error}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"command": "cd /w/repo && pytest  x"}, {"command": "pytest x", "seconds": 90}),
        ({"command": "pytest /w/repo/tests"}, {"command": "pytest tests", "description": "try"}),
        ({"command": "npm run dev", "background": True}, {"command": "npm run dev"}),
    ],
)
def test_equivalent_calls_have_one_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert call_key("run_command", one, ROOT) == call_key("run_command", other, ROOT)


def test_differences_that_may_matter_stay_in_the_key() -> None:
    keys = [
        call_key("run_command", {"command": command}, ROOT)
        for command in ("pytest", "A=1 pytest", "pytest -v", "pytest | tail -5", "cd sub && pytest", "pytest x[1]")
    ]
    keys += [call_key("read_file", '{"path": "a.py"}'), call_key("read_file", '{"path": "b.py"}')]
    keys += [call_key("edit_file", "no json"), call_key("run_command", {"command": "x" * 30_000})[:20]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("pytest tests/test_x.py::test_a -k b", ("tests/test_x.py",)),
        ("python ./run.py --out=x.txt https://a.b/c.d", ("run.py",)),
        ("make all", ()),
        ("cat /etc/passwd ../up.py", ()),
        ("go test ./pkg/store ./x_test.go", ("pkg/store", "x_test.go")),
    ],
)
def test_files_named_in_a_command_are_found(command: str, files: tuple[str, ...]) -> None:
    assert named_files(command, ROOT) == files


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        ("pytest -q tests | tail -5", True),
        ("cd x && git status && cargo test", True),
        ("grep -rn a . 2>/dev/null", True),
        ("sed -i s/a/b/ x.py", False),
        ("git checkout x.py", False),
        ("npm install && npm test", False),
        ("ruff check --fix .", False),
        ("cat > x.py <<'E'\nE", False),
        ("grep -i it x.py", True),
        ("sed -n 3p x.py", True),
        ("sed -n -Ei.old s/a/b/ x.py", False),
        ("yq -i .a=1 x.yml", False),
        ("go vet ./... && go test ./...", True),
        ("go mod tidy", False),
        ("go run make.go", False),
        ("ruff format .", False),
        ("ruff format --check .", True),
        ("find . -name x.pyc", True),
        ("find . -name x.pyc -delete", False),
        ("find . -name x.py -exec touch {} +", False),
        ("", False),
    ],
)
def test_read_only_commands_are_recognised(command: str, looks: bool) -> None:
    assert only_looks(command) is looks


def test_a_failed_edit_depends_on_its_own_file_alone() -> None:
    gate, held = Gate(), {"a.py": "aa"}
    gate.failed(Failed("edit a.py", "s", "it did not apply", files={"a.py": "aa"}, alone=True))
    gate.changed()
    match = gate.match("edit a.py", "", held.__getitem__)
    assert match is not None
    assert match.exact
    held["a.py"] = "bb"
    assert gate.match("edit a.py", "", held.__getitem__) == Match(match.failed, "near")


@pytest.mark.parametrize(("went_on", "known"), [(False, True), (True, False)])
def test_a_log_proves_no_file_content_after_an_unknown_change(went_on: bool, known: bool) -> None:
    gate = Gate()
    gate.failed(Failed("edit a.py", "s", "it did not apply", files={"a.py": "aa"}, alone=True))
    if went_on:
        gate.changed()
    gate.played()
    assert (gate.match("edit a.py", "", lambda _: "aa") is not None) is known


def test_very_long_commands_are_judged_quickly() -> None:
    long = ["::a[" * 50_000, "sed " + "-a " * 20_000, "find " * 20_000, "ruff format " * 10_000, "A='x' " * 20_000]
    begun = time.perf_counter()
    assert [only_looks(one) for one in long] == [False, True, True, False, False]
    assert max(len(plain_command(one)) for one in long) <= MESSAGE
    assert time.perf_counter() - begun < 5.0


def test_in_a_session_a_failure_stands_until_something_changes() -> None:
    gate = Gate()
    failed = Failed("pytest", "s", "it failed")
    gate.failed(failed)
    here = Failed("pytest", "s", "it failed", changes=0)
    assert gate.match("pytest", "pytest", str) == Match(here, "exact")
    gate.answered("pytest")
    assert gate.match("pytest", "pytest", str) == Match(here, "exact", answered=True)
    gate.changed()
    assert gate.match("pytest", "pytest", str) == Match(here, "near")
    gate.failed(failed)
    assert gate.match("pytest", "pytest", str) == Match(Failed("pytest", "s", "it failed", changes=1), "exact")
    gate.passed("pytest")
    assert gate.match("pytest", "pytest", str) is None


@pytest.mark.parametrize(
    ("entry", "now", "nearness"),
    [
        (remembered(state=("x.py@aa",)), {"x.py": "aa"}, "exact"),
        (remembered(state=("x.py@aa",)), {"x.py": "bb"}, "near"),
        (remembered(state=("x.py@aa", "new.py@")), {"x.py": "aa"}, "exact"),
        (remembered(state=("x.py@aa", "new.py@")), {"x.py": "aa", "new.py": "cc"}, "near"),
        (remembered(state=("*@",)), {}, "exact"),
        (remembered(), {}, "near"),
        (remembered(state=("x.py@aa",), fix="", status="open"), {"x.py": "aa"}, "near"),
        (remembered(state=("x.py@aa",), call="pytest -v tests/test_x.py"), {"x.py": "aa"}, "near"),
        (remembered(state=("x.py@aa",), status="wontfix"), {"x.py": "aa"}, None),
        (remembered(state=("x.py@aa",), call="make", command="make"), {"x.py": "aa"}, None),
    ],
)
def test_an_earlier_failure_stands_while_its_files_are_as_they_were(
    entry: Entry, now: dict[str, str], nearness: str | None
) -> None:
    match = Gate(groups([entry], {})).match(TEST, TEST, lambda path: now.get(path, ""))
    assert (match.nearness if match else None) == nearness


def watch(folder: Path, files: dict[str, str]) -> tuple[Watch, Store]:
    ticks = itertools.count(1_795_262_400)
    store = Store(folder / ".ctxe", folder / ".ctxe/cache", lambda: float(next(ticks)))
    counters = Counters(folder / ".ctxe/cache/counters.db")
    return Watch(MemoryPorts(store, counters, lambda path: files.get(path, "")), ROOT, "s1"), store


def test_a_fix_by_edits_keeps_the_file_hashes_from_before(tmp_path: Path) -> None:
    files = {"tests/test_x.py": "t1" * 8}
    seen, store = watch(tmp_path, files)
    seen.ran(run(TEST))
    files["x.py"] = "new" * 8
    seen.edited("x.py", "+fixed = 1", "")
    (told,) = seen.ran(run(TEST, 0))
    assert (told.change, told.entry.fix, told.entry.call) == ("resolved", "edited x.py: added `fixed = 1`", TEST)
    assert told.entry.state == ("tests/test_x.py@t1t1t1t1t1t1", "x.py@")
    assert store.entries() == (told.entry,)


def test_a_call_that_passed_with_the_same_files_is_never_stopped(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path, {"tests/test_x.py": "t1" * 8})
    seen.ran(run(TEST))
    seen.ran(run("pip install it", 0))
    (told,) = seen.ran(run(TEST, 0))
    assert (told.entry.fix, told.entry.call, told.entry.state) == ("first ran `pip install it`", "", ())


def test_a_corrected_call_is_reported_whatever_the_files_hold(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path, {})
    seen.ran(run("npm test", 1))
    (told,) = seen.ran(run("CI=1 npm test", 0))
    assert (told.change, told.entry.fix, told.entry.state) == (
        "resolved",
        "run `CI=1 npm test` instead (with `CI=1`)",
        ("*@",),
    )


def test_a_call_corrected_after_edits_reports_both_as_the_fix(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    seen, _ = watch(tmp_path, files)
    seen.ran(run("pytest tests/test_x.py", 1, "FixtureLookupError", "fixture 'db' not found"))
    files["plug.py"] = "p1" * 8
    seen.edited("plug.py", "+def db(): ...", "")
    seen.ran(run("pytest tests/other.py", 0))
    (told,) = seen.ran(run("pytest -p plug tests/test_x.py", 0))
    assert (
        told.entry.fix
        == "edited plug.py: added `def db(): ...`; then run `pytest -p plug tests/test_x.py` instead (with `-p plug`)"
    )
    assert told.entry.state == ("plug.py@",)


def test_a_corrected_call_that_passes_unchanged_is_no_longer_reported(tmp_path: Path) -> None:
    files = {"tests/test_x.py": "t1" * 8}
    seen, store = watch(tmp_path, files)
    seen.ran(run(TEST, 1, "FixtureLookupError", "fixture 'db' not found"))
    seen.ran(run("pytest -p plug tests/test_x.py", 0))
    assert [entry.call for entry in store.entries()] == [TEST]
    later = Watch(seen.memory, ROOT, "s2")
    assert later.ran(run(TEST, 0)) == ()
    assert [(entry.call, entry.status) for entry in store.entries()] == [("", "resolved")]


def test_a_changed_outcome_without_a_change_is_flaky_in_both_directions(tmp_path: Path) -> None:
    seen, store = watch(tmp_path, {})
    seen.ran(run("pytest a.py", 1))
    assert [told.change for told in seen.ran(run("pytest a.py", 0))] == ["flaky"]
    seen.ran(run("pytest b.py", 0))
    (told,) = seen.ran(run("pytest b.py", 1, message="other"))
    assert (told.change, told.entry.status, told.entry.outcome) == ("flaky", "wontfix", FLAKY)
    assert isinstance(told, FailureNews)
    assert Gate(groups(store.entries(), {})).match("pytest b.py", "pytest b.py", str) is None


def test_asking_the_gate_is_quick_with_thousands_of_failures() -> None:
    entries = [
        remembered(signature=f"{n:032x}", id=f"f-{n}", call=f"pytest t{n}.py", state=(f"t{n}.py@aa",))
        for n in range(5_000)
    ]
    gate = Gate(groups(entries, {}))
    took = []
    for n in range(0, 5_000, 5):
        began = time.perf_counter()
        assert gate.match(f"pytest t{n}.py", f"pytest t{n}.py", lambda _: "aa") is not None
        took.append(time.perf_counter() - began)
    assert sorted(took)[int(0.99 * len(took))] <= 0.005


def test_a_refused_call_may_be_repeated_after_the_next_user_message() -> None:
    gate = Gate()
    gate.failed(Failed("rm x", "r", "the user said no", refused=True))
    gate.failed(Failed("pytest", "s", "it failed"))
    assert gate.match("rm x", "rm x", str) is not None
    gate.spoken()
    assert gate.match("rm x", "rm x", str) is None
    assert gate.match("pytest", "pytest", str) is not None
