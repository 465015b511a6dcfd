"""Mistakes at the keyboard: wrong numbers, kinds, statuses and paths are reported in one line, and change nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ctxe.cli.app import main
from tests.e2e.harness import Ran, Terminal, ctxe, environment

MARKS = "9" * 5000


@dataclass(frozen=True)
class Desk:
    """A folder, and ctxe run in this process on it."""

    folder: Path
    captured: pytest.CaptureFixture[str]

    def run(self, *words: str) -> Ran:
        code = main(["-C", str(self.folder), *words])
        said = self.captured.readouterr()
        return Ran(code, said.out, said.err)


@pytest.fixture
def desk(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """It remembers a preference (1), a decision (2) and a failure."""
    made = Desk(tmp_path / "demo", capsys)
    made.folder.mkdir()
    made.run("memory", "add", "Answer briefly", "--kind", "preference")
    made.run("decisions", "add", "Tables wrap", "Cells are long.")
    made.run("failures", "add", "Tests hang on CI", "--error", "TimeoutError: no answer")
    return made


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["decisions", "supersede", "1", "Tables fold"], 7, "is a preference, no decision: Answer briefly"),
        (["decisions", "show", "1"], 7, "is a preference, no decision: Answer briefly"),
        (["decisions", "show", "zz"], 7, "no decision zz\n      `ctxe decisions list` shows them"),
        (["failures", "show", "2"], 7, "is a decision, no failure: Tables wrap"),
        (["failures", "resolve", "zz"], 7, "no failure zz\n      `ctxe failures list` shows them"),
        (["memory", "show", MARKS], 7, "no entry 999"),
        (["failures", "list", "--since", "soon"], 1, "'soon' is not a time"),
        (["memory", "add", "x", "--kind", "nope"], 2, "decision, fact, preference or routine"),
        (["memory", "add", "x", "--kind", "failure"], 2, "`ctxe failures add` keeps a failure"),
        (["memory", "edit", "1", "--status", "resolved"], 2, "current, stale or superseded"),
        (["memory", "import", ""], 2, "name a file, a folder of rules"),
        (["memory", "import", "/"], 7, "holds the whole project"),
        (["memory", "import", sys.executable], 7, "is not text"),
        (["failures", "learn", ""], 1, "say which sessions"),
        (["failures", "match", ""], 1, "ctxe failures match"),
        (["decisions", "add", " "], 1, "ctxe decisions add"),
        (["sessions", "show", MARKS], 7, "no file has a name of 5,"),
        (["sessions", "export", "2", "--out", MARKS], 6, "no session 2"),
        (["memory", "import", MARKS], 7, "no file has a name of 5,000 characters"),
        (["failures", "learn", MARKS], 7, "no file has a name of 5,000 characters"),
        (["skills", "check", MARKS], 7, "no file has a name of 5,"),
        (["plan", "--budget", MARKS, "x"], 2, "exceeded maximum size"),
        (["budget", "--step", "1"], 3, "--step needs --session"),
        (["budget", "--budget", "-5"], 2, "greater than or equal to 0"),
        (["config", "get", "model"], 3, "model is a section: model.name, model.effort, model.cheap"),
    ],
)
def test_a_mistyped_memory_command_is_reported_and_changes_no_entry(
    desk: Desk, words: list[str], code: int, says: str
) -> None:
    before = {path: path.read_bytes() for path in desk.folder.rglob("*.md")}
    done = desk.run(*words)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert {path: path.read_bytes() for path in desk.folder.rglob("*.md")} == before


def test_importing_the_project_folder_as_rules_is_refused(desk: Desk) -> None:
    done = desk.run("memory", "import", str(desk.folder))
    assert (done.code, done.err.splitlines()[0]) == (7, f"ctxe: {desk.folder} holds the whole project")


def test_decisions_name_the_one_they_replaced_and_a_huge_time_span_means_all_time(desk: Desk) -> None:
    assert desk.run("decisions", "supersede", "2", "Tables fold").err.endswith(" no longer holds: Tables wrap\n")
    assert "Tests hang on CI" in desk.run("failures", "list", "--since", f"{MARKS}d").out
    assert "Tests hang on CI" in desk.run("failures", "match", "--error", "TimeoutError").out


def test_one_undo_takes_back_an_imported_folder_of_rules(desk: Desk) -> None:
    rules = desk.folder / "rules"
    rules.mkdir()
    for name in ("a", "b"):
        (rules / f"{name}.md").write_text(f"# Rule {name}\n\nKeep {name} sorted.\n")
    assert desk.run("memory", "import", str(rules)).json == {"imported": 2, "skipped": 0}
    assert desk.run("memory", "undo").out == "taken back: import 2 entries from rules\n"
    rows = desk.run("memory", "show", "--kind", "preference", "--json").json
    assert [row["title"] for row in rows] == ["Answer briefly"]


def test_learning_from_a_recording_without_calls_adds_no_failure(desk: Desk) -> None:
    notes = desk.folder / "notes.jsonl"
    notes.write_text('{"says": "hello"}\n')
    done = desk.run("failures", "learn", str(notes))
    assert done.out == "notes.jsonl: it holds no calls\n0 new failures from 0 recordings\n"


def test_a_request_number_beyond_the_session_and_a_folder_as_output_are_refused(desk: Desk, home: Path) -> None:
    assert ctxe(desk.folder, environment(home), "-p", "where do tables wrap?").code == 0
    done = desk.run("budget", "--session", "2", "--step", "2")
    assert (done.code, done.err.splitlines()[0]) == (6, "ctxe: session 2 sent 1 request")
    assert desk.run("budget", "--session", "2", "--step", "-1").code == 2
    for words in (("inspect", "--out", "/"), ("export", "--out", ".")):
        done = desk.run("sessions", *words)
        assert (done.code, done.err.splitlines()[-1].strip()) == (7, "name a file in it")


def test_an_invalid_choice_is_refused_with_the_list_of_choices(desk: Desk) -> None:
    done = desk.run("cost", "--by", "week")
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "Error: Invalid value for '--by': 'week' is not one of 'session', 'day', 'model', 'step'."
    )


def test_log_lines_are_named_by_their_text_and_repeated_headings_are_numbered(desk: Desk) -> None:
    log = desk.folder / "log.jsonl"
    log.write_text('{"id": "L1", "kind": "log", "text": "we drank tea", "ts": 9}\n')
    page = desk.folder / "rules.md"
    page.write_text("# Fixed\n\nOne.\n\n# Fixed\n\nTwo.\n\n# Fixed 2\n\nThree.\n")
    desk.run("memory", "import", str(log))
    assert "we drank tea" in desk.run("memory", "search", "tea").out
    assert desk.run("memory", "show").out.endswith("\n\nlog  1 imported line\n")
    for _ in range(2):
        assert desk.run("memory", "import", str(page)).json == {"imported": 3, "skipped": 0}
    rows = desk.run("memory", "show", "--kind", "preference", "--json").json
    assert [row["id"] for row in rows if row["id"].startswith("rules")] == [
        "rules-md/fixed",
        "rules-md/fixed-2",
        "rules-md/fixed-2-2",
    ]


def test_counts_of_one_are_printed_in_the_singular(desk: Desk) -> None:
    (desk.folder / "tea.py").write_text("def boil(): ...\n")
    assert desk.run("index").out.startswith("1 file, 0 past commits, ")


def test_setting_names_are_not_cut_in_a_narrow_window(home: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, environment(home), ("config", "show"), columns=60) as terminal:
        screen = terminal.wait(r"shares\.instructions_tokens(.|\n)*retrieval\.sources")
        assert terminal.ended() == 0
    assert "shares.instructions_tokens  8000" in screen
    assert "…" not in screen
