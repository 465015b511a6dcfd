"""Blocks without definitions are left out of what a grammar reads, with the same result."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.repo.indexing.skeleton import BLOCKS, skeleton
from ctxe.repo.indexing.symbols import read_by_grammar

TRICKY = dict(
    piece.split("\n", 1) for piece in Path(__file__).with_name("tricky_blocks.txt").read_text().split("%% ")[1:]
)


@pytest.mark.parametrize("name", TRICKY)
def test_the_grammar_finds_the_same_without_the_left_out_blocks(name: str) -> None:
    text, (language, size) = TRICKY[name], name.split()
    bare = skeleton(language, text).text
    assert bare.count("\n") == text.count("\n")
    assert len(bare) < len(text) or size == "whole"
    assert read_by_grammar(language, text) == read_by_grammar(language, text, whole=True)


def test_unmatched_braces_hold_no_block() -> None:
    text = "package a\n\nfunc F() {\n\tfor _, b := range []C{\n\t\t{1},\n\t\t{2}} {\n\t\td(b)\n\t}\n}\n"
    assert "d(b)" in skeleton("go", text).text
    assert read_by_grammar("go", text) == read_by_grammar("go", text, whole=True)


def test_a_text_parsed_differently_is_read_whole() -> None:
    text = "const a = b(`\n  if (c) {\n    d;\n  }\n${\n  e\n}\nfunction f() {}\n"
    assert read_by_grammar("typescript", text) == read_by_grammar("typescript", text, whole=True)


@pytest.mark.parametrize("text", ["/*\n" * 90_000, "struct " * 90_000, "{\n" * 90_000, "new " * 90_000 + "{\n"])
def test_odd_texts_are_read_once(text: str) -> None:
    for language in BLOCKS:
        assert skeleton(language, text).text == text
