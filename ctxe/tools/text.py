"""A file's bytes as text and back, byte for byte: encodings, byte order marks and line ends are all kept."""

from __future__ import annotations

import codecs

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass

SNIFF = 8192
"""Bytes in which a NUL means binary: git and ripgrep look at as many."""

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
    """A file's text without its byte order mark, line ends as they stand, and what is needed to write it back."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    def encode(self, text: str, name: str) -> bytes:
        """Another text as bytes of the same file. Raises ToolError for a character that its encoding lacks."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise ToolError(
                f"{name} is {NAMES[self.encoding]}, which has no U+{ord(character):04X}; "
                "use another character or convert the file first"
            ) from None


def decode(data: bytes) -> Decoded | None:
    """The text of a file, or None for a binary one. Whatever is returned encodes back to the same bytes.

    UTF-8 and UTF-16 by their mark, then strict UTF-8, then Windows-1252, which is Latin-1 with typographic signs.
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
    r"""What ends most lines: ``\n``, ``\r\n``, or ``\r`` where there is no ``\n`` at all."""
    pairs, feeds = text.count("\r\n"), text.count("\n")
    if not feeds:
        return "\r" if "\r" in text else "\n"
    return "\r\n" if pairs * 2 > feeds else "\n"


def split(text: str) -> list[str]:
    """The lines of a text with their ends, counted as editors and compilers count them."""
    end = "\r" if "\r" in text and "\n" not in text else "\n"
    *whole, last = text.split(end)
    lines = [line + end for line in whole]
    return [*lines, last] if last else lines


def peculiar(decoded: Decoded) -> list[str]:
    """What is unusual about a file's bytes, in words: encoding, mark, line ends."""
    said = []
    if decoded.encoding != "utf-8":
        said.append(NAMES[decoded.encoding])
    elif decoded.mark:
        said.append("UTF-8 with BOM")
    pairs, feeds = decoded.text.count("\r\n"), decoded.text.count("\n")
    if pairs:
        said.append("CRLF" if pairs == feeds else "mixed line ends")
    elif "\r" in decoded.text and not feeds:
        said.append("CR line ends")
    return said


def numbered(line: str, number: int) -> str:
    """A line as tools show it: number, tab, text; an empty line stays empty, which saves a fifth of the cost."""
    return f"{number}\t{line}" if line else ""
