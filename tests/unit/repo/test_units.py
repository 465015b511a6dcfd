"""Files are cut into units and units into blocks, and every line belongs to exactly one."""

from __future__ import annotations

from ctxe.repo.indexing.scan import DEFINED, NAMED, PATH, STEM, Batch, read_definitions, stem_of
from ctxe.repo.indexing.symbols import read_syntax
from ctxe.repo.indexing.units import Unit, cut
from ctxe.repo.planning.outline import Block, blocks, outline, signature
from ctxe.repo.planning.pack import owners
from ctxe.repo.planning.showing import ranges_of

SOURCE = """import os

LIMIT = 3


class Pot:
    size = 1

    @property
    def full(
        self,
    ) -> bool:
        return True

    def pour(self):
        # careful
        return 1


def brew():
    def inner():
        return 1
    return inner
"""


def test_units_follow_definitions_and_windows_take_the_rest() -> None:
    lines = SOURCE.split("\n")
    units, owner = cut(read_syntax("python", SOURCE).definitions, len(lines))
    assert units == [Unit(1, 6, 17), Unit(2, 9, 13), Unit(3, 15, 17), Unit(4, 20, 23), Unit(-1, 1, 24)]
    assert owner == [4] * 5 + [0] * 3 + [1] * 5 + [0] + [2] * 3 + [4] * 2 + [3] * 4 + [4]
    assert owners(units, len(lines)) == owner


def test_windows_of_text_are_short() -> None:
    units, owner = cut((), 100)
    assert units == [Unit(-1, 1, 40), Unit(-1, 41, 80), Unit(-1, 81, 100)]
    assert owner == [0] * 40 + [1] * 40 + [2] * 20


def test_an_outline_shows_signatures_without_comments_and_decorators() -> None:
    lines = SOURCE.split("\n")
    definitions = read_syntax("python", SOURCE).definitions
    assert outline(definitions, lines) == [(3, 3), (6, 6), (10, 12), (15, 15), (20, 20)]
    assert signature(definitions[2], lines) == (10, 12)


def test_blocks_of_a_short_file_are_its_units_with_the_blank_lines_behind_them() -> None:
    lines = SOURCE.split("\n")
    definitions = read_syntax("python", SOURCE).definitions
    units, owner = cut(definitions, len(lines))
    assert blocks(units, owner, definitions, lines) == [
        Block(4, 1, 5), Block(0, 6, 8), Block(1, 9, 14), Block(2, 15, 19), Block(3, 20, 24),
    ]  # fmt: skip


def test_a_long_function_is_cut_between_its_statements() -> None:
    body = "".join(f"    if a{n}:\n        b\n        c\n    else:\n        d\n" for n in range(20))
    source = f"def long(\n    a,\n):\n{body}"
    lines = source.rstrip("\n").split("\n")
    definitions = read_syntax("python", source).definitions
    units, owner = cut(definitions, len(lines))
    found = blocks(units, owner, definitions, lines)
    assert [lines[block.first - 1][:6] for block in found] == ["def lo", *["    if"] * (len(found) - 1)]
    assert [row for block in found for row in range(block.first, block.last + 1)] == list(range(1, len(lines) + 1))
    assert len(found) > 1


def test_neighbouring_lines_are_joined_into_one_range() -> None:
    assert ranges_of({5, 1, 2, 3, 9}) == [(1, 3), (5, 5), (9, 9)]
    assert ranges_of(()) == []


def test_a_batch_keeps_terms_and_units_of_a_file() -> None:
    batch = Batch()
    batch.add(7, "net/http_pot.py", "def pour_tea():\n    return tea\n")
    [file] = batch.files
    assert (file.id, file.language, file.kind, file.lines) == (7, "python", "source", 3)
    assert [found.name for found in read_definitions(file.definitions)] == ["pour_tea"]
    terms = set(batch.postings.heads)
    assert terms == {
        "pour_tea", "pour", "tea", DEFINED + "pour_tea", NAMED + "pour_tea", NAMED + "pour", NAMED + "tea",
        PATH + "net", PATH + "http_pot", PATH + "http", PATH + "pot", PATH + "py", STEM + "http_pot",
    }  # fmt: skip


def test_data_and_minified_files_are_indexed_by_name_only() -> None:
    batch = Batch()
    batch.add(1, "logo.png", None)
    batch.add(2, "app.js", "x" * 9000)
    assert [(file.kind, file.lines) for file in batch.files] == [("data", 0), ("data", 0)]
    assert set(batch.postings.heads) == {
        PATH + "logo",
        PATH + "png",
        STEM + "logo",
        PATH + "app",
        PATH + "js",
        STEM + "app",
    }


def test_index_file_names_stand_for_their_folder() -> None:
    names = ["src/net/__init__.py", "src/net/http.py", "index.ts", "a/Pot.test.tsx", "net/mod.rs"]
    assert [stem_of(name) for name in names] == ["net", "http", "index", "pot", "net"]
