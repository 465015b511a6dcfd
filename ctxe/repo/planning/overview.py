"""Recognising questions about the project as a whole, and finding the pages that answer them, such as its README."""

from __future__ import annotations

import re
from collections.abc import Collection

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set
from ctxe.repo.indexing.line_tokens import estimate
from ctxe.repo.planning.showing import MARKER, ShownFile, header, in_lines

PROJECT_WORDS = word_set(
    "project repository repo codebase package library app application tool program software architecture overview"
    " structure layout structured organised organized"
)
"""Words for the project as a whole."""
ACTION_WORDS = word_set(
    "run build install test tests testing start set setup up contribute develop development compile use used get"
    " started deploy"
)
"""Words for things one does with a project, as in "how do I build it"."""
COMMON_WORDS = word_set(
    "a about all an and are at base brief briefly by can code could describe do does entire everything explain for give"
    " go good guide have help here high how i in introduce introduction is it its key laid level like locally look me"
    " main modules my need new of on out parts please purpose quick quickly s short should show stuff summarise"
    " summarize summary tell that the there these this through to tour understand walk want was we what where which"
    " whole why with work works would you your"
)
"""Words that point to no particular file. A question with any other word is not about the project as a whole."""
MOST_WORDS = 24
FEWEST_LINES = 10
"""Lines of a longer page below which its beginning is not worth showing."""
_WORD = pattern(r"[^\W_]+")
_PAGE = r"(?:\.(?:md|markdown|rst|txt|adoc|org))?"
README = pattern(rf"readme{_PAGE}", re.IGNORECASE)
MANIFEST = pattern(
    r"(?:pyproject\.toml|setup\.cfg|package\.json|Cargo\.toml|go\.mod|pom\.xml|build\.gradle(?:\.kts)?|Gemfile"
    r"|composer\.json|mix\.exs|CMakeLists\.txt|meson\.build|deno\.json|Package\.swift|[^/]+\.(?:cabal|csproj|gemspec))"
)
MAP = pattern(rf"(?:docs?/)?(?:architecture|design|overview|structure){_PAGE}", re.IGNORECASE)
INDEX = pattern(rf"docs?/(?:index|readme|introduction){_PAGE}", re.IGNORECASE)
CONTRIBUTING = pattern(
    rf"(?:docs?/|\.github/)?(?:contributing|development|developing|hacking|building|install(?:ation)?){_PAGE}",
    re.IGNORECASE,
)
RECIPES = pattern(r"(?:GNU)?[Mm]akefile|[Jj]ustfile|Taskfile\.ya?ml|tox\.ini|noxfile\.py|Rakefile")


def about(task: str) -> str:
    """``whole`` for a question about what the project is, ``use`` for how to build, run or test it; else empty."""
    words = _WORD.findall(task.lower())
    distinct = set(words)
    if not words or len(words) > MOST_WORDS or distinct - PROJECT_WORDS - ACTION_WORDS - COMMON_WORDS:
        return ""
    if distinct & ACTION_WORDS and "how" in distinct:
        return "use"
    return "whole" if distinct & PROJECT_WORDS else ""


def pages(paths: Collection[str], task: str) -> tuple[str, ...]:
    """The paths that answer a question about the project as a whole, best first; none for any other task."""
    kind = about(task)
    if not kind:
        return ()
    wanted = (README, CONTRIBUTING, RECIPES, MANIFEST) if kind == "use" else (README, MAP, INDEX, MANIFEST)
    matches = (sorted(path for path in paths if form.fullmatch(path)) for form in wanted)
    return tuple(path for paths_of_form in matches for path in paths_of_form[:2])


def beginning(number: int, path: str, text: str, room: int) -> ShownFile | None:
    """A page from its first line on, as much as fits ``room`` tokens; None when that is too little to show."""
    lines = text.split("\n")
    costs, remaining, count = estimate(lines), room - header(path) - MARKER, 0
    while count < len(lines) and costs[count] <= remaining:
        remaining -= costs[count]
        count += 1
    if count < min(len(lines), FEWEST_LINES):
        return None
    return in_lines(number, path, lines, costs, range(1, count + 1))
