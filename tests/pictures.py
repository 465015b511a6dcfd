"""Pictures for tests, made by hand: a whole small PNG, and headers of the other kinds."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 8, height: int = 6, shade: int = 0x40) -> bytes:
    """A grey PNG that any decoder reads."""
    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def gif(width: int, height: int) -> bytes:
    """The header of a GIF."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def jpeg(width: int, height: int, *before: bytes) -> bytes:
    """A JPEG up to its frame; ``before`` are whole segments in front of it."""
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + b"".join(before) + frame + b"\xff\xda\0\x02"


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment with its length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def webp(kind: bytes, body: bytes) -> bytes:
    """A WebP of one chunk, padded so that its header is whole."""
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk.ljust(18, b"\0")
