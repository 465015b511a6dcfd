"""Counting tokens by pieces gives the same as counting with the whole vocabulary."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.storage.vocabulary import LONG_PIECE, MOST_CHARACTERS, PACKAGED, Vocabulary, count, encoding

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
    "I'LL we'\u017f don'T l'\u212a",
    "x" * LONG_PIECE,
    "\u00fc" * (LONG_PIECE // 2),
]


@cache
def by_pieces(name: str) -> Vocabulary:
    return Vocabulary(name)


def counted_by_pieces(text: str, name: str = "o200k_base") -> int:
    held = by_pieces(name)
    held._characters_counted = 0
    found = held.count(text)
    assert held._encoding is None
    return found


@pytest.mark.parametrize("name", PACKAGED)
def test_odd_texts_have_the_same_count_by_pieces(name: str) -> None:
    whole = encoding(name)
    assert [counted_by_pieces(text, name) for text in ODD] == [len(whole.encode_ordinary(text)) for text in ODD]


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
def test_any_text_has_the_same_count_by_pieces(parts: list[str]) -> None:
    text = "".join(parts)
    assert counted_by_pieces(text) == len(encoding("o200k_base").encode_ordinary(text))


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_both_tokenizers_classify_characters_alike(name: str) -> None:
    """The two libraries that cut texts into pieces each bring tables of characters of their own."""
    for first in (*range(0, 0x3100, 256), *range(0xA600, 0xAC00, 256), *range(0xF900, 0x10400, 256)):
        text = "".join(f"a{chr(n)}b {chr(n)} 1{chr(n)}\n{chr(n)}" for n in range(first, first + 256))
        assert counted_by_pieces(text, name) == len(encoding(name).encode_ordinary(text)), hex(first)


def test_long_and_unbreakable_texts_use_the_whole_vocabulary() -> None:
    long, many = Vocabulary("cl100k_base"), Vocabulary("cl100k_base")
    assert long.count("x" * (LONG_PIECE + 1)) == count("x" * (LONG_PIECE + 1), "cl100k_base")
    assert long._encoding is not None
    for _ in range(4):
        many.count("word " * (MOST_CHARACTERS // 20))
        assert many._encoding is None
    assert many.count("one more") == 2
    assert many._encoding is not None


def test_text_whose_pieces_are_merged_one_by_one_takes_little_longer_than_the_whole() -> None:
    text = "".join(chr(0x4E00 + n * 7919 % 20_000) + "，" * (n % 99 == 0) for n in range(130_000))
    begun = time.process_time()
    whole = len(Vocabulary("o200k_base").whole.encode_ordinary(text))
    loaded, begun = time.process_time() - begun, time.process_time()
    assert Vocabulary("o200k_base").count(text) == whole
    assert time.process_time() - begun < 2 * loaded


def test_many_short_texts_take_no_longer_than_one_long() -> None:
    text = "".join(f"def name_{n}(value: int) -> None: ...\n" for n in range(2_000))
    seconds = []
    for texts in ([text], text.splitlines(keepends=True)):
        fresh = Vocabulary("o200k_base")
        begun = time.process_time()
        for one in texts:
            fresh.count(one)
        seconds.append(time.process_time() - begun)
        assert fresh._encoding is None
    assert seconds[1] < 4 * seconds[0]


HELD = """
import tracemalloc
from ctxe.storage.vocabulary import count, encoding
count("a few words")
tracemalloc.start()
whole = encoding("o200k_base")
held = tracemalloc.get_traced_memory()[0] // 1_000_000
print(held, whole.decode(whole.encode_ordinary("and back")), count("on it goes"))
"""


def test_memory_of_the_vocabulary_source_is_released() -> None:
    """Its tokens are held by the library that counts, which is told of by nobody, and not a second time in tables."""
    run = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    megabytes, *words = run.stdout.split()
    assert (int(megabytes) < 5, words) == (True, ["and", "back", "3"])
