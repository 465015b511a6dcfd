"""Names without a path in a task: a commit, an issue, an import from a package, one of several namesakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxe.lexical.symbols import symbols_in
from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.evidence import Evidence, Scores
from ctxe.repo.planning.reading import read_task
from ctxe.repo.planning.signals.mentions import defined, frame, path_named
from ctxe.repo.planning.signals.modules import imports, member_named, module_named
from ctxe.repo.planning.signals.past import MOST_ABOUT, commit_named, issue_named
from tests.repositories import git, repository
from tests.unit.repo.planned import plan

FILES = {
    "tea/__init__.py": "from tea.units.scale import milli\n",
    "tea/units/__init__.py": "from tea.units.scale import milli\nfrom tea.units.weigh import weigh\n",
    "tea/units/scale.py": "milli = 0.001\n",
    "tea/units/weigh.py": "def weigh(leaf):\n    return leaf.weight\n",
    "tea/pretty/__init__.py": "from tea.pretty.pretty import draw\n",
    "tea/pretty/pretty.py": "def draw(cup):\n    return cup.outline\n",
    "tea/pretty/lines.py": "LINE = '-'\n",
    **{f"tea/part{number}/error.py": f"class Error{number}(Exception): ...\n" for number in range(8)},
}


def change(root: Path, path: str, message: str) -> str:
    """Commit a change of one file; the name of the commit, which begins with digits and letters: 1234567 is none."""
    (root / path).write_text((root / path).read_text() + "# more\n")
    git(root, "commit", "-qam", message)
    while (name := git(root, "rev-parse", "HEAD").strip())[:7].isdigit() or name[:7].isalpha():
        git(root, "commit", "-q", "--amend", "-m", message := f"{message}.")
    return name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return repository(tmp_path / "tree", FILES, "Make tea")


def ask(tree: Path, task: str) -> Evidence:
    index = Index(tree, Git(tree, os.environ), tree.parent / "index.db", 1)
    index.refresh()
    return Evidence(index, read_task(task), {})


def by_path(evidence: Evidence, scores: Scores) -> dict[str, float]:
    return {evidence.file(number).path: score for number, score in scores.items()}


def why(evidence: Evidence, task: str, path: str) -> str:
    """The first reason for a file in the plan of a task."""
    (file,) = (file for file in plan(evidence.index, task, 4000).files if file.path == path)
    return file.reasons[0].detail


@pytest.mark.parametrize("length", [7, 12, 40])
def test_naming_a_commit_names_the_files_it_changed(tree: Path, length: int) -> None:
    name = change(tree, "tea/pretty/lines.py", "Draw longer lines")
    change(tree, "tea/units/weigh.py", "Weigh twice")
    asked = ask(tree, f"Cups leak since {name[:length]}")
    assert by_path(asked, commit_named(asked)) == {"tea/pretty/lines.py": 1.0}
    assert why(asked, f"Cups leak since {name[:length]}", "tea/pretty/lines.py") == (
        f"changed by commit {name[:12][:length]}, named in the task"
    )


def test_asking_what_a_commit_broke_plans_the_files_it_changed(tree: Path) -> None:
    name = change(tree, "tea/pretty/lines.py", "Draw longer lines")
    for number in range(8):
        (tree / f"tea/part{number}/error.py").write_text(f"def break_{number}(cup):\n    cup.break_it()\n")
    git(tree, "commit", "-qam", "Break cups")
    task = f"What did {name[:9]} break?"
    shown = [file.path for file in plan(ask(tree, task).index, task, 4000).files if file.mode != "name"]
    assert "tea/pretty/lines.py" in shown


def test_parts_of_a_commit_hash_are_no_search_terms() -> None:
    views = read_task("What did bcd8ce7 break?").views()
    assert views["title"] == {"bcd8ce7": 1.0, "break": 1.0}


def test_naming_an_issue_names_the_files_of_its_commits(tree: Path) -> None:
    change(tree, "tea/units/weigh.py", "Weigh twice (#417)")
    change(tree, "tea/pretty/lines.py", "Draw 90 lines")
    asked = ask(tree, "Cups leak, regressed by #417, and #90210 is not of this history")
    assert by_path(asked, issue_named(asked)) == {"tea/units/weigh.py": 1.0}
    assert why(asked, "Cups leak, regressed by #417", "tea/units/weigh.py") == (
        "changed by a commit about #417, named in the task"
    )


@pytest.mark.parametrize("task", ["Cups leak since 417 days", "Cups leak since 0abc123", "Cups leak"])
def test_a_plain_number_and_an_unknown_commit_name_no_file(tree: Path, task: str) -> None:
    change(tree, "tea/units/weigh.py", "Weigh twice (#417)")
    asked = ask(tree, task)
    assert commit_named(asked) == issue_named(asked) == {}


def test_a_number_that_many_commits_use_is_no_issue(tree: Path) -> None:
    for turn in range(MOST_ABOUT + 1):
        change(tree, "tea/units/weigh.py", f"Weigh 417 leaves, {turn}")
    asked = ask(tree, "Cups leak, regressed by #417")
    assert issue_named(asked) == {}


def test_a_commit_hash_is_its_own_kind_of_mention() -> None:
    said = symbols_in("Since 1f3a9c2 and 0123456789abcdef0123456789abcdef01234567; 20261122 and deadbeef are not")
    assert said.commits == ("1f3a9c2", "0123456789abcdef0123456789abcdef01234567")


def test_a_name_imported_from_a_package_leads_to_its_definition(tree: Path) -> None:
    asked = ask(tree, "Milli is wrong\n\n```python\nfrom tea.units import milli, cup\n```\n")
    assert by_path(asked, module_named(asked)) == {"tea/units/scale.py": 1.0}
    assert "tea/units/scale.py" in by_path(asked, defined(asked))


def test_a_package_without_that_name_stands_for_itself(tree: Path) -> None:
    asked = ask(tree, "Cups leak\n\n    from tea.units import cup\n")
    assert by_path(asked, module_named(asked)) == {"tea/units/__init__.py": 1.0}


def test_a_package_named_alone_also_means_the_module_of_its_name(tree: Path) -> None:
    asked = ask(tree, "Wrong lines in tea.pretty")
    assert by_path(asked, module_named(asked)) == {"tea/pretty/__init__.py": 0.5, "tea/pretty/pretty.py": 0.5}


def test_a_member_leads_to_the_file_that_defines_class_and_member(tree: Path) -> None:
    (tree / "tea/units/weigh.py").write_text("class Scales:\n    def tare(self): ...\n")
    asked = ask(tree, "Scales.tare forgets the cup")
    assert by_path(asked, member_named(asked)) == {"tea/units/weigh.py": 1.0}


def test_the_folder_at_the_start_of_the_title_chooses_among_namesakes(tree: Path) -> None:
    asked = ask(tree, "part3: move what is raised to error.py")
    assert by_path(asked, path_named(asked)) == {"tea/part3/error.py": 1.0}
    asked = ask(tree, "Move what is raised to error.py")
    assert path_named(asked) == {}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("from a.b import (\n    one,\n    two as three,\n)", [("a.b", ["one", "two"])]),
        (">>> from .a import one; one()", [(".a", ["one"])]),
        ('import Base, { one, two as three } from "./b"', [("./b", ["one", "two"])]),
        ("import type { One } from 'c'", [("c", ["One"])]),
        ("use crate::a::b::{One, two};", [("crate::a::b", ["One", "two"])]),
        ("from a import *", [("a", [])]),
        ("we import tea from China", []),
        ("from " * 20_000, []),
    ],
)
def test_imports_are_recognised_in_every_spelling(text: str, taken: list[tuple[str, list[str]]]) -> None:
    assert list(imports(text)) == taken


@pytest.mark.parametrize(
    ("folder", "first"),
    [
        ("/home/me/tree", True),
        ("/go/pkg/mod/example.org/tree@v1.9.1", True),
        ("/app", True),
        ("/usr/local/go/src", False),
    ],
)
def test_a_stack_frame_from_another_checkout_leads_to_the_project_file(
    tmp_path: Path, folder: str, first: bool
) -> None:
    files = {"route.go": "package tea\n\nfunc Walk() {}\n", "pot/pour.go": "package pot\n\nfunc Pour() {}\n"}
    evidence = ask(
        repository(tmp_path / "tree", files, "Make tea"),
        f"It falls over\n\npanic: nil\ntea.Walk(0x0)\n\t{folder}/route.go:3 +0x55\n"
        "tea/pot.Pour(...)\n\t/app/pot/pour.go:3 +0x47\n",
    )
    scores = by_path(evidence, frame(evidence))
    assert (scores.get("route.go", 0.0) > scores["pot/pour.go"]) is first, "the innermost frame is told first"
