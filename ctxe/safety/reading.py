"""Reading any file at all within bounds: what is odd is refused in words, never waited for."""

from __future__ import annotations

import codecs
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.safety.paths import kind, opened, told

LIMIT = 8_000_000
"""Bytes of a file that are read unless the caller says otherwise."""
SNIFF = 8_192
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A file as text. ``mark`` is its byte order mark, ``size`` its bytes on disk, ``whole`` whether all was read."""

    text: str
    encoding: str
    mark: bytes
    size: int
    whole: bool


def read_bytes(root: Path, path: str, limit: int = LIMIT) -> tuple[bytes, os.stat_result]:
    """At most ``limit`` bytes of a regular file inside the root, and its facts. Raises ToolError.

    A pipe, socket, device or folder is refused without being waited for; a sparse giant costs no more than the limit.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with opened(root, path, flags) as handle, told(path):
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise ToolError(f"{path} is {kind(facts.st_mode)}, not a file")
        pieces, left = [], limit
        while left > 0 and (piece := os.read(handle, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces), facts


def read_text(root: Path, path: str, limit: int = LIMIT) -> Text:
    """A text file inside the root, decoded. Raises ToolError, also for what is no text."""
    data, facts = read_bytes(root, path, limit)
    whole = len(data) >= facts.st_size
    encoding, mark = detect(data)
    if not encoding:
        raise ToolError(f"{path} is binary ({facts.st_size} bytes)")
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        text = decoder.decode(data[len(mark) :], final=whole)
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is neither text nor {encoding.upper()}: {error.reason}") from error
    return Text(text, encoding, mark, facts.st_size, whole)


def detect(data: bytes) -> tuple[str, bytes]:
    """(encoding, byte order mark) of the beginning of a file; no encoding for a binary one.

    By its mark; UTF-16 without one by where its zero bytes stand; then UTF-8 where it is valid, else Latin-1, which
    keeps every byte. Other zero bytes, or one control character in twenty, mean binary.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return encoding, mark
    head = data[:SNIFF]
    if b"\0" in head:
        return _zeros(head), b""
    odd = sum(byte < 32 and byte not in b"\t\n\r\f\b\x1b" for byte in head)
    if odd * 20 > len(head):
        return "", b""
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(data)
    except UnicodeDecodeError:
        return "latin-1", b""
    return "utf-8", b""


def _zeros(head: bytes) -> str:
    """UTF-16 of mostly Western text has its zero bytes on one side only."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = max(len(head) // 2, 1)
    if odd > pairs * 0.4 and even < pairs * 0.02:
        return "utf-16-le"
    if even > pairs * 0.4 and odd < pairs * 0.02:
        return "utf-16-be"
    return ""
