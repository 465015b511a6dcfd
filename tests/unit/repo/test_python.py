"""Python is read by its lines as the grammar reads it, and left to the grammar where that is unsure."""

from __future__ import annotations

from pathlib import Path

import pytest

import ctxe
from ctxe.repo.indexing.python import read_python
from ctxe.repo.indexing.symbols import read_by_grammar, read_syntax

ROOT = Path(ctxe.__file__).parent.parent
TRICKY = dict(
    piece.split("\n", 1) for piece in Path(__file__).with_name("tricky_python.txt").read_text().split("%% ")[1:]
)
UNSURE = [
    "def f():\n\tpass\n",
    "x = 1; y = 2\n",
    "if x: import y\n",
    "x = (1,\n",
    "s = 'open\n",
    "class A: x = ')'\n}\n",
]


@pytest.mark.parametrize("name", TRICKY)
def test_tricky_python_is_read_as_the_grammar_reads_it(name: str) -> None:
    text = TRICKY[name]
    assert read_python(text, text.split("\n")) is not None
    assert read_syntax("python", text) == read_by_grammar("python", text)


def test_this_code_base_is_read_as_the_grammar_reads_it() -> None:
    paths = sorted(path for folder in ("ctxe", "tests") for path in (ROOT / folder).rglob("*.py"))[::4]
    texts = {str(path): path.read_text("utf-8") for path in paths}
    told = {path: read_python(text, text.split("\n")) is not None for path, text in texts.items()}
    assert sum(told.values()) > 0.95 * len(texts) > 50
    differing = [path for path, text in texts.items() if read_syntax("python", text) != read_by_grammar("python", text)]
    assert differing == []


@pytest.mark.parametrize("text", UNSURE)
def test_uncertain_python_is_left_to_the_grammar(text: str) -> None:
    assert read_python(text, text.split("\n")) is None
    assert read_syntax("python", text) == read_by_grammar("python", text)
