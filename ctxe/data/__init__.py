"""Data files that ship with ctxe: vocabularies, the model catalog, weights, rules, skills."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder of these files. ctxe is installed as files, and importlib.resources takes 5 ms to find the folder."""


def read_bytes(name: str) -> bytes:
    """The content of a data file."""
    return (FOLDER / name).read_bytes()


def read_text(name: str) -> str:
    """The text of a data file."""
    return (FOLDER / name).read_text(encoding="utf-8")
