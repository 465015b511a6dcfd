"""Storing the bytes of pictures beside the session logs, by hash, and before a log names them."""

from __future__ import annotations

from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import Picture
from ctxe.domain.section import digest_bytes
from ctxe.storage.files import read, replace
from ctxe.storage.picture_header import header

MOST_BYTES = 3_932_160
"""Bytes of the largest picture that is sent: Anthropic accepts 5 MiB of base64, a third more than the bytes."""
MOST_PIXELS = 8_000
"""The longest edge in pixels (Anthropic's limit; the others scale larger pictures)."""
_DIGEST = pattern(r"[0-9a-f]{32}")


class Pictures:
    """The pictures of a project's sessions, in ``folder``; a picture that is not kept is lost with the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unstored: dict[str, bytes] = {}

    def take(self, name: str, data: bytes) -> Picture | None:
        """Make a picture of bytes, in memory only; None when they are not one. Raises StoreError when too large."""
        type_and_size = header(data)
        if type_and_size is None:
            return None
        media, width, height = type_and_size
        if len(data) > MOST_BYTES:
            raise StoreError(
                f"{name} is a picture of {len(data) / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.1f} MB are sent",
                "make it smaller, or cut out what matters",
            )
        if max(width, height) > MOST_PIXELS:
            raise StoreError(
                f"{name} is a picture of {width}x{height} pixels; at most {MOST_PIXELS:,} a side are sent",
                "make it smaller, or cut out what matters",
            )
        picture = Picture(digest_bytes(data), name, media, width, height, len(data))
        self._unstored[picture.digest] = data
        return picture

    def keep(self, picture: Picture) -> None:
        """Store a picture's bytes durably, if they are not stored yet. Raises StoreError; they stay in memory then.

        A file with other bytes is replaced.
        """
        data = self._unstored.get(picture.digest)
        path = self._path(picture.digest)
        if data is None or path is None:
            return
        if _stored(path, picture.digest) is None:
            replace(path, data)
        del self._unstored[picture.digest]

    def data(self, digest: str) -> bytes | None:
        """The bytes with a hash; None when they are missing or have changed."""
        path = self._path(digest)
        content = self._unstored.get(digest)
        return content if content is not None or path is None else _stored(path, digest)

    def _path(self, digest: str) -> Path | None:
        """The file of a picture; None when ``digest`` is not a hash, since a log may come from anybody."""
        return self.folder / digest if _DIGEST.fullmatch(digest) else None


def _stored(path: Path, digest: str) -> bytes | None:
    """The bytes of a file if they have this hash, else None."""
    try:
        data = read(path, MOST_BYTES)
    except StoreError:
        return None
    return data if digest_bytes(data) == digest else None
