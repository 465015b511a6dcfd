"""Failures: how one is captured, and that it is recognised whatever differs from run to run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.calls import deciding_step
from ctxe.knowledge.failures.captures import refused_action
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.failures.failed_runs import capture
from ctxe.knowledge.failures.plain import plain_message
from ctxe.knowledge.failures.remembered import Group, groups, lesson, manual_failure, record
from ctxe.knowledge.failures.signature import signature
from ctxe.storage.counters import Counters
from ctxe.tools.outcomes.outcome import outcome
from tests.unit.knowledge.failed_runs import ROOT, run
from tests.unit.knowledge.stores import NOON, counters_in, store_in


@pytest.mark.parametrize(
    ("command", "plain", "name"),
    [
        (
            "cd /w/repo && python -m pytest -q tests/test_x.py 2>&1 | tail -n 20",
            "python -m pytest tests/test_x.py",
            "pytest",
        ),
        ("A=1 python -m pytest -p no:cacheprovider -x tests", "python -m pytest tests", "pytest"),
        ("pytest -p plug tests", "pytest -p plug tests", "pytest"),
        ("FOO=1 BAR='a b' npm test", "npm test", "npm test"),
        ("uv run pytest -x tests", "uv run pytest tests", "pytest"),
        ("/usr/bin/python3.11 x.py", "/usr/bin/python3.11 x.py", "python3.11"),
        ("./gradlew  test", "./gradlew test", "gradlew test"),
        ("pytest tests/test_x.py::test_a[1-b]", "pytest tests/test_x.py::test_a", "pytest"),
        ("cat /w/repo/src/a.py", "cat src/a.py", "cat"),
        ("ls /w/repo", "ls .", "ls"),
        ("", "", ""),
        ("python -m unittest discover -s tests -v", "python -m unittest discover -s tests", "unittest"),
        ("mkdir -p x", "mkdir -p x", "mkdir"),
    ],
)
def test_a_command_is_reduced_to_its_plain_form_and_its_program(command: str, plain: str, name: str) -> None:
    assert (plain_command(command, ROOT), program(command)) == (plain, name)


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("sed -i 's/a;b/c/' x.py; pytest -q | tail -3", "pytest -q | tail -3"),
        ("pytest > log; tail log", "pytest > log"),
        ("make\n./run tests\n", "./run tests"),
        ('npm test; echo "exit $?"; git status', "npm test"),
        ("cat a; ls b", "ls b"),
        ("python -c 'a; b'", "python -c 'a; b'"),
        ("for i in 1 2; do pytest; done", "for i in 1 2; do pytest; done"),
        ("x=$(a; b); pytest", "x=$(a; b); pytest"),
        ("cat <<E\na\nE\npytest", "cat <<E\na\nE\npytest"),
        ("make;", "make"),
        ("find . -exec rm {} \\;", "find . -exec rm {} \\;"),
        ("find . -exec rm {} \\; ; ls", "find . -exec rm {} \\;"),
        (" ; ", ";"),
        ("", ""),
    ],
)
def test_a_failed_shell_line_is_attributed_to_the_step_that_its_output_names(line: str, step: str) -> None:
    assert deciding_step(line) == step


def test_a_shell_line_of_thousands_of_steps_is_read_in_linear_time() -> None:
    def spent(steps: int) -> float:
        began = time.process_time()
        assert deciding_step("touch a;" * steps + "make") == "make"
        return time.process_time() - began

    assert any(spent(8_000) < 0.2 + 8 * spent(2_000) for _ in range(3))  # squared it were sixteen times as long


def test_commands_before_the_tests_on_a_line_do_not_change_the_signature() -> None:
    told: dict[str, Any] = {"kind": "ImportError", "message": "no module named y"}
    lone, after = (capture(run(c, **told), ROOT, "s1") for c in ("pytest tests", "sed -i s/a/b/ x.py; pytest tests"))
    assert lone is not None
    assert after is not None
    assert (after.signature, after.title) == (lone.signature, "`pytest tests`: ImportError: no module named y")


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ("cannot import 'x' (/w/repo/y.py)", "cannot import 'x' (y.py)"),
        ("took 12.5s at 0x7ffe12 on 2026-11-21T10:00:00Z", "took <n> at <address> on <time>"),
        ("no /tmp/pytest-of-ada/pytest-12/a.txt, 7bf4a1c2", "no <tmp>, <hash>"),
        ("int32 v3: 3 != -14", "int32 v3: <n> != <n>"),
        ("/home/ada/x/y.py is gone", "~/x/y.py is gone"),
        ("-I/home/ada/x file:///Users/ada/y (/export/home/ada) /root/z", "-I~/x file://~/y (~) ~/z"),
        (
            "src/home/index.ts, app/Users/list.vue, src/root/a.py",
            "src/home/index.ts, app/Users/list.vue, src/root/a.py",
        ),
        ("ada@build1: Permission denied", "<user>@build1: Permission denied"),
        ("ada.l+x@mail.example.org is nobody", "<user>@mail.example.org is nobody"),
        ("'ada@laptop.(none)' at ada@localhost", "'<user>@laptop.(none)' at <user>@localhost"),
        ("[ada@laptop src]$ x", "[<user>@laptop src]$ x"),
        ("https://ada@example.org/x.git", "https://<user>@example.org/x.git"),
        ("git@github.com: Permission denied", "git@github.com: Permission denied"),
        ("no react@18.2.0-rc.next, lodash@next, x/y@main: x", "no react@<n>-rc.next, lodash@next, x/y@main: x"),
        ("id 9f8b6c1a-1111-4222-8333-123456789abc", "id <id>"),
        ("a\n\n  b", "a b"),
        ("x" * 500, "x" * 200),
    ],
)
def test_messages_lose_what_differs_from_run_to_run(message: str, plain: str) -> None:
    assert plain_message(message, ROOT) == plain


def test_the_same_failure_has_one_signature_and_another_has_not() -> None:
    base = signature("pytest tests/a.py", "ValueError", "bad value 3 at /w/repo/a.py", ["a.py"], root=ROOT)
    assert base == signature(
        "python -m pytest -q tests/b.py", "ValueError", "bad value 14 at a.py", ["/w/repo/a.py"], root=ROOT
    )
    others = [
        signature("pytest", "TypeError", "bad value 3 at a.py", ["a.py"]),
        signature("pytest", "ValueError", "bad name 3 at a.py", ["a.py"]),
        signature("pytest", "ValueError", "bad value 3 at a.py", ["b.py"]),
        signature("go test ./...", "ValueError", "bad value 3 at a.py", ["a.py"]),
    ]
    assert len({base, *others}) == 5
    assert signature("pytest", tests=["t.py::test_a[1]", "t.py::test_a[2]"]) == signature(
        "pytest -x", tests=["t.py::test_a[9]"]
    )
    assert signature("make all") != signature("make docs")


def test_a_capture_holds_parsed_fields_only() -> None:
    facts = run(
        "cd /w/repo && pytest -q tests/test_x.py",
        1,
        "ValueError",
        "no 'fixture'",
        file="tests/test_x.py",
        line=7,
    )
    facts |= {
        "tests": {"failed": [f"tests/test_x.py::test_a[{n}]" for n in range(50)], "passed": 0},
        "output": "IGNORE ALL",
    }
    entry = capture(facts, ROOT, "s1", "4")
    assert entry is not None
    assert entry == Entry(
        "",
        "failure",
        "`pytest tests/test_x.py`: ValueError: no 'fixture'",
        "open",
        by="capture",
        session="s1",
        turn="4",
        files=("tests/test_x.py",),
        evidence=("session s1", "exit code 1"),
        signature=entry.signature,
        command="pytest tests/test_x.py",
        error="ValueError: no 'fixture' (tests/test_x.py:7)",
        text="Failing: tests/test_x.py::test_a",
    )


@pytest.mark.parametrize(
    "facts",
    [
        run("true", 0),
        run("pytest", None),  # type: ignore[arg-type]
        run("grep -rn nothing src"),
        run("diff a b"),
        {},
        {"command": "x", "exit_code": 0, "error": {"class": "E"}},
    ],
)
def test_negative_answers_and_interruptions_are_not_failures(facts: dict[str, Any]) -> None:
    assert capture(facts) is None


def test_a_test_named_by_module_or_class_records_no_file() -> None:
    failed = ["tests::adds", "Tests\\CartTest::testTotal", "tests/test_a.py::test_b[1]"]
    held = capture({**run("cargo test"), "tests": {"failed": failed}})
    assert held is not None
    assert held.files == ("tests/test_a.py",)


@pytest.mark.parametrize("where", ["/home/me/work/.venv/bin/", "~/shop/.venv/bin/", "/usr/bin/", ""])
def test_a_failure_title_drops_the_path_of_the_program(where: str) -> None:
    held = capture(run(f"{where}python -m pytest -q tests", kind="KeyError", message="'a'"))
    assert held is not None
    assert held.title == "`python -m pytest tests`: KeyError: 'a'"
    assert held.command.endswith("python -m pytest tests")
    script = capture(run("scripts/check", kind="KeyError", message="'a'"))
    assert script is not None
    assert script.title.startswith("`scripts/check`")


def test_files_outside_the_project_are_not_kept() -> None:
    facts = run("x", 1, "E", "m", file="/usr/lib/python3/site.py")
    entry = capture(facts, ROOT)
    assert entry is not None
    assert entry.files == ()


def test_many_errors_of_one_run_are_one_failure(tmp_path: Path) -> None:
    store, counters = store_in(tmp_path), counters_in(tmp_path)
    for n in range(1000):
        facts = run(
            f"pytest tests/test_{n}.py", 1, "ModuleNotFoundError", "No module named 'yaml'", file=f"tests/test_{n}.py"
        )
        draft = capture(facts)
        assert draft is not None
        record(store, draft, counters)
    (group,) = groups(store.entries(), counters.read())
    assert (group.seen, len(group.entries), group.status, group.first, group.last) == (1000, 1, "open", NOON, NOON)


def test_files_of_two_branches_are_one_failure(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    draft = capture(run("make", 2, "make", "no rule"))
    assert draft is not None
    one, two = store.add(draft), store.add(draft)
    assert one.path != two.path
    store.change(two.id, status="resolved", fix="run configure")
    (group,) = groups(store.entries(), {})
    assert group == Group(draft.signature, store.entries(), "resolved", 2, NOON, NOON)
    assert lesson(group) == "`make`: make: no rule; fix: run configure (seen 2 times)"


@pytest.mark.parametrize(
    ("command", "failed", "told"),
    [
        ("mvn test", ("org.x.ATest.testWrap",), "; in org.x.ATest.testWrap; not fixed yet"),
        ("mvn test", ("org.x.ATest.testWrap", "org.x.BTest.b"), "; in org.x.ATest.testWrap and others; not fixed yet"),
        ("pytest tests/test_a.py::test_wrap", ("tests/test_a.py::test_wrap",), "; not fixed yet"),
        ("make check", (), "; not fixed yet"),
    ],
)
def test_an_open_failure_names_its_test_when_the_message_does_not(
    command: str, failed: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    store = store_in(tmp_path)
    facts = run(command, 1, "AssertionError", "expected: <a> but was: <b>")
    facts["tests"] = {"runner": "x", "passed": 3, "failures": len(failed), "failed": list(failed), "skipped": 0}
    draft = capture(facts)
    assert draft is not None
    store.add(draft)
    (group,) = groups(store.entries(), {})
    assert lesson(group).endswith(f"AssertionError: expected: <a> but was: <b>{told}")


def test_counters_survive_damage_and_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "n.db"
    counters = Counters(path)
    counters.bump("a", 5.0, seen=1, helpful=1)
    counters.bump("a", 3.0, seen=2)
    assert Counters(path).read() == {"a": {"seen": 3, "helpful": 1, "first": 3, "last": 5}}
    counters.close()
    path.write_bytes(b"rubbish" * 400)
    fresh = Counters(path)
    fresh.bump("b", 1.0, seen=1)
    assert fresh.read(["b"]) == {"b": {"seen": 1, "first": 1, "last": 1}}
    (tmp_path / "file").write_text("")
    lost = Counters(tmp_path / "file" / "n.db")
    lost.bump("c", 2.0, seen=1)
    lost.bump("c", 4.0, seen=1)
    assert lost.read() == {"c": {"seen": 2, "first": 2, "last": 4}}


def test_a_failure_is_recorded_from_a_persons_words(tmp_path: Path) -> None:
    draft = manual_failure(
        "Imports break under Python 3.9",
        "ImportError: cannot import name 'Self'",
        "pytest",
        fix="use typing_extensions",
    )
    entry, new = record(store_in(tmp_path), draft, counters_in(tmp_path))
    assert (new, entry.title, entry.fix, entry.status) == (True, draft.title, draft.fix, "open")
    assert entry.signature == signature("pytest", "ImportError", "cannot import name 'Self'")


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        (
            "pytest | tail -5",
            "FAILED t.py::test_a - ValueError: bad\n1 failed, 2 passed in 0.1s",
            "ValueError: bad (t.py)",
        ),
        ("tsc 2>&1 | head", "a.ts(3,1): error TS2304: Cannot find name 'x'.", "TS2304: Cannot find name 'x'. (a.ts:3)"),
        ("pytest | tail -5", "ValueError: bad\n3 passed in 0.1s", ""),
        ("cat log.txt | tail", "E   ValueError: bad", ""),
        ("grep -rn Error . | head", "a.py:3:1: error: x", ""),
        ("pytest", "FAILED t.py::test_a - ValueError: bad\n1 failed in 0.1s", ""),
    ],
)
def test_a_run_whose_exit_code_is_lost_in_a_pipe_is_judged_by_what_it_says(command: str, text: str, said: str) -> None:
    entry = capture(outcome(command, 0, text))
    assert (entry.error if entry else "") == said


def test_an_error_message_does_not_repeat_its_class() -> None:
    facts = {"command": "ruff check", "exit_code": 127}
    facts["error"] = {"class": "command not found", "message": "bash: ruff: command not found", "file": "", "line": 0}
    held = capture(facts, ROOT)
    assert held
    assert (held.title, held.error) == ("`ruff check`: bash: ruff: command not found", "bash: ruff: command not found")


def test_user_and_host_names_are_not_recorded() -> None:
    held = capture(run("ssh -p 22 ada@build1 make", 255, "Error", "ada@build1: Permission denied"), ROOT)
    assert held is not None
    assert "ada" not in repr(held)
    assert "<user>@build1" in held.command
    no = refused_action("run scp ada@10.0.0.5:/srv/x .", "the user said no: not that one")
    assert no is not None
    assert ("ada@" in repr(no), no.tried) == (False, "run scp <user>@10.0.0.5:/srv/x .")
