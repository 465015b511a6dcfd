"""The memory folder on a real disk: adding, changing, retiring, undoing, and damaged files."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.outside_changes import OutsideChange, note_changes, outside_changes
from ctxe.knowledge.entries.snapshot import Problem
from ctxe.knowledge.entries.store import Store
from tests.unit.knowledge.stores import NOON, store_in, tokens


def decision(title: str, text: str = "", **more: object) -> Entry:
    return Entry("", "decision", title, text=text, **more)  # type: ignore[arg-type]


def test_an_entry_is_one_readable_file(tmp_path: Path) -> None:
    entry = store_in(tmp_path).add(decision("Store sessions as JSONL", "Appending is atomic.", scope=("ctxe/**",)))
    assert entry.id.startswith("0001-")
    assert entry.path == f"decisions/0001-store-sessions-as-jsonl-{entry.id[5:]}.md"
    assert (tmp_path / ".ctxe" / entry.path).read_text() == (
        f'---\nid: "{entry.id}"\nkind: decision\ntitle: Store sessions as JSONL\nstatus: current\n'
        "created: 2026-11-21T12:00:00Z\nby: user\nscope: [ctxe/**]\n---\nAppending is atomic.\n"
    )
    assert store_in(tmp_path).entries() == (entry,)


def test_files_are_private_and_hidden_from_git_until_shared(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    entry = store.add(decision("One"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / ".ctxe").rglob("*")}
    assert {mode for name, mode in modes.items() if (tmp_path / ".ctxe" / name).is_dir()} == {0o700}
    assert modes[Path(entry.path).name] == 0o600
    assert (tmp_path / ".ctxe" / ".gitignore").read_text() == "*\n"
    store.share()
    assert (tmp_path / ".ctxe" / ".gitignore").read_text() == "sessions/\ncache/\ndamaged/\n"
    (tmp_path / ".ctxe" / ".gitignore").write_text("mine\n")
    store.share()
    assert (tmp_path / ".ctxe" / ".gitignore").read_text() == "mine\n"


def test_ids_are_consecutive_and_unique_whatever_the_clock_says(tmp_path: Path) -> None:
    from ctxe.knowledge.entries.names import UsedNames, new_id

    chance = tokens()
    ids = [
        new_id(Entry("", title="same"), UsedNames(n, frozenset()), lambda _size: next(chance)) for n in range(10_000)
    ]
    assert len(set(ids)) == 10_000
    clocks = [NOON, NOON - 3 * 86_400, NOON + 5 * 31_536_000, 0.0, -1e18]
    added = [store_in(tmp_path, now).add(decision(f"At {now}")) for now in clocks]
    assert [entry.number for entry in added] == [1, 2, 3, 4, 5]
    assert store_in(tmp_path).entries() == tuple(added)


def test_the_number_of_a_forgotten_entry_is_not_given_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(decision("One"))
    store.forget(store.add(decision("Two")).id)
    assert store_in(tmp_path).add(decision("Three")).number == 3
    (store.cache / "number").write_text("nonsense")
    assert store.add(decision("Four")).number == 4


def test_an_entry_is_found_by_id_number_path_or_beginning(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one, two = store.add(decision("One")), store.add(decision("Two"))
    refs = [one.id, "1", "0001", one.path, f".ctxe/{one.path}", Path(one.path).name, one.id[:6]]
    assert [store.get(ref) for ref in refs] == [one] * len(refs)
    with pytest.raises(StoreError, match="no entry 9"):
        store.get("9")
    with pytest.raises(StoreError, match="could be 2 entries"):
        store.get("000")
    assert store.get(two.id) == two


def test_superseding_marks_the_old_one_and_forgetting_brings_it_back(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    old = store.add(decision("Use Postgres"))
    new = store.supersede("1", decision("Use SQLite"))
    assert new.supersedes == (old.id,)
    assert store.get(old.id).status == "superseded"
    assert store.forget(new.id) == (new,)
    assert store.entries() == (old,)


def test_the_last_writes_are_undone_one_by_one(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(decision("One"))
    changed = store.change(one.id, status="stale")
    store.forget(one.id)
    assert [store.undo(), store.entries()] == [f"forget {one.id}", (changed,)]
    assert [store.undo(), store.entries()] == [f"change decision {one.id}", (one,)]
    assert [store.undo(), store.entries()] == [f"add decision {one.id}", ()]
    with pytest.raises(StoreError, match="nothing to take back"):
        store.undo()


def test_an_entry_edited_since_is_not_undone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(decision("One"))
    path = tmp_path / ".ctxe" / one.path
    path.write_bytes(path.read_bytes() + b"by hand\n")
    with pytest.raises(StoreError, match="was changed since"):
        store.undo()
    assert store.get(one.id).text == "by hand"


def test_hand_edits_survive_every_change(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    path = tmp_path / ".ctxe" / "decisions" / "0001-mine.md"
    path.parent.mkdir(parents=True)
    mine = b"---\r\nid: mine\r\nreviewers:   [ada,  bob]   # both\r\nstatus:   current\r\n---\r\n\r\nBy  hand.\r\n"
    path.write_bytes(mine)
    path.chmod(0o644)
    store.change("mine", status="stale")
    assert path.read_bytes() == mine.replace(b"status:   current", b"status: stale")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_proposal_moves_when_it_is_accepted(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    old = store.add(decision("Old"))
    proposal = store.add(decision("New", by="model (proposed)", status="proposed", supersedes=(old.id,)))
    assert proposal.path.startswith("inbox/")
    assert store.get(old.id).status == "current"
    accepted = store.move(proposal.id, status="current", by="model (approved)")
    assert accepted.path == f"decisions/0002-new-{proposal.id[5:]}.md"
    assert [(entry.id, entry.status) for entry in store.entries()] == [(old.id, "superseded"), (proposal.id, "current")]


def test_outside_changes_are_reported_once(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one, two = store.add(decision("One")), store.add(decision("Two"))
    assert note_changes(store) == ""
    store.change(one.id, status="stale")
    (tmp_path / "MEMORY.md").write_text("from elsewhere\n")
    (tmp_path / ".ctxe" / two.path).unlink()
    changes = (OutsideChange("../MEMORY.md", "added"), OutsideChange(two.path, "removed"))
    assert outside_changes(store) == changes
    assert note_changes(store) == (
        f"memory changed outside ctxe since the last session: ../MEMORY.md (added), {two.path} (removed)"
    )
    assert (outside_changes(store), note_changes(store)) == ((), "")


def test_deleting_the_cache_loses_no_memory(tmp_path: Path) -> None:
    import shutil

    store = store_in(tmp_path)
    entries = tuple(store.add(decision(f"Number {n}")) for n in range(3))
    store_in(tmp_path).entries()
    shutil.rmtree(store.cache)
    assert store_in(tmp_path).entries() == entries
    assert store_in(tmp_path).add(decision("Next")).number == 4


def test_a_stale_cache_is_noticed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(decision("One"))
    path = tmp_path / ".ctxe" / one.path
    os.utime(path, (NOON, NOON))
    store_in(tmp_path).entries()
    path.write_bytes(path.read_bytes().replace(b"title: One", b"title: Two"))
    assert [entry.title for entry in store_in(tmp_path).entries()] == ["Two"]
    cached = json.loads((store.cache / "entries.json").read_bytes())
    (store.cache / "entries.json").write_text(json.dumps({**cached, "files": {one.path: ["bad"]}}))
    assert [entry.title for entry in store_in(tmp_path).entries()] == ["Two"]


def test_damaged_files_are_survived_named_and_left_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    good = store.add(decision("Good"))
    folder = tmp_path / ".ctxe" / "decisions"
    damaged = {
        "nul.md": b"\0" * 500,
        "binary.md": bytes(range(256)) * 8,
        "torn.md": b"---\nid: torn\ntitle: To",
        "conflict.md": b"<<<<<<< HEAD\n---\nid: a\n=======\n---\nid: b\n>>>>>>> x\n---\n",
        "long.md": b"x" * 5_000_000,
        "deep.md": b"---\nid: deep\nk: " + b"[" * 50_000 + b"\n---\n",
    }
    for name, data in damaged.items():
        (folder / name).write_bytes(data)
    (folder / "folder.md").mkdir()
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "away.md").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.md")
    snapshot = store.snapshot()
    assert good in snapshot.entries
    assert {entry.path.removeprefix("decisions/") for entry in snapshot.entries} == {*damaged, Path(good.path).name}
    named = {problem.path.removeprefix("decisions/") for problem in snapshot.problems}
    assert named == {*damaged, "folder.md", "loop.md", "away.md", "pipe.md"}
    assert {name: (folder / name).read_bytes() for name in damaged} == damaged
    assert Problem("decisions/folder.md", "is a folder where a file should be") in snapshot.problems


def test_a_copied_entry_file_is_tolerated_and_reported(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(decision("One"))
    copy = tmp_path / ".ctxe" / "decisions" / "0001-zzz.md"
    copy.write_bytes((tmp_path / ".ctxe" / one.path).read_bytes())
    snapshot = store.snapshot()
    assert [entry.id for entry in snapshot.entries] == [one.id, one.id]
    assert snapshot.problems == (Problem("decisions/0001-zzz.md", f"has the id of {one.path}"),)
    with pytest.raises(StoreError, match="could be 2 entries"):
        store.forget(one.id)
    assert store.forget("0001-zzz.md")[0].path == "decisions/0001-zzz.md"
    assert store.entries() == (one,)


def test_a_damaged_file_is_kept_aside_before_it_is_rewritten(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    path = tmp_path / ".ctxe" / "decisions" / "0001-x.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"---\nid: x\ntitle: a: b\n---\n\0body\n")
    store.change("x", status="stale")
    assert path.read_bytes() == b"---\nid: x\ntitle: a: b\nstatus: stale\n---\n\0body\n"
    kept = list((tmp_path / ".ctxe" / "damaged").iterdir())
    assert [file.read_bytes() for file in kept] == [b"---\nid: x\ntitle: a: b\n---\n\0body\n"]


def test_nothing_is_written_through_links_that_lead_out(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project = tmp_path / "project"
    (project / ".ctxe").mkdir(parents=True)
    (project / ".ctxe" / "decisions").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="leads out of the memory folder"):
        store_in(project).add(decision("One"))
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ".ctxe").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a symbolic link"):
        store_in(linked).add(decision("One"))
    cached = tmp_path / "cached"
    (cached / ".ctxe").mkdir(parents=True)
    (cached / ".ctxe" / "cache").symlink_to(elsewhere)
    store_in(cached).entries()
    with pytest.raises(StoreError, match="is a symbolic link"):
        store_in(cached).add(decision("One"))
    assert list(elsewhere.iterdir()) == []


def test_a_planted_undo_record_reaches_nothing_outside(tmp_path: Path) -> None:
    project = tmp_path / "project"
    store = store_in(project)
    store.add(decision("One"))
    (tmp_path / "victim").write_text("mine")
    row = {"says": "x", "at": 0, "before": {"../../victim": None}, "after": {}}
    (store.cache / "undo.json").write_text(json.dumps([row]))
    with pytest.raises(StoreError, match="leads out of the memory folder"):
        store.undo()
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_secret_is_refused_by_the_given_check(tmp_path: Path) -> None:
    def refuse(entry: Entry) -> None:
        if "hunter2" in entry.text:
            raise StoreError("it holds a secret")

    store = Store(tmp_path / ".ctxe", tmp_path / ".ctxe" / "cache", check=refuse)
    with pytest.raises(StoreError, match="it holds a secret"):
        store.add(decision("Password", "hunter2"))
    one = store.add(decision("One"))
    with pytest.raises(StoreError, match="it holds a secret"):
        store.change(one.id, text="hunter2")
    assert store.entries() == (one,)


def test_a_line_of_the_daily_log_can_be_forgotten_by_its_id(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.log("- 12:00 [s1] first → done")
    path = store.log("- 12:01 [s1] second\n→ done")
    first, second = store.entries()
    assert (first.kind, first.session, first.text, second.text) == ("log", "s1", "first → done", "second → done")
    with pytest.raises(StoreError, match="is a line of daily/"):
        store.change(first.id, text="rewritten")
    store.forget(first.id)
    assert path.read_text() == "- 12:01 [s1] second → done\n"


def test_a_jumping_clock_changes_no_order_and_expires_nothing(tmp_path: Path) -> None:
    day, at = 86_400.0, [NOON]
    chance = tokens()
    store = Store(tmp_path / ".ctxe", tmp_path / ".ctxe" / "cache", lambda: at[0], lambda _size: next(chance))
    added = []
    for jump in (0.0, -3 * day, 5 * 365 * day, -40 * 365 * day, 1.0):
        at[0] = NOON + jump
        added.append(store.add(decision(f"Jumped by {jump:.0f}")))
        store.log(f"- 10:00 [s] jumped by {jump:.0f}")
        at[0] = NOON - jump
        store.change(added[-1].id, text="changed")
    newest = store.supersede(added[2].id, decision("Put right"))
    held = store_in(tmp_path).entries()
    names = [entry.id for entry in held if entry.kind == "decision"]
    assert names == [*(entry.id for entry in added), newest.id]
    assert {entry.id: entry.status for entry in held if entry.status != "current"} == {added[2].id: "superseded"}
    assert len(list((tmp_path / ".ctxe/daily").iterdir())) == 4
    assert sum(entry.kind == "log" for entry in held) == 5
    assert store.undo() == f"supersede {added[2].id}"
