"""What the project keeps from ctxe: the files that .ctxeignore names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from ctxe.project import Project


def readable(project: Project) -> Callable[[str], bool]:
    """Whether a file of the project may be read: what .ctxeignore names may not. The file is looked at when asked."""
    spec: list[GitIgnoreSpec | None] = []

    def allowed(path: str) -> bool:
        from ctxe.repo.files import IGNORE_FILE, ignore_spec

        if not spec:
            spec.append(ignore_spec(project.root, IGNORE_FILE))
        return spec[0] is None or not spec[0].match_file(path)

    return allowed
