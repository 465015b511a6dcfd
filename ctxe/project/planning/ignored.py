"""The files that .ctxeignore hides from ctxe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from ctxe.project import Project


def readable(project: Project) -> Callable[[str], bool]:
    """A function: may this file of the project be read? .ctxeignore is read with the first question."""

    @cache
    def spec() -> GitIgnoreSpec | None:
        from ctxe.repo.files import IGNORE_FILE, ignore_spec

        return ignore_spec(project.root, IGNORE_FILE)

    def allowed(path: str) -> bool:
        named = spec()
        return named is None or not named.match_file(path)

    return allowed
