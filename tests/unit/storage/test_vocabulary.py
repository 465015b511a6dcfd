"""Counting with a part of a vocabulary is counting with the whole."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.storage.vocabulary import FEW, SHORT, Vocabulary, count, encoding

ODD = [
    "",
    "=" * 300,
    " " * 200 + "x",
    "\n" * 90 + "\t" * 77,
    "a" * 500,
    "<|endoftext|>",
    "日本語 🙂👨‍👩‍👧",
    "\ud800x",
    "\x00\r\n",
]


@cache
def never_whole() -> Vocabulary:
    """One that is never loaded whole."""
    return Vocabulary("o200k_base")


def by_parts(text: str, name: str) -> int:
    fresh = Vocabulary(name)
    found = fresh.count(text)
    assert fresh._whole is None
    return found


@pytest.mark.parametrize("name", ["o200k_base", "o200k_harmony", "cl100k_base"])
def test_odd_texts_count_the_same(name: str) -> None:
    assert [by_parts(text, name) for text in ODD] == [len(encoding(name).encode_ordinary(text)) for text in ODD]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            st.text(" \n=-_/.#*", max_size=60),
            st.sampled_from(["    return ", "import os\n", "readFileSync", "==========" * 9]),
        )
    )
)
def test_any_text_counts_the_same(parts: list[str]) -> None:
    text = "".join(parts)
    parted, whole = never_whole(), encoding("o200k_base")
    part = parted._part(as_told(text), parted._ranks)
    assert len(parted._with(part).encode_ordinary(text)) == len(whole.encode_ordinary(text))


def as_told(text: str) -> bytes:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def test_much_text_is_counted_with_the_whole() -> None:
    long, many = Vocabulary("cl100k_base"), Vocabulary("cl100k_base")
    assert long.count("x" * (SHORT + 1)) == count("x" * (SHORT + 1), "cl100k_base")
    assert long._whole is not None
    for _ in range(FEW // SHORT):
        many.count("word " * (SHORT // 5))
        assert many._whole is None
    assert many.count("one more") == 2
    assert many._whole is not None


HELD = """
import tracemalloc
from ctxe.storage.vocabulary import count, encoding
count("a few words")
tracemalloc.start()
whole = encoding("o200k_base")
held = tracemalloc.get_traced_memory()[0] // 1_000_000
print(held, whole.decode(whole.encode_ordinary("and back")), count("on it goes"))
"""


def test_what_a_whole_vocabulary_is_made_of_is_let_go() -> None:
    """Its tokens are held by the library that counts, which is told of by nobody, and not a second time in tables."""
    run = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    megabytes, *words = run.stdout.split()
    assert (int(megabytes) < 5, words) == (True, ["and", "back", "3"])
