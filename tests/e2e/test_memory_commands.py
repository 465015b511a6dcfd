"""``ctxe memory``, ``failures`` and ``decisions`` as real processes: text, JSON, and the files on disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import git, repository

CTXE = [sys.executable, "-m", "ctxe"]


def ctxe(folder: Path, *words: str, said: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    """One command, its output and errors apart; the exit code is checked."""
    run = subprocess.run(
        [*CTXE, *words], cwd=folder, input=said, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == code, run.stderr + run.stdout
    assert "Traceback" not in run.stderr
    return run


def asked(folder: Path, *words: str, said: str = "") -> Any:
    return json.loads(ctxe(folder, *words, said=said).stdout)


def test_a_decision_is_recorded_listed_and_replaced_by_a_newer_one(tmp_path: Path) -> None:
    first = asked(
        tmp_path, "decisions", "add", "Store sessions as JSONL", "Appending is atomic.", "--file", "log.py", "--json"
    )
    path = tmp_path / ".ctxe" / first["path"]
    assert path.read_text().endswith("files: [log.py]\n---\nAppending is atomic.\n")
    second = ctxe(
        tmp_path, "decisions", "supersede", "1", "Store sessions in SQLite", "-", said="Queries matter more.\n"
    )
    (held,) = asked(tmp_path, "decisions", "list", "--json")
    assert (held["title"], held["text"], held["supersedes"]) == (
        "Store sessions in SQLite",
        "Queries matter more.",
        [first["id"]],
    )
    assert second.stdout == f"saved {held['id']} in .ctxe/{held['path']}, by user\n"
    both = asked(tmp_path, "decisions", "list", "--all", "--json")
    assert [(row["id"], row["superseded_by"]) for row in both] == [(first["id"], held["id"]), (held["id"], None)]
    shown = ctxe(tmp_path, "decisions", "show", first["id"]).stdout
    assert f"superseded by {held['id']}" in shown
    assert shown.endswith("Appending is atomic.\n")
    again = ctxe(tmp_path, "decisions", "add", "Store sessions in SQLite 3")
    assert again.stderr == (
        f"kept both: decision {held['id']} says: Store sessions in SQLite (--supersedes {held['id']} replaces it)\n"
    )


def test_adding_the_same_entry_twice_keeps_one(tmp_path: Path) -> None:
    entry = asked(tmp_path, "memory", "add", "We use tabs", "--scope", "src/**", "--json")
    assert asked(tmp_path, "memory", "add", "We use tabs", "--scope", "src/**", "--json") == entry
    again = ctxe(tmp_path, "memory", "add", "We use tabs", "--scope", "src/**")
    assert (again.stdout, again.stderr) == (f"{entry['id']} already says that in .ctxe/{entry['path']}, by user\n", "")
    assert asked(tmp_path, "memory", "add", "We use tabs", "--json")["id"] != entry["id"], "of all files"
    assert len(asked(tmp_path, "memory", "show", "--json")) == 2


def test_memory_is_added_shown_changed_forgotten_and_brought_back(tmp_path: Path) -> None:
    entry = asked(
        tmp_path, "memory", "add", "The API listens on 8080.", "--scope", "src/**", "--json", "-C", str(tmp_path)
    )
    page = ctxe(Path("/"), "--project", str(tmp_path), "memory", "show").stdout
    assert page.splitlines()[0] == f"{tmp_path}/.ctxe: 1 entry, about 6 tokens"
    assert re.search(rf"{entry['id']} +The API listens on 8080\. +src/\*\* +now +6$", page, re.MULTILINE)
    ctxe(tmp_path, "memory", "edit", entry["id"], "--title", "The API listens on 9090.", "--status", "stale")
    whole = asked(tmp_path, "memory", "show", "1", "--json")
    assert (whole["title"], whole["status"], whole["scope"]) == ("The API listens on 9090.", "stale", ["src/**"])
    assert ctxe(tmp_path, "memory", "forget", "1").stdout == f"forgot {entry['id']} The API listens on 9090.\n"
    assert asked(tmp_path, "memory", "show", "--json") == []
    assert ctxe(tmp_path, "memory", "undo").stdout == f"taken back: forget {entry['id']}\n"
    assert [row["id"] for row in asked(tmp_path, "memory", "show", "--json")] == [entry["id"]]


def test_failures_are_kept_matched_and_resolved(tmp_path: Path) -> None:
    words = [
        "failures",
        "add",
        "Tests need redis",
        "--command",
        "pytest -q",
        "--error",
        "ConnectionError: refused",
        "--file",
        "a.py",
    ]
    first, again = asked(tmp_path, *words, "--json"), asked(tmp_path, *words, "--json")
    assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
    query = json.dumps({"text": "redis refused", "command": "pytest", "files": ["a.py"]})
    found = asked(tmp_path, "failures", "match", "--json", "-k", "5", query)
    assert [(row["id"], row["kind"], row["current"]) for row in found["results"]] == [(first["id"], "failure", True)]
    ctxe(tmp_path, "failures", "resolve", first["signature"][:8], "--fix", "docker compose up redis")
    (group,) = asked(tmp_path, "failures", "list", "--json", "--status", "resolved", "--file", "a.py", "--since", "1d")
    assert (group["seen"], group["fix"], group["command"]) == (2, "docker compose up redis", "pytest")
    assert "docker compose up redis" in ctxe(tmp_path, "failures", "match", "redis refused").stdout
    listed = ctxe(tmp_path, "failures", "list").stdout.splitlines()
    assert re.fullmatch(r"\w{8} +resolved +2 +now +Tests need redis +docker compose up redis +a\.py", listed[1])
    assert asked(tmp_path, "failures", "stats", "--json")["statuses"] == {"resolved": 1}
    ctxe(tmp_path, "failures", "forget", first["id"])
    assert ctxe(tmp_path, "failures", "list").stdout == "no failures are remembered\n"
    assert (
        "seen 2 times"
        in ctxe(tmp_path, "memory", "undo").stdout + ctxe(tmp_path, "failures", "show", first["id"]).stdout
    )


ROWS: list[dict[str, Any]] = [
    {"id": "D1:3", "kind": "log", "title": "", "text": "We talked about Lisbon and trams", "ts": 5, "session": "s1"},
    {"id": "pep-8", "kind": "decision", "title": "Style guide", "text": "Indent with four spaces", "ts": 1_700_000_000},
    {
        "id": "pep-9",
        "kind": "decision",
        "title": "New style guide",
        "text": "Indent well",
        "ts": 1_700_000_100,
        "supersedes": ["pep-8"],
    },
    {
        "id": "abc",
        "kind": "failure",
        "title": "Tram crash",
        "text": "boom in lisbon.py",
        "files": ["lisbon.py"],
        "ts": 7,
        "x": 1,
    },
    {"id": "odd", "kind": "lesson", "title": "An odd kind", "text": "kept all the same"},
]


def test_import_keeps_ids_replaces_and_names_bad_lines(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    file = tmp_path / "all.jsonl"
    bad = ["{not json", "[1]", '{"text": "no id"}', ""]
    file.write_text("\n".join([*map(json.dumps, ROWS), *bad]))
    run = ctxe(project, "memory", "import", str(file))
    assert json.loads(run.stdout) == {"imported": 5, "skipped": 3}
    assert run.stderr.splitlines() == [
        "line 6: no JSON; skipped",
        "line 7: no JSON object; skipped",
        "line 8: no id; skipped",
    ]
    exported = [json.loads(line) for line in ctxe(project, "memory", "export").stdout.splitlines()]
    assert {row["id"]: (row["kind"], row.get("ts")) for row in exported} == {
        row["id"]: (row["kind"], row.get("ts")) for row in ROWS
    }
    file.write_text(
        json.dumps({**ROWS[1], "kind": "log", "text": "changed"}) + "\n" + json.dumps({**ROWS[0], "kind": "fact"})
    )
    assert asked(project, "memory", "import", str(file)) == {"imported": 2, "skipped": 0}
    again = {row["id"]: row for row in map(json.loads, ctxe(project, "memory", "export").stdout.splitlines())}
    assert len(again) == 5
    assert (again["pep-8"]["text"], again["pep-8"]["kind"], again["D1:3"]["kind"]) == ("changed", "log", "fact")
    folders = sorted({path.parent.name for path in (project / ".ctxe").rglob("*") if path.suffix in (".md", ".jsonl")})
    assert folders == ["decisions", "failures", "log", "memory"]


def test_search_in_bulk_answers_each_line_in_order(tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    ctxe(tmp_path, "memory", "import", "all.jsonl")
    questions = [
        {"qid": "a", "text": "trams in Lisbon"},
        {"qid": 2, "text": "style guide for indenting", "k": 1},
        {"qid": "c", "text": "style guide for indenting", "as_of": 1_700_000_050},
        {"qid": "d", "text": "trams in Lisbon", "exclude": ["D1:3", "abc"]},
        {"qid": "e", "text": "quantum chromodynamics of glaciers", "inject": True},
        {"qid": "f", "files": ["lisbon.py"], "text": ""},
    ]
    said = "".join(json.dumps(question) + "\n" for question in questions) + "rubbish\n"
    run = ctxe(tmp_path, "memory", "search", "--jsonl", "--project", str(tmp_path), said=said)
    *answers, error = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["qid"] for answer in answers] == ["a", 2, "c", "d", "e", "f"]
    assert error == {"error": "not a question: no JSON"}
    by_qid = {answer["qid"]: [row["id"] for row in answer["results"] if row["current"]] for answer in answers}
    assert by_qid["a"][0] == "D1:3"
    assert by_qid[2] == ["pep-9"]
    assert "pep-8" in by_qid["c"]
    assert not {"D1:3", "abc"} & set(by_qid["d"])
    assert (by_qid["e"], answers[4]["abstained"]) == ([], True)
    assert by_qid["f"] == ["abc"]
    assert set(answers[0]["results"][0]) == {"id", "score", "tokens", "current", "superseded_by", "kind", "title"}
    matched = ctxe(tmp_path, "failures", "match", "--jsonl", said=json.dumps({"qid": 1, "text": "tram crash"}) + "\n")
    assert [row["id"] for row in json.loads(matched.stdout)["results"]] == ["abc"]


def test_the_inbox_is_reviewed_in_a_terminal_and_by_options(tmp_path: Path) -> None:
    ids = [
        asked(tmp_path, "memory", "add", "--propose", words, "--json")["id"]
        for words in ("Use tabs", "Use spaces", "Be kind")
    ]
    assert [row["id"] for row in asked(tmp_path, "memory", "review", "--json")] == ids
    assert ctxe(tmp_path, "memory", "review", "--reject", ids[2]).stdout == f"rejected {ids[2]} Be kind\n"
    ctxe(tmp_path, "memory", "add", "About a file", "--file", "gone.py")
    assert "stale: file gone.py is gone" in ctxe(tmp_path, "memory", "review").stdout
    screen = at_terminal(tmp_path, ["memory", "review"], "arf")
    assert "About a file" in screen.partition("forgot 0004-")[0]
    assert f"saved {ids[0]} in .ctxe/memory/" in screen
    assert f"rejected {ids[1]} Use spaces" in screen
    assert ctxe(tmp_path, "memory", "review").stdout == "the inbox is empty\n"
    assert [row["id"] for row in asked(tmp_path, "memory", "show", "--json")] == [ids[0]]


def test_two_decisions_that_replace_the_same_one_are_reported_until_a_person_chooses(tmp_path: Path) -> None:
    (tmp_path / "parse.py").write_text("")
    ctxe(tmp_path, "decisions", "add", "Parse by hand", "--file", "parse.py")
    one, other = (
        asked(tmp_path, "decisions", "supersede", "1", f"Parse with {tool}", "--json")["id"]
        for tool in ("lark", "pyparsing")
    )
    third = ctxe(tmp_path, "decisions", "supersede", "1", "Parse with ply").stderr
    assert re.fullmatch(f"0001-.* was replaced by {one} already, which stays: Parse with lark\n", third)
    ctxe(tmp_path, "memory", "undo")
    rows = asked(tmp_path, "decisions", "list", "--json")
    assert [(row["id"], row["files"]) for row in rows] == [(one, ["parse.py"]), (other, ["parse.py"])]
    told = {check["name"]: check["says"] for check in asked(tmp_path, "doctor", "--json")}
    assert told["memory"].startswith("2 entries in"), "as `memory show` counts: what was replaced is none"
    assert f"replaces the same as {one}: `ctxe memory review`" in ctxe(tmp_path, "memory", "show").stdout
    assert f"{one} and {other}: 0001-" in ctxe(tmp_path, "memory", "review").stdout
    assert f"{other} no longer holds: Parse with pyparsing" in at_terminal(tmp_path, ["memory", "review"], "f")
    assert [row["id"] for row in asked(tmp_path, "decisions", "list", "--json")] == [one]
    ctxe(tmp_path, "memory", "undo")
    at_terminal(tmp_path, ["memory", "review"], "k")
    assert [row["id"] for row in asked(tmp_path, "decisions", "list", "--json")] == [one, other]
    assert "both hold" not in ctxe(tmp_path, "memory", "review").stdout


def test_entries_follow_a_cited_file_that_was_moved(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {"src/parser.py": "class Parser:\n    def read(self): ...\n", "b.py": "x\n"})
    lean = ("--file", "src/parser.py", "--file", "b.py", "--evidence", "file src/parser.py")
    ctxe(root, "memory", "add", "The parser reads", *lean)
    for old, new in (("src/parser.py", "src/reader.py"), ("src/reader.py", "lib.py")):
        git(root, "mv", old, new)
        git(root, "commit", "-qm", "Move")
    screen = at_terminal(root, ["memory", "review"], "m")
    assert "src/parser.py was moved to lib.py" in screen
    (entry,) = asked(root, "memory", "show", "--json")
    assert (entry["files"], entry["stale"]) == (["lib.py", "b.py"], [])
    assert entry["evidence"][0].startswith("file lib.py@")


def at_terminal(folder: Path, words: list[str], keys: str) -> str:
    """Run a command in a pseudo-terminal, pressing one key for each question; what stood on the screen."""
    import pexpect

    env = {**os.environ, "TERM": "xterm-256color"}
    child = pexpect.spawn(sys.executable, [*CTXE[1:], *words], cwd=str(folder), env=env, timeout=30, encoding="utf-8")
    shown = ""
    for key in keys:
        child.expect_exact("[q]uit?")
        shown += child.before
        time.sleep(0.3)
        child.send(key)
    child.expect(pexpect.EOF)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown + child.before)


def test_memory_show_lists_what_loads_with_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("Names are nouns in this project.\n")
    (tmp_path / "CLAUDE.md").write_text("Names are nouns in this project.\n\nAsk before deleting.\n")
    (tmp_path / "MEMORY.md").write_text("Deploys on Fridays.\n")
    found = asked(tmp_path, "memory", "show", "--sources", "--json")
    assert [(row["path"], row["state"]) for row in found["instructions"]] == [
        ("AGENTS.md", "loaded"),
        ("CLAUDE.md", "loaded"),
    ]
    assert found["instructions"][1]["repeats"] == [["“Names are nouns in this project.”", "AGENTS.md"]]
    assert [row["id"] for row in found["memory"]] == ["MEMORY.md"]
    page = ctxe(tmp_path, "memory", "show", "--sources").stdout
    assert "1 item already in AGENTS.md" in page
    assert re.search(r"^\d+ tokens in every request$", page, re.MULTILINE)


def test_rule_files_of_other_tools_are_imported_and_everything_is_exported(tmp_path: Path) -> None:
    (tmp_path / "rules.mdc").write_text("---\nglobs: src/**\n---\n# Naming\n\nNouns.\n\n# Tests\n\nReal parts.\n")
    assert asked(tmp_path, "memory", "import", "rules.mdc") == {"imported": 2, "skipped": 0}
    assert asked(tmp_path, "memory", "import", "rules.mdc") == {"imported": 2, "skipped": 0}
    rows = asked(tmp_path, "memory", "show", "--json")
    assert [(row["title"], row["kind"], row["scope"]) for row in rows] == [
        ("Naming", "preference", ["src/**"]),
        ("Tests", "preference", ["src/**"]),
    ]
    page = ctxe(tmp_path, "memory", "export", "--format", "markdown").stdout
    assert page.startswith("# What this project remembers\n\n## Preference\n\n### Naming\n\nNouns.")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["memory", "show", "nope"], 7, "ctxe: no entry nope"),
        (["memory", "forget", "nope"], 7, "ctxe: no entry nope"),
        (["memory", "undo"], 7, "ctxe: nothing to take back"),
        (["memory", "import", "nope.jsonl"], 7, "ctxe: cannot read nope.jsonl: no such regular file"),
        (["memory", "add", " "], 1, "ctxe: say what to remember"),
        (["memory", "add", "token", "ghp_" + "a1B2" * 9], 7, "ctxe: not remembered: it seems to contain a secret"),
        (["memory", "search"], 1, "ctxe: say what to look for"),
        (["failures", "list", "--since", "soon"], 1, "ctxe: 'soon' is not a time"),
        (["memory", "edit", "1"], 7, "ctxe: no entry 1"),
    ],
)
def test_bad_input_to_memory_commands_is_one_line_and_a_hint(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    run = ctxe(tmp_path, *words, code=code)
    first, hint = run.stderr.splitlines()
    assert first.startswith(message)
    assert hint.strip()
    assert run.stdout == ""


def test_reading_memory_commands_create_no_file_and_leave_git_status_clean(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    ctxe(tmp_path, "memory", "show")
    ctxe(tmp_path, "failures", "list")
    assert ctxe(tmp_path, "memory", "search", "anything at all").stdout == "nothing remembered matches\n"
    ctxe(tmp_path, "memory", "add", "Something worth keeping")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert status.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [".ctxe", ".git"]


def test_two_thousand_entries_are_imported_and_listed_quickly(tmp_path: Path) -> None:
    rows = [
        {"id": f"n{n}", "kind": ("fact", "decision")[n % 2], "title": f"Title {n}", "text": "word " * 60, "ts": n}
        for n in range(2000)
    ]
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def spent() -> float:
        """Processor time of what ran for us, in seconds: other work beside the tests takes none of it."""
        return os.times().children_user + os.times().children_system

    before = spent()
    assert asked(tmp_path, "memory", "import", "all.jsonl") == {"imported": 2000, "skipped": 0}
    assert spent() - before < 6
    ctxe(tmp_path, "memory", "show")
    before = spent()
    assert ctxe(tmp_path, "memory", "show").stdout.startswith(f"{tmp_path}/.ctxe: 2,000 entries")
    assert spent() - before < 1.0


def test_an_imported_folder_keeps_the_kind_that_each_rule_declares(tmp_path: Path) -> None:
    for name, front in (("api.mdc", "description: How the API is written\nglobs: api/**\n"), ("sub/api.mdc", "")):
        place = tmp_path / "rules" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"---\n{front}---\n- Keep {name} sorted\n")
    (tmp_path / "rules/picture.png").write_bytes(b"\x89PNG")
    for _ in range(2):
        assert asked(tmp_path, "memory", "import", "rules") == {"imported": 2, "skipped": 0}
    rows = asked(tmp_path, "memory", "show", "--json")
    assert sorted((row["title"], tuple(row.get("scope", ()))) for row in rows) == [
        ("How the API is written", ("api/**",)),
        ("sub/api.mdc", ()),
    ]
    (tmp_path / "none").mkdir()
    refused = ctxe(tmp_path, "memory", "import", "none", code=7)
    assert refused.stderr.splitlines()[0] == "ctxe: there are no rule files in none"
    shown = ctxe(tmp_path, "memory", "show", "--kind", "zebra").stdout
    assert "no entries of the kind zebra" in shown
    assert ctxe(tmp_path, "failures", "list", "--status", "zebra").stdout == "no remembered failure matches\n"
