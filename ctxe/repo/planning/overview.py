"""Questions about a project as a whole, and the pages that answer them: its README, its manifest, how to take part."""

from __future__ import annotations

import re
from collections.abc import Collection

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import names
from ctxe.repo.indexing.line_tokens import estimate
from ctxe.repo.planning.showing import MARKER, ShownFile, header, in_lines

WHOLE = names(
    "project repository repo codebase package library app application tool program software architecture overview"
    " structure layout structured organised organized"
)
"""What such a question is about."""
DONE = names(
    "run build install test tests testing start set setup up contribute develop development compile use used get"
    " started deploy"
)
"""What one may want to do with it; asked with "how"."""
SMALL = names(
    "a about all an and are at base brief briefly by can code could describe do does entire everything explain for give"
    " go good guide have help here high how i in introduce introduction is it its key laid level like locally look me"
    " main modules my need new of on out parts please purpose quick quickly s short should show stuff summarise"
    " summarize summary tell that the there these this through to tour understand walk want was we what where which"
    " whole why with work works would you your"
)
"""Words that say nothing of which files are meant; a question with any other word is about something in particular."""
MOST_WORDS = 24
FEWEST_LINES = 10
"""Lines of a page below which its beginning says too little."""
_WORD = pattern(r"[^\W_]+")
_PAGE = r"(?:\.(?:md|markdown|rst|txt|adoc|org))?"
README = pattern(rf"readme{_PAGE}", re.IGNORECASE)
MANIFEST = pattern(
    r"(?:pyproject\.toml|setup\.cfg|package\.json|Cargo\.toml|go\.mod|pom\.xml|build\.gradle(?:\.kts)?|Gemfile"
    r"|composer\.json|mix\.exs|CMakeLists\.txt|meson\.build|deno\.json|Package\.swift|[^/]+\.(?:cabal|csproj|gemspec))"
)
MAP = pattern(rf"(?:docs?/)?(?:architecture|design|overview|structure){_PAGE}", re.IGNORECASE)
INDEX = pattern(rf"docs?/(?:index|readme|introduction){_PAGE}", re.IGNORECASE)
TAKING_PART = pattern(
    rf"(?:docs?/|\.github/)?(?:contributing|development|developing|hacking|building|install(?:ation)?){_PAGE}",
    re.IGNORECASE,
)
RECIPES = pattern(r"(?:GNU)?[Mm]akefile|[Jj]ustfile|Taskfile\.ya?ml|tox\.ini|noxfile\.py|Rakefile")


def about(task: str) -> str:
    """What a question about the project as a whole asks: ``whole``: what it is, ``use``: how it is built, run, tested.

    Empty for any other task.
    """
    words = _WORD.findall(task.lower())
    said = set(words)
    if not words or len(words) > MOST_WORDS or said - WHOLE - DONE - SMALL:
        return ""
    if said & DONE and "how" in said:
        return "use"
    return "whole" if said & WHOLE else ""


def pages(paths: Collection[str], task: str) -> tuple[str, ...]:
    """The paths that answer such a question, best first; none where it is no such question."""
    kind = about(task)
    if not kind:
        return ()
    wanted = (README, TAKING_PART, RECIPES, MANIFEST) if kind == "use" else (README, MAP, INDEX, MANIFEST)
    found = (sorted(path for path in paths if one.fullmatch(path)) for one in wanted)
    return tuple(path for some in found for path in some[:2])


def beginning(number: int, path: str, text: str, room: int) -> ShownFile | None:
    """A page from its first line on, as much of it as ``room`` tokens hold; None where that says too little."""
    lines = text.split("\n")
    costs, left, count = estimate(lines), room - header(path) - MARKER, 0
    while count < len(lines) and costs[count] <= left:
        left -= costs[count]
        count += 1
    if count < min(len(lines), FEWEST_LINES):
        return None
    return in_lines(number, path, lines, costs, range(1, count + 1))
