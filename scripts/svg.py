"""Draws the cells of a terminal as SVG, with one text element for each run of cells of the same style."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import groupby
from typing import Any

DARK = {
    "default": "#d4d4d8",
    "black": "#27272a",
    "red": "#f87171",
    "green": "#86efac",
    "brown": "#fbbf24",
    "blue": "#60a5fa",
    "magenta": "#d8b4fe",
    "cyan": "#67e8f9",
    "white": "#e4e4e7",
    "brightblack": "#85858f",
    "brightred": "#fca5a5",
    "brightgreen": "#bbf7d0",
    "brightbrown": "#fde68a",
    "brightblue": "#93c5fd",
    "brightmagenta": "#e9d5ff",
    "brightcyan": "#a5f3fc",
    "brightwhite": "#ffffff",
}
WIDE, HIGH, EDGE, BAR = 8.4, 18, 14, 26  # a cell, the margin and the title bar, in pixels
FONT = "14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
LIGHTS = ("#ef4444", "#f59e0b", "#22c55e")


def look(cell: Any) -> tuple[str, str]:
    """Colour and CSS classes of a cell."""
    kinds = (("b", cell.bold), ("i", cell.italics), ("u", cell.underscore))
    return DARK.get(cell.fg, DARK["default"]), " ".join(letter for letter, on in kinds if on)


def run_of(text: str, x: int, y: int, color: str, classes: str) -> str:
    """One text element; ``textLength`` keeps columns in line whatever font the reader has."""
    shown = text.strip()
    left = EDGE + (x + len(text) - len(text.lstrip())) * WIDE
    kind = f' class="{classes}"' if classes else ""
    place = f'x="{left:.1f}" y="{EDGE + BAR + (y + 0.78) * HIGH:.1f}"'
    wide = f'textLength="{len(shown) * WIDE:.1f}"'
    return f'<text {place} fill="{color}"{kind} {wide}>{html.escape(shown, quote=False)}</text>'


def svg(rows: Sequence[Sequence[Any]], columns: int, title: str) -> str:
    """The whole picture, of ``columns`` by as many rows as there are."""
    wide, high = columns * WIDE + 2 * EDGE, len(rows) * HIGH + 2 * EDGE + BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" xml:space="preserve"'
        f' role="img" aria-label="{title}">',
        f"<style>text{{font:{FONT};white-space:pre}}",
        ".b{font-weight:bold}.i{font-style:italic}.u{text-decoration:underline}</style>",
        f'<rect width="{wide:.0f}" height="{high}" rx="8" fill="#18181b"/>',
        *(f'<circle cx="{20 + 18 * n}" cy="20" r="5.5" fill="{color}"/>' for n, color in enumerate(LIGHTS)),
        f'<text x="{wide / 2:.0f}" y="24" fill="#85858f" text-anchor="middle">{html.escape(title)}</text>',
    ]
    for y, row in enumerate(rows):
        x = 0
        for (color, classes), run in groupby(row, look):
            text = "".join(cell.data for cell in run)
            if text.strip():
                parts.append(run_of(text, x, y, color, classes))
            x += len(text)
    return "\n".join([*parts, "</svg>", ""])
