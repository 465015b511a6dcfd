"""The folders from a project's root to where its user stands, and which of its files must not be followed or read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def folders_down(root: Path, working: Path) -> list[Path]:
    """The root and every folder below it down to where the user stands; the root alone when that lies elsewhere."""
    folders = [root]
    if working.is_relative_to(root):
        for part in working.relative_to(root).parts:
            folders.append(folders[-1] / part)
    return folders


def forbidden(real: str, root: str, readable: Callable[[str], bool]) -> str:
    """Why a project's file must not be read, by the real paths of both: it leads out, or is ignored; else empty."""
    top = root.rstrip("/") + "/"
    if not real.startswith(top):
        return "is a link that leads out of the repository: not followed"
    return "" if readable(real[len(top) :]) else "must not be read (.ctxeignore)"
