"""Data files that ship with ctxe: vocabularies, the model catalog, weights, rules, skills."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where they are: ctxe is installed as files, and importlib.resources takes 5 ms to find that out."""


def read_bytes(name: str) -> bytes:
    """One of them, whole."""
    return (FOLDER / name).read_bytes()


def read_text(name: str) -> str:
    """One of them as text."""
    return (FOLDER / name).read_text(encoding="utf-8")
