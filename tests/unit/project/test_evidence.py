"""The evidence of memories, checked in a real repository: files, their content, tests, symbols, commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.upkeep.evidence import gone_evidence, stale_entries
from ctxe.project import Project
from ctxe.project.memory import memories
from ctxe.project.memory.evidence import facts_of
from ctxe.project.memory.moved_files import new_paths
from tests.repositories import git


@pytest.fixture
def project(tmp_path: Path) -> Project:
    git(tmp_path, "init", "-q")
    (tmp_path / "app.py").write_text("class Parser:\n    def read(self): ...\n")
    (tmp_path / "test_app.py").write_text("def test_reads(): ...\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return Project.open(tmp_path, {})


def lost(project: Project, *evidence: str) -> tuple[str, ...]:
    entry = project.store.add(Entry("", "decision", "It leans", evidence=evidence))
    return gone_evidence(entry, facts_of(project))


def test_present_and_missing_evidence_is_told_apart(project: Project) -> None:
    commit = f"commit {git(project.root, 'rev-parse', 'HEAD')[:9]}"
    standing = (commit, "symbol Parser.read", "test test_app.py::test_reads[1]", "file app.py", "session s1")
    assert lost(project, *standing, "commit none yet", "symbol ", "file *.py", "file ../x") == ()
    missing = ("commit 1234567", "symbol Parser.wrote", "test test_app.py::test_writes", "test no.py::a", "file no.py")
    assert lost(project, *missing) == (
        "commit 1234567 is gone",
        "symbol Parser.wrote is gone",
        "test test_app.py::test_writes is gone",
        "test no.py is gone",
        "file no.py is gone",
    )


def test_an_impossible_file_name_is_missing_evidence(project: Project) -> None:
    name = "a" * 300
    entry = project.store.add(Entry("", "fact", "It leans", files=(name,), evidence=(f"file {name}", "test b\0::c")))
    assert gone_evidence(entry, facts_of(project)) == (f"file {name} is gone", "test b is gone")
    assert new_paths(project, entry) == {}
    assert [row["title"] for row in memories.rows(project)] == ["It leans"]


def test_imported_entries_are_never_stale(project: Project) -> None:
    facts = facts_of(project)
    ours, theirs = (Entry(name, "fact", ts=ts, evidence=("file no.py",)) for name, ts in (("a", ""), ("b", "5")))
    assert stale_entries([ours, theirs], facts) == {"a": ("file no.py is gone",)}


def test_names_with_punctuation_are_looked_up_whole(project: Project) -> None:
    (project.root / "src" / "@types").mkdir(parents=True)
    (project.root / "src" / "@types" / "it.d.ts").write_text("export {}\n")
    cited = ("file src/@types/it.d.ts", "file src/@types/it.d.ts:12", "file src/@types/no.ts")
    entry = memories.add_entry(project, Entry("", "decision", "It leans", evidence=cited))
    assert entry.evidence[0].rpartition("@")[0] == "file src/@types/it.d.ts"
    assert gone_evidence(entry, facts_of(project)) == ("file src/@types/no.ts is gone",)
    (project.root / "src" / "@types" / "it.d.ts").write_text("export {a}\n")
    assert gone_evidence(entry, facts_of(project))[0] == "file src/@types/it.d.ts has changed since"


def test_a_cited_file_is_pinned_by_its_content_and_a_change_is_noticed(project: Project) -> None:
    entry = memories.add_entry(project, Entry("", "decision", "It leans", evidence=("file app.py", "file no.py")))
    assert [item.partition("@")[0] for item in entry.evidence] == ["file app.py", "file no.py"]
    assert len(entry.evidence[0].partition("@")[2]) == 12
    assert gone_evidence(entry, facts_of(project)) == ("file no.py is gone",)
    (project.root / "app.py").write_text("class Writer: ...\n")
    assert gone_evidence(entry, facts_of(project)) == ("file app.py has changed since", "file no.py is gone")
    (row,) = memories.rows(project)
    assert row["stale"] == ["file app.py has changed since", "file no.py is gone"]
    looked = memories.confirm(project, entry.id)
    assert looked.evidence[0].startswith("file app.py@")
    assert len(looked.evidence) == 1
    assert gone_evidence(looked, facts_of(project)) == ()
    assert memories.confirm(project, entry.id) == looked
    assert memories.rows(project)[0]["stale"] == []


def test_an_entry_kept_despite_missing_files_is_not_reported_again(project: Project) -> None:
    entry = memories.add_entry(
        project, Entry("", "fact", "Two", files=("app.py", "no.py"), evidence=("symbol Nowhere",))
    )
    assert memories.rows(project)[0]["stale"] == ["file no.py is gone", "symbol Nowhere is gone"]
    looked = memories.confirm(project, entry.id)
    assert (looked.files, looked.evidence) == (("app.py",), ())
    assert memories.rows(project)[0]["stale"] == []


def test_evidence_that_cannot_be_checked_counts_as_present(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {})
    assert lost(project, "commit 1234567", "symbol Parser") == ()
    clone = tmp_path / "shallow"
    (tmp_path / "whole").mkdir()
    git(tmp_path / "whole", "init", "-q")
    for name in ("one", "two"):
        git(tmp_path / "whole", "commit", "-q", "--allow-empty", "-m", name)
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path}/whole", str(clone))
    assert lost(Project.open(clone, {}), "commit 1234567") == ()


def test_a_file_that_was_not_there_when_a_run_named_it_is_not_gone(project: Project) -> None:
    never = Entry("a", "failure", status="open", call="go test ./...", files=("add_test.go", "no.py"))
    then = replace(never, id="b", state=("no.py@1a2b3c4d5e6f",))
    assert stale_entries([never, then], facts_of(project)) == {"b": ("file no.py is gone",)}
