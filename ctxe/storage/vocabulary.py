"""Token vocabularies that ship with ctxe, loaded without network and checked against tiktoken's own pinned hash.

A few short texts are counted with the part of a vocabulary that they can use, in a third of the time that loading it
whole takes: what a run of ctxe counts anew is mostly the words it was started with.
"""

from __future__ import annotations

import binascii
import hashlib
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ctxe.data import read_bytes

if TYPE_CHECKING:
    import tiktoken

PACKAGED = {
    "o200k_base": "o200k_base.tiktoken.gz",
    "o200k_harmony": "o200k_base.tiktoken.gz",
    "cl100k_base": "cl100k_base.tiktoken.gz",
}
SHORT, FEW = 4_000, 16_000
"""Bytes of a text, and of all texts together, that are counted with parts: beyond, the whole pays."""
USUAL = 24
"""Bytes: all tokens but a thousand are no longer."""
_loading = threading.Lock()


class Vocabulary:
    """The tokens of one encoding, loaded as far as they are needed. Raises KeyError for one not shipped."""

    def __init__(self, name: str) -> None:
        self._recipe = _recipe(name)
        self._ranks: dict[bytes, bytes] = self._recipe.pop("mergeable_ranks")
        longest = len(binascii.b2a_base64(b"x" * USUAL, newline=False))
        self._unusual = [binascii.a2b_base64(token) for token in self._ranks if len(token) > longest]
        self._whole: tiktoken.Encoding | None = None
        self._counted = 0

    @property
    def whole(self) -> tiktoken.Encoding:
        """The encoding with all its tokens; takes 100 to 250 ms the first time."""
        if self._whole is None:
            with _loading:
                if self._whole is None:
                    ranks = dict(zip(*self._read(), strict=True))
                    self._whole = self._with(ranks)
                    # tiktoken copies them and holds them for pickles alone; both tables are 60 MB.
                    ranks.clear()
                    self._ranks = {}
        return self._whole

    def count(self, text: str) -> int:
        """Tokens of a text, special words counted as plain text."""
        ranks = self._ranks  # another thread may load the whole, and let go of them
        if ranks and self._whole is None and len(text) <= SHORT and self._counted < FEW:
            written = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()  # as tiktoken does
            self._counted += len(written)
            return len(self._with(self._part(written, ranks)).encode_ordinary(text))
        return len(self.whole.encode_ordinary(text))

    def _part(self, text: bytes, every: Mapping[bytes, bytes]) -> dict[bytes, int]:
        """Every token that stands in ``text``: merging pairs never asks for another."""
        end = len(text)
        usual = {text[at:to] for at in range(end) for to in range(at + 1, min(end, at + USUAL) + 1)}
        usual.update(bytes((byte,)) for byte in range(256))
        tokens = [*usual, *(token for token in self._unusual if token in text)]
        ranks = ((token, every.get(binascii.b2a_base64(token, newline=False))) for token in tokens)
        return {token: int(rank) for token, rank in ranks if rank is not None}

    def _read(self) -> tuple[Iterator[bytes], Iterator[int]]:
        return map(binascii.a2b_base64, self._ranks), map(int, self._ranks.values())

    def _with(self, ranks: dict[bytes, int]) -> tiktoken.Encoding:
        from tiktoken import Encoding

        return Encoding(**{**self._recipe, "mergeable_ranks": ranks})


@cache
def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of that name, read from the package; 60 ms the first time. Raises KeyError for one not shipped."""
    return Vocabulary(name)


def encoding(name: str) -> tiktoken.Encoding:
    """The whole tiktoken encoding of that name. Raises KeyError for one not shipped."""
    return vocabulary(name).whole


def count(text: str, name: str = "o200k_base") -> int:
    """Tokens of a text, special words counted as plain text."""
    return vocabulary(name).count(text)


def _recipe(name: str) -> dict[str, Any]:
    """What tiktoken makes that encoding of, its tokens and ranks as they are written in the file."""
    import gzip

    import tiktoken_ext.openai_public as recipes

    data = gzip.decompress(read_bytes(PACKAGED[name]))

    def load(_url: str, expected_hash: str | None = None) -> dict[bytes, bytes]:
        if expected_hash and hashlib.sha256(data).hexdigest() != expected_hash:
            raise ValueError(f"the packaged vocabulary {name} is corrupt")
        words = data.split()
        return dict(zip(words[::2], words[1::2], strict=True))

    # tiktoken has no offline switch: its recipe downloads through a module function, which is lent ours meanwhile.
    with _loading:
        real, recipes.load_tiktoken_bpe = recipes.load_tiktoken_bpe, load
        try:
            made: dict[str, Any] = recipes.ENCODING_CONSTRUCTORS[name]()
        finally:
            recipes.load_tiktoken_bpe = real
    made.pop("explicit_n_vocab", None)
    return made
