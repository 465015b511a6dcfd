"""Token vocabularies that ship with ctxe, loaded without network and checked against tiktoken's own pinned hash."""

from __future__ import annotations

import binascii
import gzip
import hashlib
import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

PACKAGED = {
    "o200k_base": "o200k_base.tiktoken.gz",
    "o200k_harmony": "o200k_base.tiktoken.gz",
    "cl100k_base": "cl100k_base.tiktoken.gz",
}
_loading = threading.Lock()


@cache
def encoding(name: str) -> tiktoken.Encoding:
    """The tiktoken encoding of that name; takes 130 to 300 ms the first time. Raises KeyError for one not shipped."""
    import tiktoken_ext.openai_public as recipes
    from tiktoken import Encoding

    data = gzip.decompress((files("ctxe.data") / PACKAGED[name]).read_bytes())

    def load(_url: str, expected_hash: str | None = None) -> dict[bytes, int]:
        if expected_hash and hashlib.sha256(data).hexdigest() != expected_hash:
            raise ValueError(f"the packaged vocabulary {name} is corrupt")
        words = data.split()
        return dict(zip(map(binascii.a2b_base64, words[::2]), map(int, words[1::2]), strict=True))

    # tiktoken has no offline switch: its recipe downloads through a module function, which is lent ours meanwhile.
    with _loading:
        real, recipes.load_tiktoken_bpe = recipes.load_tiktoken_bpe, load
        try:
            return Encoding(**recipes.ENCODING_CONSTRUCTORS[name]())
        finally:
            recipes.load_tiktoken_bpe = real


def count(text: str, name: str = "o200k_base") -> int:
    """Tokens of a text, special words counted as plain text."""
    return len(encoding(name).encode_ordinary(text))
