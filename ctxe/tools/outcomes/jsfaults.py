"""Reading the first error in the output of JavaScript runners: jest, node, bun, npm."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import EXCEPTION, PATH, Fault, first, place_of

_AT = re.compile(rf"^\s+at .*?{PATH}:(?P<line>\d+):\d+")
_SPOT = re.compile(rf"(?:file://|[('])?{PATH}:(?P<line>\d+):\d+")
_BUN_BAD = re.compile(r"^(?:\(fail\)|✗) ")
_BUN_END = re.compile(r"^\s+\d+ fail$|^bun test v\d")
_NPM = re.compile(r"^npm (?:ERR!|error) ?(?P<said>.*)$")
_NPM_ASIDE = re.compile(
    r"(?:code|errno|syscall|path|cwd|command|signal|workspace|location|dest|A complete log|Lifecycle)\b|$"
)


def jest(lines: list[str]) -> Fault | None:
    """jest: the first failing test has a bullet, with the error and then its place below."""
    at = next((i for i, line in enumerate(lines) if line.startswith("  ● ") and "Console" not in line), None)
    if at is None:
        return None
    said = next((line.strip() for line in lines[at + 1 :] if line.strip()), "")
    raised = EXCEPTION.match(said)
    kind, message = (raised["kind"], raised["message"]) if raised and raised["message"] else ("AssertionError", said)
    if "failed to run" in lines[at] and kind == "AssertionError":
        kind = "Error"
    return Fault(kind, message, *_own_frame(lines[at : at + 60]))


def _own_frame(lines: list[str]) -> tuple[str, int]:
    """The place of the first stack frame outside node_modules."""
    frames = (found for line in lines if (found := _AT.match(line)))
    return place_of(next((found for found in frames if "node_modules" not in found["file"]), None))


def tap(lines: list[str]) -> Fault | None:
    """Node --test without a terminal: a YAML block below the first test that is not ok."""
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("not ok ")), None)
    if at is None:
        return None
    block = list(takewhile(lambda line: line.strip() != "...", lines[at + 1 : at + 60]))
    field = _fields(block)
    stack = next((i for i, line in enumerate(block) if line.lstrip().startswith("stack:")), 0)
    if not field.get("error"):
        return None
    place = first(_SPOT.search, [*block[stack:], *block])
    if field["error"] == "test failed" and (said := _above(lines[:at])):
        return Fault(said["kind"], said["message"] or "", place_of(place)[0])
    return Fault(field.get("name") or field.get("code") or "FAIL", field["error"], *place_of(place))


def _above(lines: list[str]) -> re.Match[str] | None:
    """The error that ended a whole file: its own output, which stands as remarks above."""
    said = (EXCEPTION.match(line[2:]) for line in lines if line.startswith("# "))
    return next((found for found in said if found and found["message"] and found["kind"].endswith("Error")), None)


def _fields(block: list[str]) -> dict[str, str]:
    """The fields of a YAML block; a multi-line text (``|-``) as one line."""
    field: dict[str, str] = {}
    for i, line in enumerate(block):
        key, _, value = line.strip().partition(": ")
        if value.strip() in ("|", "|-", ">", ">-"):
            value = " ".join(_below(block[i:]))
        field.setdefault(key, _unquoted(value.strip("|- ")))
    return field


def _unquoted(value: str) -> str:
    """The text of a YAML scalar, without the quotes around all of it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _below(rows: list[str]) -> list[str]:
    """The lines that are indented deeper than the first one, up to one that is not."""
    deep = len(rows[0]) - len(rows[0].lstrip())
    more = takewhile(lambda row: not row.strip() or len(row) - len(row.lstrip()) > deep, rows[1:])
    return [row.strip() for row in more if row.strip()]


def bun(lines: list[str]) -> Fault | None:
    """bun: the last error above the first failed test; output of the tests themselves is above that of the runner."""
    at = next((i for i, line in enumerate(lines) if _BUN_BAD.match(line)), None)
    if at is None or not any(map(_BUN_END.match, lines)):
        return None
    heads = (i for i in reversed(range(at)) if lines[i].startswith("error: ") or _thrown(lines[i]))
    head = next(heads, None)
    if head is None:
        return None
    raised = EXCEPTION.match(lines[head])
    kind, said = (raised["kind"], raised["message"]) if raised else ("error", lines[head].removeprefix("error: "))
    kind = "AssertionError" if said.startswith("expect(") else kind
    return Fault(kind, said, *_own_frame(lines[head:at]))


def _thrown(line: str) -> bool:
    raised = EXCEPTION.match(line)
    return bool(raised and raised["message"] and raised["kind"].endswith(("Error", "Exception")))


def npm(lines: list[str]) -> Fault | None:
    """npm: its error code, and the first line that is not a detail."""
    said = [found["said"] for line in lines if (found := _NPM.match(line))]
    if not said:
        return None
    code = next((line.removeprefix("code ") for line in said if line.startswith("code ")), "")
    words = next((line for line in said if not _NPM_ASIDE.match(line)), "")
    head, _, rest = words.partition(" ")
    words = rest if rest and head.lower() in (code.lower(), code.lower()[1:], "notarget") else words
    kind = code if code[:1] == "E" else "npm error"
    return Fault(kind, words or f"code {code}") if words or code else None
