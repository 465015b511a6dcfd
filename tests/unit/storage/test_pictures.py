"""What the first bytes of a picture say, and how its bytes are stored."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.errors import StoreError
from ctxe.domain.picture import Picture
from ctxe.storage.picture_header import header
from ctxe.storage.pictures import MOST_BYTES, Pictures
from tests.pictures import gif, jpeg, png, segment, webp

VP8 = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 0x4000 | 300, 200)
VP8L = b"\x2f" + struct.pack("<I", 299 | 199 << 14)
VP8X = b"\x10\0\0\0" + (299).to_bytes(3, "little") + (199).to_bytes(3, "little")
SOUND = {
    "png": (png(300, 200), ("image/png", 300, 200)),
    "gif": (gif(300, 200), ("image/gif", 300, 200)),
    "jpeg": (jpeg(300, 200), ("image/jpeg", 300, 200)),
    "jpeg behind a thumbnail": (
        jpeg(300, 200, segment(0xE1, b"Exif\0\0" + jpeg(16, 12)), segment(0xC4, b"\0" * 20), b"\xff"),
        ("image/jpeg", 300, 200),
    ),
    "webp lossy": (webp(b"VP8 ", VP8), ("image/webp", 300, 200)),
    "webp lossless": (webp(b"VP8L", VP8L), ("image/webp", 300, 200)),
    "webp extended": (webp(b"VP8X", VP8X), ("image/webp", 300, 200)),
}


@pytest.mark.parametrize("name", SOUND)
def test_kind_and_size_are_read_from_the_first_bytes(name: str) -> None:
    data, wanted = SOUND[name]
    assert header(data) == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM" + b"\0" * 60,
        png(300, 200)[:23],
        png(0, 200),
        gif(0, 1),
        b"GIF88a" + b"\1" * 20,
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xe0\0\0" * 9,
        b"\xff\xd8\xff\xda\0\x04" + jpeg(3, 3),
        jpeg(3, 3)[:8],
        b"RIFF\0\0\0\0WAVE" + b"\1" * 30,
        webp(b"VP8 ", b"\0" * 10),
        webp(b"ANIM", b"\1" * 10),
    ],
)
def test_other_and_truncated_files_are_no_pictures(data: bytes) -> None:
    assert header(data) is None


@given(st.sampled_from([data for data, _ in SOUND.values()]), st.integers(0, 80), st.binary(max_size=80))
def test_truncated_and_hostile_bytes_never_raise_and_sizes_are_plausible(data: bytes, cut: int, junk: bytes) -> None:
    for hostile in (data[:cut], data[:cut] + junk, data[: cut // 8] + junk):
        found = header(hostile)
        if found is not None:
            media, width, height = found
            assert media in ("image/png", "image/jpeg", "image/gif", "image/webp")
            assert 0 < width <= 2**32
            assert 0 < height <= 2**32


def test_picture_bytes_are_stored_once_by_hash_and_privately(tmp_path: Path) -> None:
    pictures, data = Pictures(tmp_path / "pictures"), png()
    taken = pictures.take("docs/shot.png", data)
    assert taken == Picture(taken.digest if taken else "", "docs/shot.png", "image/png", 8, 6, len(data))
    assert not (tmp_path / "pictures").exists()
    assert pictures.data(taken.digest) == data
    pictures.keep(taken)
    pictures.keep(taken)
    (path,) = (tmp_path / "pictures").iterdir()
    assert (path.name, path.read_bytes(), path.stat().st_mode & 0o777) == (taken.digest, data, 0o600)
    assert Pictures(tmp_path / "pictures").data(taken.digest) == data
    assert taken.description == "picture docs/shot.png, 8x6 PNG, 1 kB"


def test_an_invalid_hash_reads_nothing_and_changed_bytes_are_dropped(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    taken = pictures.take("a.png", png())
    assert taken is not None
    pictures.keep(taken)
    (tmp_path / "secret").write_bytes(png(shade=7))
    assert pictures.data("../secret") is None
    assert pictures.data(str(tmp_path / "secret")) is None
    pictures.keep(replace(taken, digest="../elsewhere"))
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "pictures" / taken.digest).write_bytes(png(shade=9))
    assert pictures.data(taken.digest) is None
    (tmp_path / "pictures" / taken.digest).unlink()
    assert pictures.data(taken.digest) is None


def test_damaged_picture_bytes_are_rewritten_when_the_picture_is_shown_again(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    found = pictures.take("a.png", png(3, 2))
    assert found is not None
    (tmp_path / found.digest).write_bytes(b"half")
    pictures.keep(found)
    assert (tmp_path / found.digest).read_bytes() == Pictures(tmp_path).data(found.digest) == png(3, 2)


def test_unsupported_picture_formats_are_refused_and_text_is_no_picture(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    assert pictures.take("a.png", b"#!/bin/sh\n") is None
    with pytest.raises(StoreError, match=r"a.png is a picture of 4.0 MB; at most 3.9 MB are sent"):
        pictures.take("a.png", png() + b"\0" * (MOST_BYTES + 60_000))
    with pytest.raises(StoreError, match=r"wide.gif is a picture of 8001x5 pixels; at most 8,000 a side are sent"):
        pictures.take("wide.gif", gif(8_001, 5))
