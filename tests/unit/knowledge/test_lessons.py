"""Fixes learnt from failures are true, short, and worth reading in a review; cases from recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.calls import command_key
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.failures.edited_files import EditedFiles
from ctxe.knowledge.failures.failed_runs import capture
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.slips import is_outside_error
from ctxe.storage.counters import Counters
from ctxe.storage.vocabulary import vocabulary

ROOT = "/w/repo"
PLACE = "No such file or directory"


def watch(folder: Path, session: str = "s1") -> tuple[Watch, Store]:
    store = Store(folder / ".ctxe", folder / ".ctxe/cache", lambda: 1_795_262_400.0)
    return Watch(MemoryPorts(store, Counters(folder / ".ctxe/cache/counters.db")), ROOT, session), store


def run(command: str, code: int = 1, message: str = "bad", kind: str = "ValueError", file: str = "") -> dict[str, Any]:
    error = {"class": kind, "message": message, "file": file, "line": 3 if file else 0}
    return {"command": command, "exit_code": code, "error": error if code and (kind or message) else {}}


@pytest.mark.parametrize(
    ("command", "plain", "name"),
    [
        ("ls a b 2>/dev/null", "ls a b", "ls"),
        ("make all >/dev/null 2>&1", "make all", "make all"),
        ("x=$(ls -td a | head -1); echo $x", "x=$(ls -td a | head -1); echo $x", "x=$(ls"),
        ("source venv/bin/activate && python -m pytest t 2>&1 | tail -3", "python -m pytest t", "pytest"),
        (". .venv/bin/activate; pytest t", "pytest t", "pytest"),
        ("export A=1 && pytest t", "pytest t", "pytest"),
        ("git commit -m 'fix: a b' -s", "git commit -m … -s", "git commit"),
        ("git add a && git commit -qm \"$(cat <<'EOF'\nmore\nEOF\n)\"", "git add a && git commit -qm …", "git add"),
        (
            'gh pr create --title "x" --body "y \\"z\\"" --base main',
            "gh pr create --title … --body … --base main",
            "gh",
        ),
        ('pytest -m "not slow" t', 'pytest -m "not slow" t', "pytest"),
    ],
)
def test_a_recorded_command_drops_pipes_redirections_and_passed_on_text(command: str, plain: str, name: str) -> None:
    assert (plain_command(command, ROOT), program(command)) == (plain, name)


@pytest.mark.parametrize(
    ("wrong", "right", "lesson"),
    [
        (
            "pytest tests/a.py",
            "pytest tests/unit/a.py -q",
            "`tests/a.py` → `tests/unit/a.py` (`pytest tests/unit/a.py -q`)",
        ),
        (
            "cargo test",
            "cd /w/repo/core && cargo test 2>&1 | tail -5",
            "run `cd core && cargo test` instead (with `cd core &&`)",
        ),
        ("cd /w/repo && tool --json x", "cd /w/repo && tool x", "run `tool x` instead (without `--json`)"),
        ("mvn test", "npm run check", "run `npm run check` instead"),
        ("a b c d e", "a x c y e z", "run `a x c y e z` instead"),
    ],
)
def test_a_corrected_call_shows_only_the_difference(wrong: str, right: str, lesson: str) -> None:
    assert lessons.of_call(wrong, right, ROOT) == lesson


@pytest.mark.parametrize(
    ("diff", "gist"),
    [
        ("-# old words\n-a = 1\n+# new words\n+a = 2", ": `a = 1` → `a = 2`"),
        ("+\n+# ---------\n+def f():\n+    pass", ": added `def f():`"),
        ("-import a\n+import b\n+import a", ": added `import b`"),
        ("-}).compile();\n+})\n+.override(x)\n+}).compile();", ": added `.override(x)`"),
        ("+// only words", ": added `// only words`"),
        ("-#include <a.h>\n+#include <b.h>", ": `#include <a.h>` → `#include <b.h>`"),
        ("", ""),
        ("-" + "same(" * 30 + "1)\n+" + "same(" * 30 + "2)", ": `…e(same(same(1)` → `…e(same(same(2)`"),
    ],
)
def test_an_edit_is_described_by_its_first_line_of_code(diff: str, gist: str) -> None:
    assert lessons.gist(diff) == gist


def test_edits_of_what_the_failure_names_come_first_and_the_rest_is_counted() -> None:
    long = "-" + "x = old " * 30 + "\n+" + "x = new " * 30
    edits = {"src/right.py": "-a = 1\n+a = 2", **{f"src/package/other_{n}.py": long for n in range(5)}}
    told = lessons.of_edits(edits, ("src/right.py",))
    assert told.startswith("edited src/right.py: `a = 1` → `a = 2`; ")
    assert told.endswith("; and 4 more files")
    assert max(len(lessons.of_edits(edits)), len(told)) <= 230
    assert lessons.of_edits({"/home/ada/other/pkg/deep/x.py": ""}) == "edited …/pkg/deep/x.py"
    assert lessons.of_edits({"a.py": "", "b.py": ""}) == "edited a.py; b.py"


def test_a_fix_costs_at_most_sixty_tokens(tmp_path: Path) -> None:
    seen, store = watch(tmp_path)
    seen.ran(run("npx jest --testPathPattern='shares' --no-coverage"))
    for n in range(4):
        diff = f"-    const held_{n} = await this.find({{id: req.params.id, at: {n}}});\n+    return (x?.y ?? [])[{n}];"
        seen.edited(f"apps/api/src/shares/controllers/shares_{n}.controller.ts", diff)
    seen.ran(run("npx jest --testPathPattern='shares' --no-coverage", 0))
    assert vocabulary("o200k_base").count(store.entries()[0].fix) <= 60


@pytest.mark.parametrize(
    ("command", "message", "kind"),
    [
        ("grep -n x src/gone.py", f"grep: src/gone.py: {PLACE}", ""),
        ("sed -n 1,40p gone.py", f"sed: can't read gone.py: {PLACE}", ""),
        ("ls gone && cat gone/a", f"ls: cannot access 'gone': {PLACE}", ""),
        ("cd gone && npm test", f"bash: line 1: cd: gone: {PLACE}", ""),
        ('python -c "import json; json.loads(x)"', "name 'x' is not defined", "NameError"),
        ("python3 - <<'PY'\nimport a\nPY", "No module named 'a'", "ModuleNotFoundError"),
        ("git rebase main", "error: could not apply 1b33e998... feat", ""),
        ("git merge other", "Automatic merge failed; fix conflicts", "error"),
        ("git pull --ff-only", "Not possible to fast-forward, aborting.", "fatal"),
        ("rm gone.py", f"rm: cannot remove 'gone.py': {PLACE}", ""),
        ("./deploy.sh", "", ""),
    ],
)
def test_a_slip_is_recorded_only_when_it_recurs(tmp_path: Path, command: str, message: str, kind: str) -> None:
    seen, store = watch(tmp_path)
    assert seen.ran(run(command, 1, message, kind)) == ()
    match = seen.gate.match(command_key(command, ROOT), "", lambda _: "")
    assert match is not None
    assert match.exact
    assert store.entries() == ()
    later, _ = watch(tmp_path, "s2")
    assert [told.change for told in later.ran(run(command, 1, message, kind))] == ["new"]
    assert len(store.entries()) == 1


@pytest.mark.parametrize(
    "command", ["pytest tests", "ruff check src", "npm run build", "git commit -m \"$(cat <<'E'\na\nb\nE\n)\""]
)
def test_a_failing_run_is_recorded_at_once(tmp_path: Path, command: str) -> None:
    seen, _ = watch(tmp_path)
    assert [told.change for told in seen.ran(run(command))] == ["new"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("command -v node", 1),
        ("cat a.txt; grep -c x a.txt", 1),
        ("ls src && test -f src/x", 1),
        ("git diff --exit-code", 1),
        ("git rev-parse -q --verify x", 1),
        ("git config --get user.name", 1),
        ("if grep -q x a; then exit 3; fi", 3),
        ("timeout 5 npm start", 124),
        ("npm run dev", 143),
        ("npm run dev", 130),
    ],
)
def test_exit_codes_of_answers_and_stopped_commands_are_not_failures(command: str, code: int) -> None:
    assert capture({"command": command, "exit_code": code}) is None


def test_a_stopped_run_that_printed_an_error_has_failed() -> None:
    assert capture(run("timeout 60 pytest", 124)) is not None
    assert capture(run("grep x y", 2, "grep: y: Is a directory", "")) is not None


def test_a_missing_module_is_fixed_by_the_command_that_installed_it(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("pytest tests/test_a.py", 1, "No module named 'respx'", "ModuleNotFoundError", "tests/conftest.py"))
    seen.edited("src/a.py", "+x = 1")
    seen.ran(run("npm run lint", 1))
    seen.ran(run("pip install respx", 0))
    seen.ran(run("bun run test", 0))
    (done,) = seen.ran(run("pytest tests/test_a.py", 0))
    assert (done.entry.fix, done.entry.call) == ("first ran `pip install respx`", "")


def test_a_failed_command_is_never_a_fix(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("make all"))
    seen.ran(run("./configure --wrong"))
    seen.ran(run("./configure", 0))
    told = seen.ran(run("make all", 0))
    assert [one.entry.fix for one in told if one.entry.command == "make all"] == ["first ran `./configure`"]


def test_a_call_in_the_wrong_folder_is_fixed_by_the_folder(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("cargo test", 101, "could not find `Cargo.toml` in `/w/repo` or any parent directory", "error"))
    seen.edited("core/src/lib.rs", "+fn a() {}")
    (done,) = seen.ran(run("cd core && cargo test", 0))
    assert done.entry.fix == "run `cd core && cargo test` instead (with `cd core &&`)"


def test_a_call_in_the_wrong_place_between_two_in_the_right_one_is_cured_by_the_place(tmp_path: Path) -> None:
    seen, store = watch(tmp_path)
    seen.ran(run("mvn test", 1, "/ by zero", "ArithmeticException"))
    seen.ran(run("cd src && mvn test", 1, "there is no POM in this directory (src)", "error"))
    seen.edited("Tides.java", "-a\n+b")
    seen.ran(run("mvn test", 0))
    fixes = {entry.fix for entry in store.entries()}
    assert fixes == {"edited Tides.java: `a` → `b`", "run `mvn test` instead (without `cd src &&`)"}


def test_an_edit_does_not_fix_an_error_that_no_file_decides(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("gh repo view a/b", 1, "GraphQL: Could not resolve to a Repository", "error"))
    seen.edited("README.md", "+# Title")
    seen.ran(run("gh repo create a/b --public", 0))
    (done,) = seen.ran(run("gh repo view a/b", 0))
    assert done.entry.fix == "first ran `gh repo create a/b --public`"


def test_asking_a_program_for_its_usage_is_no_correction(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("tool list --json", 1, "Invalid usage: unknown option --json", "Error"))
    assert seen.ran(run("tool list --help", 0)) == ()
    (done,) = seen.ran(run("tool list --format json", 0))
    assert done.entry.fix == "`--json` → `--format json` (`tool list --format json`)"


@pytest.mark.parametrize(
    ("command", "one", "everything"),
    [
        ("git checkout -- a.py", True, False),
        ("git checkout HEAD~1 a.py", True, False),
        ("git restore a.py", True, False),
        ("git restore --staged --worktree a.py", True, False),
        ("git checkout .", True, True),
        ("git restore -- . && make", True, True),
        ("git reset --hard", False, True),
        ("git checkout --ours a.py", False, False),
        ("git checkout --theirs -- a.py && git add a.py", False, False),
        ("git restore --staged a.py", False, False),
        ("git checkout -b a.py", False, False),
        ("git checkout -B a.py origin/a", False, False),
    ],
)
def test_commands_that_revert_edits_are_recognised(tmp_path: Path, command: str, one: bool, everything: bool) -> None:
    files = EditedFiles(watch(tmp_path)[0].memory, "")
    files.edited("a.py", "", None)
    files.edited("b.py", "", None)
    reverted = {"a.py", "b.py"} if everything else {"a.py"} if one else None
    found = files.reverted_by(command)
    assert reverted == (found if found is None else {*found})


def test_home_folders_are_dropped_and_failing_tests_replace_a_missing_error() -> None:
    held = capture(run("pytest", 1, "bad", "ValueError", "/home/ada/other/x.py"), ROOT)
    assert held is not None
    assert (held.error, held.files) == ("ValueError: bad (~/other/x.py:3)", ())
    facts = {"command": "go test ./... | grep FAIL", "exit_code": 0, "hidden": True}
    facts["tests"] = {"failures": 2, "failed": ["TestA", "TestB"]}
    said = capture(facts)
    assert said is not None
    assert said.title == "`go test ./... | grep FAIL`: TestA failed, and 1 more"


def test_each_error_of_a_command_has_its_own_fix(tmp_path: Path) -> None:
    seen, store = watch(tmp_path)
    place = "could not find `Cargo.toml` in `/w/repo` or any parent directory"
    seen.ran(run("cargo test", 101, place, "error"))
    seen.ran(run("cd core && cargo test", 101, "mismatched types", "E0308", "core/src/lib.rs"))
    seen.edited("core/src/lib.rs", "-let a: i32 = x;\n+let a: i64 = x;")
    seen.ran(run("cd core && cargo test", 0))
    assert [entry.fix for entry in store.entries()] == [
        "run `cd core && cargo test` instead (with `cd core &&`)",
        "edited core/src/lib.rs: `let a: i32 = x;` → `let a: i64 = x;`",
    ]


def test_installing_a_program_is_a_preparing_step_and_not_a_corrected_call(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("bun run lint", 127, "bash: line 1: biome: command not found", "command not found"))
    assert seen.ran(run("bun install", 0)) == ()
    assert seen.ran(run("bun run build", 0)) == ()
    (done,) = seen.ran(run("bun run lint", 0))
    assert done.entry.fix == "first ran `bun install`"


def test_no_edit_puts_right_the_name_of_a_program(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path)
    seen.ran(run("yarn test", 127, "bash: line 1: yarn: command not found", "command not found"))
    seen.edited("src/prices.js", "-a\n+b")
    (done,) = seen.ran(run("npm test", 0))
    assert done.entry.fix == "`yarn` → `npm` (`npm test`)"


@pytest.mark.parametrize(
    "error",
    [
        "ModuleNotFoundError: No module named 'a'",
        "TypeError: f() got an unexpected keyword argument 'timeout'",
        "AssertionError: assert 404 == 200 (tests/test_api.py:502)",
        "unreachable: Statement is unreachable (a.py:3)",
        "ValueError: bad",
    ],
)
def test_errors_of_the_project_itself_are_no_outside_errors(error: str) -> None:
    assert not is_outside_error(error)
