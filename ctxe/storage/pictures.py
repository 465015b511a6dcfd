"""The bytes of pictures beside the session logs: each once, under its hash, whole before a log names it."""

from __future__ import annotations

from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import Picture
from ctxe.domain.section import digest_bytes
from ctxe.storage.files import read, replace
from ctxe.storage.picture_header import header

MOST_BYTES = 3_932_160
"""The largest picture that is sent: Anthropic takes 5 MiB of base64 a picture, a third longer than its bytes."""
MOST_PIXELS = 8_000
"""The longest edge in pixels (Anthropic's limit; the others scale what is larger)."""
_DIGEST = pattern(r"[0-9a-f]{32}")


class Pictures:
    """The pictures of a project's sessions, in ``folder``; what is taken in and not kept is gone with the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: dict[str, bytes] = {}

    def take(self, name: str, data: bytes) -> Picture | None:
        """The picture that these bytes are, in memory only; None when they are none. Raises StoreError: too large."""
        found = header(data)
        if found is None:
            return None
        media, width, height = found
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
        self._taken[picture.digest] = data
        return picture

    def keep(self, picture: Picture) -> None:
        """Make its bytes durable; nothing when they are already. Raises StoreError: they stay in memory then.

        A file that holds other bytes by now is made anew.
        """
        data = self._taken.get(picture.digest)
        path = self._path(picture.digest)
        if data is None or path is None:
            return
        if _stored(path, picture.digest) is None:
            replace(path, data)
        del self._taken[picture.digest]

    def data(self, digest: str) -> bytes | None:
        """The bytes under a hash; None where they are gone or are others by now."""
        path = self._path(digest)
        found = self._taken.get(digest)
        return found if found is not None or path is None else _stored(path, digest)

    def _path(self, digest: str) -> Path | None:
        """Where a picture lies; nowhere for what is no hash: a log may come from anybody."""
        return self.folder / digest if _DIGEST.fullmatch(digest) else None


def _stored(path: Path, digest: str) -> bytes | None:
    """The bytes of a file when they are those of this hash."""
    try:
        found = read(path, MOST_BYTES)
    except StoreError:
        return None
    return found if digest_bytes(found) == digest else None
