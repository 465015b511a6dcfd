"""Bytes are decoded to text and encoded back to the same bytes."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.errors import ToolError
from ctxe.domain.section import digest, digest_bytes
from ctxe.tools.text import Decoded, decode, encoding_notes, line_end, split


@pytest.mark.parametrize(
    ("data", "text", "encoding", "said"),
    [
        (b"a\n", "a\n", "utf-8", []),
        ("é\r\n".encode(), "é\r\n", "utf-8", ["CRLF"]),
        (b"a\r\nb\n", "a\r\nb\n", "utf-8", ["mixed line ends"]),
        (b"a\rb", "a\rb", "utf-8", ["CR line ends"]),
        (codecs.BOM_UTF8 + b"a", "a", "utf-8", ["UTF-8 with BOM"]),
        ("é“".encode("cp1252"), "é“", "cp1252", ["Windows-1252"]),
        (b"\xe9\x81", "é\x81", "latin-1", ["Latin-1"]),
        (codecs.BOM_UTF16_LE + "hé\n".encode("utf-16-le"), "hé\n", "utf-16-le", ["UTF-16 LE"]),
        (codecs.BOM_UTF16_BE + "hé\r\n".encode("utf-16-be"), "hé\r\n", "utf-16-be", ["UTF-16 BE", "CRLF"]),
        (b"", "", "utf-8", []),
    ],
)
def test_texts_of_each_encoding_are_decoded(data: bytes, text: str, encoding: str, said: list[str]) -> None:
    decoded = decode(data)
    assert decoded is not None
    assert (decoded.text, decoded.encoding, encoding_notes(decoded)) == (text, encoding, said)
    assert decoded.encode(decoded.text, "f") == data


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", codecs.BOM_UTF16_LE + b"a", b"x" * 8000 + b"\0"])
def test_binary_content_is_not_decoded(data: bytes) -> None:
    assert decode(data) is None


@given(st.binary())
def test_decoded_text_encodes_back_to_the_same_bytes(data: bytes) -> None:
    decoded = decode(data)
    assert decoded is None or decoded.encode(decoded.text, "f") == data


def test_a_character_missing_from_the_encoding_is_named() -> None:
    with pytest.raises(ToolError, match=r"^f is Windows-1252, which has no U\+2192; use another character"):
        Decoded("", "cp1252").encode("→", "f")
    with pytest.raises(ToolError, match=r"f is UTF-8, which has no U\+D800"):
        Decoded("").encode("\ud800", "f")


@given(st.text())
def test_fingerprint_is_the_digest_of_the_text(text: str) -> None:
    assert digest_bytes(text.encode("utf-8", "surrogatepass")) == digest(text)


@given(st.text(alphabet="ab\r\n"))
def test_splitting_into_lines_loses_nothing(text: str) -> None:
    lines = split(text)
    assert "".join(lines) == text
    assert all(lines)


def test_the_line_ending_is_that_of_most_lines() -> None:
    assert [line_end(text) for text in ("", "a\nb", "a\r\nb\r\nc\n", "a\r\nb\n", "a\rb")] == [
        "\n",
        "\n",
        "\r\n",
        "\n",
        "\r",
    ]
