"""Reading the first error in the output of Ruby: RSpec, minitest, rake, the interpreter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

from ctxe.tools.outcomes.fault import PATH, RAISED, Fault, first, place_of

_EXAMPLE_AT = re.compile(rf"^\s*# {PATH}:(?P<line>\d+)")
_CLASS = re.compile(r"^(?P<kind>[A-Z]\w*(?:::\w+)*):$")
_ASIDE = re.compile(r"^(?:Diff:|Shared Example Group:|\(compared using|# )")
_NUMBERED = re.compile(r"^\s*\d+\) (?P<kind>Failure|Error):$")
_BARE = re.compile(r"^(?P<kind>Failure|Error):$")
_TITLE = re.compile(rf"^(?P<id>\S+?|\S+#.+?)(?: \[{PATH}:(?P<line>\d+)\])?:?$")
_FRAME = re.compile(rf"^\s*(?:from )?{PATH}:(?P<line>\d+):in ")
_RAISED = re.compile(r"^(?P<place>\S+:\d+|<internal:\S+):in [`'].*?': (?P<message>.+) \((?P<kind>[A-Z][\w:]*)\)$")
_UNPARSED = re.compile(rf"^{PATH}:(?P<line>\d+): (?P<message>.+) \((?P<kind>SyntaxError)\)$")
_POINTED = re.compile(r"^\s*\|\s+\^[\^~]* (?P<message>.+)$")


def rspec(lines: list[str]) -> Fault | None:
    """RSpec: the code of the failed example, with the error and then its place below."""
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("Failure/Error:")), None)
    if at is None:
        return None
    rows = list(takewhile(lambda line: not _EXAMPLE_AT.match(line), lines[at + 1 : at + 60]))
    code = lines[at].partition("Failure/Error:")[2].strip()
    if not code:
        rows = rows[next((i for i, line in enumerate(rows) if not line), 0) :]
    said = _paragraph(rows) or [code]
    spots = [found for line in lines[at : at + 60] if (found := _EXAMPLE_AT.match(line))]
    spot = next((found for found in spots if found["file"].startswith("./")), spots[0] if spots else None)
    if (raised := _CLASS.match(said[0])) and len(said) > 1:
        return Fault(raised["kind"], " ".join(said[1:]), *place_of(spot))
    return Fault("ExpectationNotMetError", " ".join(said), *place_of(spot))


def _paragraph(rows: list[str]) -> list[str]:
    """The first paragraph, without RSpec's own remarks."""
    start = next((i for i, row in enumerate(rows) if row), len(rows))
    return list(takewhile(lambda row: row and not _ASIDE.match(row), (row.strip() for row in rows[start:])))


def titled(lines: list[str]) -> Fault | None:
    """Minitest and libgit2's clar: a failure (numbered, but in Rails) with its name, often its place, and the error."""
    at = next((i for i, line in enumerate(lines[:-1]) if _heads(line, lines[i + 1])), None)
    if at is None or not (title := _TITLE.match(lines[at + 1])):
        return None
    said = [line.strip() for line in takewhile(str.strip, lines[at + 2 : at + 5])]
    raised = RAISED.match(said[0].replace("::", ".")) if said and "Error:" in lines[at] else None
    spot = title if title["file"] else first(_FRAME.match, lines[at : at + 12])
    if raised and raised["message"]:
        return Fault(raised["kind"], said[0].partition(": ")[2], *place_of(spot))
    return Fault("AssertionError", " ".join(said), *place_of(spot))


def titles(lines: Sequence[str]) -> Iterable[str]:
    """The names of all tests that failed, as minitest and clar print them."""
    for line, below in pairwise(line[:2000] for line in lines):
        if _heads(line, below) and (title := _TITLE.match(below)):
            yield title["id"]


def _heads(line: str, below: str) -> bool:
    return bool(_NUMBERED.match(line) or (_BARE.match(line) and "#" in below and _TITLE.match(below)))


def raised(lines: list[str]) -> Fault | None:
    """An uncaught exception with the first frame of the project, or a syntax error."""
    for i, line in enumerate(lines):
        if found := _RAISED.match(line):
            return Fault(found["kind"], found["message"], *_own_place(lines[i : i + 40]))
        if found := _UNPARSED.match(line):
            pointed = first(_POINTED.match, lines[i : i + 30]) or found
            return Fault(found["kind"], pointed["message"], *place_of(found))
    return None


def rake(lines: list[str]) -> Fault | None:
    """rake: the last cause it names, else its first message."""
    at = next((i for i, line in enumerate(lines) if line == "rake aborted!"), None)
    if at is None:
        return None
    causes = [i for i, line in enumerate(lines) if i > at and line.startswith("Caused by:")]
    start = (causes[-1] if causes else at) + 1
    said = next((line for line in lines[start:] if line.strip()), "")
    found = re.match(r"(?P<kind>[A-Z]\w*(?:::\w+)*): (?P<message>.+?)(?: \((?P=kind)\))?$", said)
    kind, words = (found["kind"], found["message"]) if found else ("rake", said)
    return Fault(kind, words, *_own_place(lines[start : start + 12]))


def _own_place(lines: list[str]) -> tuple[str, int]:
    return place_of(first(_FRAME.match, (line for line in lines if "/gems/" not in line)))
