"""Pictures for a model: their bytes as base64, and their cost in tokens by the provider's published formula."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from math import ceil

from ctxe.domain.model import Model
from ctxe.domain.picture import Picture

Look = Callable[[Picture], str]
"""Gives the base64 of a picture; empty when the model sees no pictures or the bytes are missing."""

MOST_CACHED = 24
"""Pictures whose base64 is kept in memory between requests."""
UNSEEN_TOKENS = 40
"""Tokens of the line that replaces a picture for a model that sees none."""
_SMALL_CLAUDE = r"claude-(?:3|[a-z]+-4-[0-6](?!\d)|[a-z]+-4(?!-))"
_TILED: tuple[tuple[str, int, int], ...] = (
    (r"gpt-4o-mini", 2833, 5667),
    (r"gpt-4o|gpt-4\.1(?!-)|gpt-4\.5", 85, 170),
    (r"gpt-5(?:\.1)?(?:-\d{4}|$)", 70, 140),
    (r"o[13](?!-mini)", 75, 150),
)
"""Models that see tiles of 512 pixels: base tokens, and tokens per tile (developers.openai.com, images and vision)."""
_PATCHED: tuple[tuple[str, float], ...] = (
    (r"gpt-4\.1-mini|gpt-5-mini", 1.62),
    (r"gpt-4\.1-nano|gpt-5-nano", 2.46),
    (r"o4-mini", 1.72),
)
"""Models that see at most 1,536 patches of 32 pixels, each times this factor (the same page)."""


def unseen_line(picture: Picture) -> str:
    """The line that replaces a picture that cannot be shown."""
    return f"[{picture.description}: it cannot be shown to you]"


def picture_encoder(model: Model, data: Callable[[str], bytes | None]) -> Look:
    """A function that gives the base64 of pictures for a model, always the same text for the same picture."""

    @lru_cache(maxsize=MOST_CACHED)
    def encoded(digest: str) -> str:
        content = data(digest)
        return base64.b64encode(content).decode("ascii") if content else ""

    return (lambda picture: encoded(picture.digest)) if model.images else no_picture


def no_picture(_picture: Picture) -> str:
    """A ``Look`` that shows nothing."""
    return ""


def url(picture: Picture, data: str) -> str:
    """A picture as a data URL."""
    return f"data:{picture.media};base64,{data}"


def tokens(model: Model, width: int, height: int) -> int:
    """Tokens of a picture of this size in pixels; an upper bound for models without a published formula."""
    if not model.images:
        return UNSEEN_TOKENS
    name = model.name.rpartition("/")[2]
    if name.startswith("claude"):
        return _claude(name, width, height)
    if name.startswith("gemini"):
        return max(
            1_120, 258 * ceil(width / 768) * ceil(height / 768)
        )  # ai.google.dev: tiles, or media_resolution_high
    for pattern, base, tile in _TILED:
        if re.match(pattern, name):
            return base + tile * _tiles(width, height)
    for pattern, factor in _PATCHED:
        if re.match(pattern, name):
            return ceil(min(1_536, _patches(width, height, 32)) * factor)
    if re.match(r"gpt-|o\d", name):
        return ceil(min(10_000, _patches(width, height, 32)) * 1.2)
    return min(16_384, _patches(width, height, 28)) + 16


def _claude(name: str, width: int, height: int) -> int:
    """One token per 28 by 28 pixels after scaling (platform.claude.com, vision); an upper bound."""
    edge, token_limit = (1_568, 1_600) if re.match(_SMALL_CLAUDE, name) else (2_576, 4_784)
    scale = min(1.0, edge / max(width, height))
    return min(
        token_limit, max(_patches(width * scale, height * scale, 28), ceil(width * height * scale * scale / 750))
    )


def _patches(width: float, height: float, side: int) -> int:
    return ceil(width / side) * ceil(height / side)


def _tiles(width: int, height: int) -> int:
    """Tiles of 512 pixels, after scaling to fit 2,048 by 2,048 and to a shorter edge of at most 768."""
    fit = min(1.0, 2_048 / max(width, height))
    fit = min(fit, 768 / min(width, height))
    return ceil(width * fit / 512) * ceil(height * fit / 512)
