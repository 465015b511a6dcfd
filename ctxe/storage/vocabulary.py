"""Counting tokens by vocabularies that ship with ctxe, checked against the hash that tiktoken pins.

A text is split by the encoding's pattern and each piece is tokenized here, which is faster for a session than loading
the whole encoding; only a lot of text, or a very long piece, is given to tiktoken.
"""

from __future__ import annotations

import binascii
import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
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
MOST_CHARACTERS = 400_000
"""Characters, of all texts together, that are counted by pieces; above it, loading the whole encoding is cheaper."""
MERGE_COST = 20
"""Merging one byte of a new piece takes as long as looking up so many characters; Chinese and Thai need many merges."""
LONG_PIECE = 500
"""Bytes of a piece above which merging its pairs takes too long."""
NEVER = sys.maxsize
_loading = threading.Lock()


class Vocabulary:
    """The tokens of one encoding, loaded as far as needed. Raises KeyError for an encoding that is not shipped."""

    def __init__(self, name: str) -> None:
        import regex

        self._recipe = _recipe(name)
        self._ranks: dict[bytes, bytes] = self._recipe.pop("mergeable_ranks")
        self._pieces = regex.compile(self._recipe["pat_str"]).findall
        self._token_cache: dict[str, int] = {}
        self._encoding: tiktoken.Encoding | None = None
        self._characters_counted = 0

    @property
    def whole(self) -> tiktoken.Encoding:
        """The whole tiktoken encoding; takes 100 to 250 ms the first time."""
        if self._encoding is None:
            with _loading:
                if self._encoding is None:
                    ranks = dict(zip(*self._read(), strict=True))
                    self._encoding = self._build_encoding(ranks)
                    # tiktoken has copied them and keeps them only for pickling; both tables take 60 MB
                    ranks.clear()
                    self._ranks, self._token_cache = {}, {}
        return self._encoding

    def count(self, text: str) -> int:
        """Tokens of a text, special words counted as plain text."""
        ranks = self._ranks  # another thread may load the whole encoding and clear them
        if ranks and self._encoding is None and self._characters_counted + len(text) <= MOST_CHARACTERS:
            self._characters_counted += len(text)
            tokens = self._by_pieces(text, ranks)
            if tokens is not None:
                return tokens
        return len(self.whole.encode_ordinary(text))

    def _by_pieces(self, text: str, ranks: dict[bytes, bytes]) -> int | None:
        """Tokens counted by pieces, which no token spans; None when it would take too long."""
        if not text.isascii():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # as tiktoken does

        def rank(token: bytes) -> bytes | None:
            return ranks.get(binascii.b2a_base64(token, newline=False))

        cache, tokens = self._token_cache, 0
        for piece in self._pieces(text):
            piece_tokens = cache.get(piece)
            if piece_tokens is None:
                encoded = piece.encode()
                if len(encoded) > LONG_PIECE or self._characters_counted > MOST_CHARACTERS:
                    return None
                piece_tokens = cache[piece] = merged(encoded, rank)
                self._characters_counted += MERGE_COST * len(encoded) * (piece_tokens > 1)
            tokens += piece_tokens
        return tokens

    def _read(self) -> tuple[Iterator[bytes], Iterator[int]]:
        return map(binascii.a2b_base64, self._ranks), map(int, self._ranks.values())

    def _build_encoding(self, ranks: dict[bytes, int]) -> tiktoken.Encoding:
        from tiktoken import Encoding

        return Encoding(**{**self._recipe, "mergeable_ranks": ranks})


def merged(piece: bytes, rank: Callable[[bytes], bytes | None]) -> int:
    """The number of tokens of a piece by byte pair encoding, which merges the leftmost pair of lowest rank first.

    ``rank`` gives the digits of a token's rank, None if it is not a token. The time is quadratic in the length.
    """

    def pair_rank(index: int) -> int:
        digits = rank(parts[index] + parts[index + 1])
        return NEVER if digits is None else int(digits)

    if rank(piece) is not None:
        return 1
    parts = [piece[index : index + 1] for index in range(len(piece))]
    pairs = [*map(pair_rank, range(len(parts) - 1))]
    while pairs and (lowest := min(pairs)) < NEVER:
        index = pairs.index(lowest)
        parts[index : index + 2] = [parts[index] + parts[index + 1]]
        del pairs[index]
        for neighbour in range(max(0, index - 1), min(index + 1, len(pairs))):
            pairs[neighbour] = pair_rank(neighbour)
    return len(parts)


@cache
def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of that name; loading takes 60 ms the first time. Raises KeyError for one that is not shipped."""
    return Vocabulary(name)


def encoding(name: str) -> tiktoken.Encoding:
    """The whole tiktoken encoding of that name. Raises KeyError for one that is not shipped."""
    return vocabulary(name).whole


def count(text: str, name: str = "o200k_base") -> int:
    """Tokens of a text, special words counted as plain text."""
    return vocabulary(name).count(text)


def _recipe(name: str) -> dict[str, Any]:
    """The arguments by which tiktoken makes an encoding, with tokens and ranks as written in the file."""
    import gzip

    import tiktoken_ext.openai_public as recipes

    data = gzip.decompress(read_bytes(PACKAGED[name]))

    def load(_url: str, expected_hash: str | None = None) -> dict[bytes, bytes]:
        if expected_hash and hashlib.sha256(data).hexdigest() != expected_hash:
            raise ValueError(f"the packaged vocabulary {name} is corrupt")
        words = data.split()
        return dict(zip(words[::2], words[1::2], strict=True))

    # tiktoken has no offline mode: its recipe downloads by a module function, which is replaced meanwhile
    with _loading:
        original_loader, recipes.load_tiktoken_bpe = recipes.load_tiktoken_bpe, load
        try:
            recipe: dict[str, Any] = recipes.ENCODING_CONSTRUCTORS[name]()
        finally:
            recipes.load_tiktoken_bpe = original_loader
    recipe.pop("explicit_n_vocab", None)
    return recipe
