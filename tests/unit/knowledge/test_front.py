"""Front matter as people and merges leave it: read without an exception, rewritten without changing other lines."""

from __future__ import annotations

import pytest

from ctxe.knowledge.entries.entry import Entry, read_entry, slug, update_entry, write_entry
from ctxe.knowledge.entries.front import parse, rewrite

DECISION = b"""---
id: "0007-3fa2"              # never a number
kind: decision
title: Store sessions as JSONL
status: current
created: 2026-11-20T10:00:00Z
by: user
owner: Ada
scope: ctxe/agent/**
files: [ctxe/agent/session.py]
evidence: [commit 1a2b3c4, test tests/unit/test_log.py]
supersedes: ["0003-91bc"]
---
One line a step, because appending is atomic.

Weighed against SQLite.
"""


def test_the_documented_form_is_read_whole() -> None:
    assert read_entry(DECISION, "decisions/0007-x.md") == Entry(
        id="0007-3fa2",
        kind="decision",
        title="Store sessions as JSONL",
        status="current",
        created="2026-11-20T10:00:00Z",
        by="user",
        scope=("ctxe/agent/**",),
        files=("ctxe/agent/session.py",),
        evidence=("commit 1a2b3c4", "test tests/unit/test_log.py"),
        supersedes=("0003-91bc",),
        text="One line a step, because appending is atomic.\n\nWeighed against SQLite.",
        path="decisions/0007-x.md",
        extra={"owner": "Ada"},
    )


def test_only_the_changed_line_is_rewritten() -> None:
    entry = read_entry(DECISION, "decisions/0007-x.md")
    changed = update_entry(DECISION, entry, read_entry(DECISION.replace(b"status: current", b"status: stale"), "x"))
    assert changed == DECISION.replace(b"status: current", b"status: stale")


def test_a_new_key_goes_to_the_end_and_a_removed_one_leaves() -> None:
    assert rewrite(b"---\na: 1\nb: 2\n---\nbody", {"c": "x: y", "a": None}) == b'---\nb: 2\nc: "x: y"\n---\nbody'


@pytest.mark.parametrize(
    ("data", "values", "text", "problems"),
    [
        (b"---\r\ntitle: a\r\n---\r\nbody\r\nmore\r\n", {"title": "a"}, "body\nmore", ()),
        (b"\xef\xbb\xbf---\ntitle: a\n---\nbody", {"title": "a"}, "body", ()),
        (b"---\ntitle: a: b\n---\n", {"title": "a: b"}, "", ("line 2 is not YAML and was read as text",)),
        (b"---\nn: 0123\nt: true\nd: 2026-01-01\n---\n", {"n": "0123", "t": "true", "d": "2026-01-01"}, "", ()),
        (b"---\nglobs: *.ts,*.tsx\n---\n", {"globs": "*.ts,*.tsx"}, "", ("line 2 is not YAML and was read as text",)),
        (b"---\nlist:\n- a\n- b\n---\n", {"list": ("a", "b")}, "", ()),
        (b"---\nlist:\n  - 'a'\n\n  - b # c\n---\n", {"list": ("a", "b")}, "", ()),
        (b"---\nfix: |-\n  one\n\n  two\n---\nx", {"fix": "one\n\ntwo"}, "x", ()),
        (b"---\nfix: >\n  one\n  two\n---\nx", {"fix": "one two"}, "x", ()),
        (b"---\ntitle: a\nno key here\n---\n", {"title": "a"}, "", ("line 3 is not `key: value`",)),
        (b"---\ntitle: a\ntitle: b\n---\n", {"title": "b"}, "", ("`title` is written more than once",)),
        (b"---\ntitle: a\n", {"title": "a"}, "", ("its front matter is never closed with ---",)),
        (b"no front matter\n", {}, "no front matter", ()),
        (
            b"---\ntitle: a\0b\n---\nc\0d\n",
            {"title": "ab"},
            "cd",
            ("it holds NUL bytes", "line 2 is not YAML and was read as text"),
        ),
        (b"---\ntitle: caf\xe9\n---\n", {"title": "caf\ufffd"}, "", ("line 2 is not UTF-8",)),
        (b"", {}, "", ()),
    ],
)
def test_odd_files_are_read(data: bytes, values: dict[str, object], text: str, problems: tuple[str, ...]) -> None:
    page = parse(data)
    assert (page.values(), page.text(), page.problems) == (values, text, problems)


