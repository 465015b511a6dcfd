"""A picture as the conversation and the log name it; its bytes lie under their hash (storage/pictures.py)."""

from __future__ import annotations

from ctxe.domain.value import dataclass

HANDLE = "picture-"
"""How the handle begins by which a picture that gave way is had again."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def is_named_like_one(path: str) -> bool:
    """Does a path end as a picture's does? What the file is, its first bytes decide."""
    return path.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class Picture:
    """``digest`` is the content hash of its bytes, ``media`` its MIME type as its first bytes say, ``size`` in bytes.

    ``name`` is the path it was taken from, ``width`` and ``height`` are pixels.
    """

    digest: str
    name: str
    media: str
    width: int
    height: int
    size: int

    @property
    def handle(self) -> str:
        """By this the model asks for it again."""
        return f"{HANDLE}{self.digest[:12]}"

    @property
    def words(self) -> str:
        """What it is, in place of what it shows."""
        kind = self.media.rpartition("/")[2].upper()
        size = f"{self.size / 1e6:.1f} MB" if self.size >= 1e6 else f"{max(1, round(self.size / 1e3))} kB"
        return f"picture {self.name}, {self.width}x{self.height} {kind}, {size}"
