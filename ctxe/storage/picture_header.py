"""Reading the type and size of a picture from its first bytes."""

from __future__ import annotations

from collections.abc import Callable

TypeAndSize = tuple[str, int, int]
"""MIME type, width and height in pixels."""

_SIZED = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers whose segment has the size (start of frame), without C4, C8 and CC, which mean something else."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length: TEM, RST0 to RST7, SOI."""


def header(data: bytes) -> TypeAndSize | None:
    """Type and size of a PNG, JPEG, GIF or WebP; None for anything else, a damaged header, or a size of 0.

    Formats: W3C PNG 5.6 and 11.2.1, ITU-T T.81 B.2.2, GIF89a 17 and 18, RFC 9649 2.5 to 2.7. Never raises.
    """
    for signature, read in _READERS:
        if data.startswith(signature):
            type_and_size = read(data)
            return type_and_size if type_and_size and type_and_size[1] > 0 and type_and_size[2] > 0 else None
    return None


def _png(data: bytes) -> TypeAndSize | None:
    if len(data) < 24 or data[8:16] != b"\0\0\0\rIHDR":
        return None
    return "image/png", _big(data[16:20]), _big(data[20:24])


def _gif(data: bytes) -> TypeAndSize | None:
    if len(data) < 10 or data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    return "image/gif", _little(data[6:8]), _little(data[8:10])


def _jpeg(data: bytes) -> TypeAndSize | None:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF or marker in _ALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in _SIZED:
            frame = data[position + 5 : position + 9]
            return ("image/jpeg", _big(frame[2:4]), _big(frame[0:2])) if len(frame) == 4 else None
        length = _big(data[position + 2 : position + 4])
        if marker in (0xD9, 0xDA) or length < 2:
            return None
        position += 2 + length
    return None


def _webp(data: bytes) -> TypeAndSize | None:
    if len(data) < 30 or data[8:12] != b"WEBP":
        return None
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return "image/webp", _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = _little(body[1:5])
        return "image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return "image/webp", _little(body[4:7]) + 1, _little(body[7:10]) + 1
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_READERS: tuple[tuple[bytes, Callable[[bytes], TypeAndSize | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
)