def test_a_merge_conflict_is_read_with_our_side_and_nothing_is_lost() -> None:
    data = b"---\nid: a\n<<<<<<< HEAD\nstatus: current\n=======\nstatus: stale\n>>>>>>> theirs\ntitle: t\n---\nbody\n"
    page = parse(data)
    assert page.values() == {"id": "a", "status": "current", "title": "t"}
    assert page.problems == ("it holds unresolved merge markers",)
    assert rewrite(data, {"title": "u"}) == data.replace(b"title: t", b"title: u")


def test_very_long_lines_and_deep_nesting_stay_text() -> None:
    long = b"---\ntitle: " + b"x" * 5_000_000 + b": y\nid: a\n---\n"
    deep = b"---\nid: a\nk: " + b"[" * 100_000 + b"\n---\n"
    bullets = b"---\nid: a\nk:\n" + b"- " * 50_000 + b"\n---\n"
    values = parse(long).values()
    assert (values["id"], len(values["title"])) == ("a", 5_000_003)
    assert [parse(data).values()["id"] for data in (deep, bullets)] == ["a", "a"]


def test_aliases_that_would_explode_stay_text() -> None:
    bomb = b"---\na: &a [x,x,x]\nb: *a\nid: e\n---\n"
    assert parse(bomb).values() == {"a": ("x", "x", "x"), "b": "*a", "id": "e"}


def test_a_body_keeps_the_line_endings_of_its_file() -> None:
    assert rewrite(b"---\r\na: 1\r\n---\r\nold\r\n", {"a": "2"}, "new\nlines") == (
        b'---\r\na: "2"\r\n---\r\nnew\r\nlines\r\n'
    )


def test_front_matter_is_put_before_a_file_without_one() -> None:
    assert rewrite(b"\xef\xbb\xbfwords\n", {"status": "stale"}) == b"\xef\xbb\xbf---\nstatus: stale\n---\nwords\n"


@pytest.mark.parametrize(
    ("path", "id_", "kind", "status", "title"),
    [
        ("memory/topic.md", "memory/topic", "fact", "current", "Heading"),
        ("decisions/0001-x.md", "decisions/0001-x", "decision", "current", "Heading"),
        ("failures/abcd1234-9f3e.md", "abcd1234-9f3e", "failure", "open", "Heading"),
        ("inbox/y.md", "inbox/y", "fact", "proposed", "Heading"),
    ],
)
def test_a_file_without_front_matter_is_an_entry_all_the_same(
    path: str, id_: str, kind: str, status: str, title: str
) -> None:
    entry = read_entry(b"\n# Heading\n\nwords\n", path)
    assert (entry.id, entry.kind, entry.status, entry.title) == (id_, kind, status, title)


def test_ids_are_always_quoted() -> None:
    assert b'id: "0007-3fa2"\n' in write_entry(Entry("0007-3fa2", title="t"))
    assert b'id: "plain"\n' in write_entry(Entry("plain", title="t"))


def test_slugs_are_plain_file_names() -> None:
    assert [slug(words) for words in ("Größe: 1/2 ../x", "日本語", "a" * 60, "one two three " * 9)] == [
        "groe-1-2-x",
        "entry",
        "a" * 48,
        "one-two-three-one-two-three-one-two-three-one",
    ]


def test_an_unknown_kind_is_reported_unless_it_was_imported() -> None:
    (said,) = read_entry(b"---\nkind: decison\n---\nwords\n", "decisions/x.md").problems
    assert said.startswith("its kind decison is unknown; kinds are decision, ")
    assert read_entry(b"---\nkind: decison\nts: '7'\n---\nwords\n", "decisions/x.md").problems == ()
    assert read_entry(b"words\n", "decisions/x.md").problems == ()
