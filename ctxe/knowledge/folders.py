"""The folders from the project's root to the working folder, and the check that keeps file reads inside the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def folders_down(root: Path, working: Path) -> list[Path]:
    """``root`` and each folder below it down to ``working``; only ``root`` when ``working`` lies elsewhere."""
    folders = [root]
    if working.is_relative_to(root):
        for part in working.relative_to(root).parts:
            folders.append(folders[-1] / part)
    return folders


def why_forbidden(real: str, root: str, readable: Callable[[str], bool]) -> str:
    """Why a file must not be read, or "". ``real`` and ``root`` are real paths; ``readable`` takes a relative path."""
    top = root.rstrip("/") + "/"
    if not real.startswith(top):
        return "is a link that leads out of the repository: not followed"
    return "" if readable(real[len(top) :]) else "must not be read (.ctxeignore)"
