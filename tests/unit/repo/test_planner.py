"""Plans of small trees: the right file first, reasons that are true, caps that hold, steering that is obeyed."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.evidence import gather
from ctxe.repo.planning.outline import licence_rows
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.reading import read_task
from ctxe.repo.planning.showing import in_lines
from ctxe.repo.planning.signals.past import FADE, similar_commits, title_commits
from ctxe.repo.planning.spelling import listed_words
from ctxe.repo.planning.steering import Steering
from ctxe.storage.vocabulary import count
from tests.repositories import git, repository
from tests.unit.repo.planned import plan

CUP = "tea/cup.py"
FILES = {
    "tea/pot.py": """from tea.cup import fill


class Pot:
    def pour_over(self, cups):
        return [fill(cup) for cup in cups]
""",
    "tea/cup.py": """def fill(cup):
    if cup.full:
        raise OverflowError('the cup runs over')
    return cup
""",
    "tea/kettle.py": "def boil(water, degrees=100):\n    return water.heat(degrees)\n",
    "tea/leaf_sieve.py": "def strain(leaves):\n    return [leaf for leaf in leaves if leaf.small]\n",
    "tea/__init__.py": "",
    "tests/test_kettle.py": "from tea.kettle import boil\n\n\ndef test_boil():\n    assert boil\n",
    "docs/brewing.md": "# Brewing\n\nWater boils in the kettle, then the pot is warmed.\n",
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
    root = repository(tmp_path / "tree", FILES, "Make tea")
    for _ in range(3):
        for path in ("tea/kettle.py", "tea/leaf_sieve.py"):
            (root / path).write_text((root / path).read_text() + "\n# more\n")
        git(root, "commit", "-qam", "Descale what hot liquid passes")
    found = Index(root, Git(root, os.environ), tmp_path / "index.db", 1)
    found.refresh()
    return found


def first(made: Plan) -> str:
    return next(file.path for file in made.files)


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("boil the water longer", "tea/kettle.py"),
        ("Crash in tea/cup.py when full", "tea/cup.py"),
        ("`strain` lets large leaves through", "tea/leaf_sieve.py"),
        ("Pot.pour_over returns nothing", "tea/pot.py"),
        ("OverflowError: the cup runs over", "tea/cup.py"),
        ("see https://example.org/x/blob/main/tea/leaf_sieve.py#L2", "tea/leaf_sieve.py"),
        ("tea/pot: warm it first", "tea/pot.py"),
        (
            'it fails\n\nTraceback (most recent call last):\n  File "/x/tea/cup.py", line 3, in fill\nEOFError',
            "tea/cup.py",
        ),
        ("sieve: keep the smallest", "tea/leaf_sieve.py"),
    ],
)
def test_the_file_a_task_is_about_comes_first(index: Index, task: str, path: str) -> None:
    assert first(plan(index, task, 4000)) == path


def test_files_of_past_commits_with_similar_messages_are_found(index: Index) -> None:
    made = plan(index, "Descale", 4000)
    assert {file.path for file in made.files[:2]} == {"tea/kettle.py", "tea/leaf_sieve.py"}
    assert "3 commits with similar messages" in made.files[0].why


def test_of_similar_past_commits_the_later_counts_more(index: Index) -> None:
    for path in ("tea/cup.py", "tea/pot.py"):
        (index.root / path).write_text((index.root / path).read_text() + "\n# more\n")
        git(index.root, "commit", "-qam", "Rinse each vessel")
    index.refresh()
    evidence = gather(index, read_task("Rinse each vessel"), {})
    [(newer, last), (older, before)] = similar_commits(evidence, evidence.views["title"], 1.0, 0.3)
    assert (last, before) == (5, 4)
    assert older == pytest.approx(newer * math.exp(-1 / FADE))
    pot, cup = index.files.by_path["tea/pot.py"], index.files.by_path["tea/cup.py"]
    said = title_commits(evidence)
    assert set(said) == {pot, cup}
    assert said[pot] > said[cup]


def test_reasons_state_what_is_true(index: Index) -> None:
    made = plan(index, "Crash in tea/cup.py:3 while `pour_over` runs", 4000)
    why = {file.path: file.why for file in made.files}
    assert "named in the task: tea/cup.py, line 3" in why["tea/cup.py"]
    assert "defines `pour_over`, named in the task" in why["tea/pot.py"]


def test_reasons_do_not_repeat_themselves(index: Index) -> None:
    made = plan(index, "boil water in the kettle and fill the cup from the pot", 2000)
    both = [[one.detail for one in file.reasons if one.signal in ("units", "words")] for file in made.files]
    assert any(len(told) == 1 for told in both)
    for told in both:
        assert len(told) < 2 or not set(listed_words(told[1])) <= set(listed_words(told[0]))


def test_a_part_of_a_name_is_not_given_as_the_name(index: Index) -> None:
    (index.root / "tea/kettle.py").write_text("# DripTray below, spout above, lid, whistle, handle and descaler\n")
    for n in range(4):
        (index.root / f"tea/tray{n}.py").write_text("# driptray\n")
    index.refresh()
    made = plan(index, "show the DripTray with its spout, lid, whistle, handle and descaler", 4000)
    [kettle] = (file for file in made.files if file.path == "tea/kettle.py")
    [told] = (one.detail for one in kettle.reasons if one.signal == "units")
    assert sorted(listed_words(told)) == ["descaler", "handle", "lid", "spout", "whistle"]


def test_a_dropped_file_returns_when_the_user_names_it_but_not_when_a_model_does(index: Index) -> None:
    steering = Steering(added=("tea/cup.py",), dropped=("tea/cup.py", "tea/pot.py"), asked=("tea/pot.py",))
    made = plan(index, "boil the water longer", 4000, steering)
    assert first(made) == "tea/cup.py"
    assert "tea/pot.py" not in [file.path for file in made.files]
    assert [one.path for one in made.left_out if one.reason == "you dropped it"] == ["tea/pot.py"]


def test_equally_ranked_files_are_ordered_by_path(index: Index) -> None:
    for name in ("m2", "m3", "m1"):
        (index.root / f"{name}.py").write_text("def percolate(tea):\n    return tea\n")
        index.refresh()
    found = [file.path for file in plan(index, "percolate is slow", 4000).files]
    assert found[:3] == ["m1.py", "m2.py", "m3.py"]


@pytest.mark.parametrize("budget", [2_600, 2_800, 2_900])
def test_no_file_is_shown_whole_beyond_the_cap(index: Index, budget: int) -> None:
    steep = "    tea = strain(tea, 1)\n" * 10
    for path in FILES:
        (index.root / path).unlink()
    (index.root / "tea/wide.py").write_text("\n\n".join(f"def pour_{n}(tea):\n{steep}" for n in range(30)))
    index.refresh()
    made = plan(index, "pour the tea: strain it", budget)
    shown = {file.path: (file.mode, file.tokens) for file in made.files}
    assert shown["tea/wide.py"][0] == "region"
    assert shown["tea/wide.py"][1] <= made.tokens <= budget


@pytest.mark.parametrize("budget", [100, 130, 200, 300, 500, 1000, 20_000])
def test_the_plan_never_exceeds_its_cap_by_a_token(index: Index, budget: int) -> None:
    made = plan(index, "boil water in the kettle and fill the cup from the pot", budget)
    shown = "\n".join(file.text for file in made.files)
    assert made.tokens == sum(file.tokens for file in made.files) <= budget
    assert count(shown) <= budget


def test_files_that_cannot_be_counted_in_advance_keep_the_cap(index: Index, tmp_path: Path) -> None:
    odd = [f"# kettle {chr(0x4E00 + n)}{chr(0x1F600 + n % 60)} {n:x}{n * 7919:x}{'=-'[n % 2] * 9}" for n in range(900)]
    (tmp_path / "tree" / "tea" / "kettle.py").write_text("\n".join(odd) + "\n")
    index.refresh()
    for budget in (500, 2000, 8000):
        made = plan(index, "kettle", budget)
        assert first(made) == "tea/kettle.py"
        assert sum(count(file.text) for file in made.files) <= budget


def test_added_and_dropped_files_steer_the_plan(index: Index) -> None:
    steering = Steering(added=("tea/leaf_sieve.py",), dropped=("tea/kettle.py",))
    made = plan(index, "boil the water longer", 4000, steering)
    assert first(made) == "tea/leaf_sieve.py"
    assert made.files[0].reasons[0].detail == "you added it"
    assert "tea/kettle.py" not in [file.path for file in made.files]
    assert (made.left_out[0].path, made.left_out[0].reason) == ("tea/kettle.py", "you dropped it")


def test_files_touched_in_the_session_or_named_by_memory_rank_higher(index: Index) -> None:
    task = "make it warmer"
    before = [file.path for file in plan(index, task, 4000).files]
    touched = plan(index, task, 4000, Steering(touched=("tea/leaf_sieve.py",), named=("tea/cup.py",)))
    assert first(touched) == "tea/leaf_sieve.py"
    assert "tea/cup.py" in [file.path for file in touched.files]
    assert before != [file.path for file in touched.files]


def test_vectors_change_the_ranking_and_the_reason_says_so(index: Index) -> None:
    number = index.files.by_path["tea/leaf_sieve.py"]
    made = plan(index, "the infusion has bits in it", 4000, meaning={number: 1.0})
    assert (first(made), made.files[0].reasons[0].detail) == ("tea/leaf_sieve.py", "closest in meaning")


def test_the_same_task_gets_the_same_plan(index: Index) -> None:
    one, other = (plan(index, "boil water in the pot", 900, clock=lambda: 0.0) for _ in range(2))
    assert one == other


def test_an_empty_task_plans_recently_changed_files(index: Index) -> None:
    made = plan(index, " \n", 4000)
    assert {file.path for file in made.files[:2]} == {"tea/kettle.py", "tea/leaf_sieve.py"}


def test_no_region_is_blank_or_begins_so(index: Index) -> None:
    body = "".join(
        f"def steam{n}(pot):\n    return pot.steam\n\n\n"
        if n % 8 == 0
        else f"def stack{n}(box):\n" + "    box = [box]\n" * 20 + "    return box\n\n\n"
        for n in range(80)
    )
    (index.root / "tea/urn.py").write_text(body)
    git(index.root, "add", ".")
    index.refresh()
    [urn] = [file for file in plan(index, "urn: the pot loses steam", 900).files if file.path == "tea/urn.py"]
    assert len(urn.ranges) > 3
    assert [body.split("\n")[start - 1][:3] for start, _ in urn.ranges] == ["def"] * len(urn.ranges)


def test_a_region_states_the_line_count_of_its_file() -> None:
    for text in ("one\ntwo\nthree\n", "one\ntwo\nthree"):
        lines = text.split("\n")
        assert in_lines(0, "tea.py", lines, [1] * len(lines), {2}).text.startswith('<file path="tea.py" lines="3">\n')


def test_a_range_ends_with_the_last_line_of_its_file() -> None:
    lines = ["a", "b", "c", ""]
    shown = in_lines(0, "tea.py", lines, [1] * 4, {2, 3, 4})
    assert (shown.ranges, shown.text.split("\n")[1:]) == ([(2, 3)], ["[lines 2-3]", "b", "c", "</file>"])
    assert in_lines(0, "tea.py", lines, [1] * 4, {1, 2, 3}).tier == "full"


NOTICE = "\n".join(
    ["This is free software; you can redistribute it.", "Copyright (C) the makers of tea.", "No warranty of any kind."]
    * 4
)


@pytest.mark.parametrize(
    ("top", "end"),
    [
        ("/*\n" + NOTICE + "\n */\n\n#include <tea.h>", 14),
        ("/**\n" + NOTICE + " */\npackage tea;", 13),
        ("<!--\n" + NOTICE + "\n-->\n<template>", 14),
        ("// " + NOTICE.replace("\n", "\n// ") + "\n\n// Package tea makes tea.\npackage tea", 12),
        ("#!/bin/sh\n#\n# " + NOTICE.replace("\n", "\n# ") + "\n###\nboil", 15),
    ],
)
def test_a_licence_is_the_comment_at_the_top_that_speaks_of_rights_but_for_its_first_line(top: str, end: int) -> None:
    assert licence_rows(top.split("\n")) == range(2, end + 1)


@pytest.mark.parametrize(
    "top",
    [
        "// SPDX-License-Identifier: MIT\npackage tea",
        "// Copyright (C) the makers of tea.\n// Free software\n// under some licence.\n\npackage tea",
        "/*\n * How tea is made:\n" + " * boil, then wait.\n" * 12 + " */\nint boil;",
        "#include <a.h>\n#include <copyright.h>\n#define COPYRIGHT 1\n#pragma once\nint a;",
        "# Tea\n\nCopyright and more\nof it." + "\n# all" * 12,
        "import tea\n# Copyright\n# of" + "\n# all" * 12,
        "/* Copyright that never ends" + "\n" * 12,
    ],
)
def test_other_comments_and_short_licences_are_left_alone(top: str) -> None:
    assert not licence_rows(top.split("\n"))


def test_no_plan_shows_more_of_a_long_licence_than_its_first_line(index: Index) -> None:
    licence = "# The Tea Project\n" + "".join(f"# {line}\n" for line in NOTICE.split("\n"))
    for name, body in (("sieve", "def sift(tea):\n    return tea\n"), ("urn", "def drain(tea):\n    return 1\n" * 90)):
        (index.root / f"tea/{name}_tap.py").write_text(f"{licence}\n{body}")
    git(index.root, "add", ".")
    index.refresh()
    made = plan(index, "sieve_tap and urn_tap: sift and drain", 900)
    shown = {file.path: file for file in made.files if file.path.endswith("_tap.py")}
    assert len(shown) == 2
    assert all(file.mode == "region" and "Copyright" not in file.text for file in shown.values())
    assert [first for first, _ in shown["tea/sieve_tap.py"].ranges] == [1, 14]
    assert "# The Tea Project" in shown["tea/sieve_tap.py"].text
