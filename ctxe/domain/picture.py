"""A picture as the conversation and the log refer to it; its bytes are stored by their hash (storage/pictures.py)."""

from __future__ import annotations

from ctxe.domain.value import dataclass

HANDLE = "picture-"
"""Prefix of the handles that recall pictures."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def has_picture_name(path: str) -> bool:
    """True when the path has a picture's suffix. What the file really is, its first bytes say."""
    return path.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class Picture:
    """``digest`` is the content hash of its bytes, ``media`` the MIME type from its first bytes, ``size`` in bytes.

    ``name`` is the path it was read from; ``width`` and ``height`` are pixels.
    """

    digest: str
    name: str
    media: str
    width: int
    height: int
    size: int

    @property
    def handle(self) -> str:
        """The handle by which the model recalls it."""
        return f"{HANDLE}{self.digest[:12]}"

    @property
    def description(self) -> str:
        """A description of the file, where the picture itself is not shown."""
        kind = self.media.rpartition("/")[2].upper()
        size = f"{self.size / 1e6:.1f} MB" if self.size >= 1e6 else f"{max(1, round(self.size / 1e3))} kB"
        return f"picture {self.name}, {self.width}x{self.height} {kind}, {size}"
