"""Decoding a file to text and back without a changed byte: encoding, byte order mark and line ends are kept."""

from __future__ import annotations

import codecs

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass

SNIFF = 8192
"""Bytes at the beginning in which a NUL means binary; git and ripgrep look at as many."""

NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text without its byte order mark (``mark``), line ends unchanged, and how to encode it again."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    def encode(self, text: str, name: str) -> bytes:
        """Encode a new text of the file. Raises ToolError for a character that the file's encoding lacks."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise ToolError(
                f"{name} is {NAMES[self.encoding]}, which has no U+{ord(character):04X}; "
                "use another character or convert the file first"
            ) from None


def decode(data: bytes) -> Decoded | None:
    """The text of a file, which encodes back to the same bytes; None for a binary file.

    Decoded as UTF-8 or UTF-16 after a byte order mark, else as strict UTF-8, Windows-1252 or Latin-1.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding, mark)
    if b"\0" in data[:SNIFF]:
        return None
    return _strictly(data, "utf-8") or _strictly(data, "cp1252") or Decoded(data.decode("latin-1"), "latin-1")


def _strictly(data: bytes, encoding: str, mark: bytes = b"") -> Decoded | None:
    try:
        return Decoded(data.decode(encoding), encoding, mark)
    except UnicodeDecodeError:
        return None


def line_end(text: str) -> str:
    r"""The line end of most lines: ``\n`` or ``\r\n``, or ``\r`` when there is no ``\n`` at all."""
    pairs, feeds = text.count("\r\n"), text.count("\n")
    if not feeds:
        return "\r" if "\r" in text else "\n"
    return "\r\n" if pairs * 2 > feeds else "\n"


def split(text: str) -> list[str]:
    """The lines of a text with their line ends, counted as editors and compilers do."""
    end = "\r" if "\r" in text and "\n" not in text else "\n"
    *complete, last = text.split(end)
    lines = [line + end for line in complete]
    return [*lines, last] if last else lines


def encoding_notes(decoded: Decoded) -> list[str]:
    """Unusual properties of a file's bytes in words: its encoding, byte order mark, line ends."""
    notes = []
    if decoded.encoding != "utf-8":
        notes.append(NAMES[decoded.encoding])
    elif decoded.mark:
        notes.append("UTF-8 with BOM")
    pairs, feeds = decoded.text.count("\r\n"), decoded.text.count("\n")
    if pairs:
        notes.append("CRLF" if pairs == feeds else "mixed line ends")
    elif "\r" in decoded.text and not feeds:
        notes.append("CR line ends")
    return notes


def numbered(line: str, number: int) -> str:
    """A line as tools show it: number, tab, text. An empty line stays empty, which saves a fifth of the tokens."""
    return f"{number}\t{line}" if line else ""
