"""The first thing that went wrong in a command's output: its class, its words, and where it points."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MESSAGE_CHARS = 200
LINE_CHARS = 2_000

_PATH = r"(?P<file>(?:[A-Za-z]:)?[^\s:()'\"<>|]+\.\w+)"
_NEAR = 12
"""Lines around an error in which its place is looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as its program told it; ``message`` has at most 200 characters, ``line`` 0 means unknown."""

    kind: str
    message: str
    file: str = ""
    line: int = 0


def read_fault(text: str, root: str = "") -> Fault | None:
    """The error that an output tells of, or None; files below ``root`` are named relative to it."""
    lines = [line[:LINE_CHARS].rstrip() for line in text.split("\n")]
    fault = next((found for read in READERS if (found := read(lines)) is not None), None)
    if fault is None:
        return None
    message = " ".join("".join(c if c.isprintable() else " " for c in fault.message).split())
    return Fault(fault.kind[:80], message[:MESSAGE_CHARS], _relative(fault.file, root), fault.line)


def _relative(file: str, root: str) -> str:
    return file.removeprefix(root.rstrip("/") + "/") if root else file.removeprefix("./")


_PYTEST_E = re.compile(r"^E\s{3,}(?P<message>\S.*)$")
_PYTEST_AT = re.compile(rf"^{_PATH}:(?P<line>\d+): (?P<kind>\w[\w.]*)?$")
_PYTEST_SHORT = re.compile(r"^(?:FAILED|ERROR) (?P<file>[^\s:]+)\S* - (?P<kind>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_RAISED = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<message>.*))?$")


def _pytest(lines: list[str]) -> Fault | None:
    """The first ``E`` line and the place that follows it, else the first line of the short summary."""
    for i, line in enumerate(lines):
        if not (said := _PYTEST_E.match(line)):
            continue
        place = next((at for later in lines[i + 1 : i + 80] if (at := _PYTEST_AT.match(later))), None)
        raised = _RAISED.match(said["message"])
        kind = raised["kind"] if raised else (place and place["kind"]) or "AssertionError"
        message = (raised["message"] or "") if raised else said["message"]
        return Fault(kind, message, place["file"] if place else "", int(place["line"]) if place else 0)
    short = next((found for line in lines if (found := _PYTEST_SHORT.match(line))), None)
    return Fault(short["kind"], short["message"] or "", short["file"]) if short else None


_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_PLACES = ("site-packages", "/lib/python3", "<frozen", "<string>", "<stdin>", "/dist-packages/")


def _traceback(lines: list[str]) -> Fault | None:
    """The last Python traceback (for unittest the first): its exception, and the innermost frame of the project."""
    starts = [i for i, line in enumerate(lines) if line.lstrip().startswith("Traceback (most recent call last)")]
    if not starts:
        return _syntax(lines)
    tests = any(line.startswith("Ran ") for line in lines)
    start = starts[0] if tests else starts[-1]
    frames: list[re.Match[str]] = []
    for line in lines[start + 1 :]:
        if frame := _FRAME.match(line):
            frames.append(frame)
        elif frames and (raised := _RAISED.match(line)):
            own = [f for f in frames if not any(place in f["file"] for place in _PLACES)] or frames
            return Fault(raised["kind"], raised["message"] or "", own[-1]["file"], int(own[-1]["line"]))
    return None


def _syntax(lines: list[str]) -> Fault | None:
    """A file that Python could not even compile has a frame and no traceback."""
    for i, line in enumerate(lines):
        if frame := _FRAME.match(line):
            for later in lines[i + 1 : i + 6]:
                if (raised := _RAISED.match(later)) and raised["kind"].endswith("Error"):
                    return Fault(raised["kind"], raised["message"] or "", frame["file"], int(frame["line"]))
    return None


def _by_line(pattern: str) -> Callable[[list[str]], Fault | None]:
    """A reader of the first line that fits a pattern with the groups message, and maybe kind, file and line."""
    compiled = re.compile(pattern)

    def read(lines: list[str]) -> Fault | None:
        found = next((m for line in lines if (m := compiled.search(line))), None)
        return None if found is None else _from(found)

    return read


def _from(found: re.Match[str]) -> Fault:
    parts = found.groupdict()
    kind = parts.get("kind") or parts.get("rule") or "error"
    return Fault(kind, parts.get("message") or "", parts.get("file") or "", int(parts.get("line") or 0))


def _placed(head: str, place: str, kind: str) -> Callable[[list[str]], Fault | None]:
    """A reader of a headline whose place stands in a line near it (rustc, ruff, panics, node)."""
    headline, spot = re.compile(head), re.compile(place)

    def read(lines: list[str]) -> Fault | None:
        for i, line in enumerate(lines):
            if said := headline.search(line):
                at = next((m for near in lines[i : i + _NEAR] if (m := spot.search(near))), None)
                parts = said.groupdict()
                file, number = (at["file"], int(at["line"])) if at else ("", 0)
                return Fault(parts.get("kind") or kind, parts.get("message") or "", file, number)
        return None

    return read


def _eslint(lines: list[str]) -> Fault | None:
    """A file name on a line of its own, then indented findings."""
    item = re.compile(r"^\s+(?P<line>\d+):\d+\s+error\s+(?P<message>.+?)\s{2,}(?P<rule>[\w@/-]+)$")
    file = ""
    for line in lines:
        if line and not line[0].isspace():
            file = line
        elif found := item.match(line):
            return Fault(found["rule"], found["message"], file, int(found["line"]))
    return None


def _panic(lines: list[str]) -> Fault | None:
    """Rust puts the words after the place since 1.73 and before it until then."""
    new = re.compile(rf"panicked at {_PATH}:(?P<line>\d+):\d+:$")
    old = re.compile(rf"panicked at '(?P<message>.*)', {_PATH}:(?P<line>\d+)")
    for i, line in enumerate(lines):
        if found := new.search(line):
            return Fault("panic", lines[i + 1] if i + 1 < len(lines) else "", found["file"], int(found["line"]))
        if found := old.search(line):
            return Fault("panic", found["message"], found["file"], int(found["line"]))
    return None


def _go_test(lines: list[str]) -> Fault | None:
    failed = next((i for i, line in enumerate(lines) if line.lstrip().startswith("--- FAIL:")), None)
    said = re.compile(rf"^\s+{_PATH}:(?P<line>\d+): (?P<message>.+)$")
    near = [] if failed is None else [*lines[failed + 1 :], *lines[:failed]]
    found = next((m for line in near if (m := said.match(line))), None)
    return None if found is None else Fault("FAIL", found["message"], found["file"], int(found["line"]))


READERS: tuple[Callable[[list[str]], Fault | None], ...] = (
    _pytest,
    _traceback,
    _go_test,
    _panic,
    _by_line(rf"^{_PATH}[(:](?P<line>\d+)[,:]\d+\)?(?::| -) error (?P<kind>TS\d+): (?P<message>.+)$"),
    _placed(r"^error(?:\[(?P<kind>E\d+)\])?: (?P<message>.+)$", rf"^\s*--> {_PATH}:(?P<line>\d+)", "error"),
    _by_line(rf"^{_PATH}:(?P<line>\d+):(?:\d+:)? error: (?P<message>.+?)(?:  \[(?P<rule>[\w-]+)\])?$"),
    _by_line(rf"^(?:\[ERROR\] ){_PATH}:\[(?P<line>\d+),\d+\] (?P<message>.+)$"),
    _by_line(rf"^{_PATH}:(?P<line>\d+):\d+: (?P<kind>[A-Z]+\d+) (?:\[\*\] )?(?P<message>.+)$"),
    _placed(r"^(?P<kind>[A-Z]+\d+) (?:\[\*\] )?(?P<message>.+)$", rf"^\s*--> {_PATH}:(?P<line>\d+)", "error"),
    _eslint,
    _by_line(rf"^{_PATH}:(?P<line>\d+):\d+: (?P<message>.+)$"),
    _placed(
        r"^(?:Uncaught )?(?P<kind>[A-Z]\w*(?:Error|Exception))(?: \[\w+\])?: (?P<message>.+)$",
        rf"(?:at .*\(|at )(?:file://)?{_PATH}:(?P<line>\d+):\d+",
        "Error",
    ),
    _placed(r"^\s*● (?P<message>.+)$", rf"at .*?{_PATH}:(?P<line>\d+):\d+", "FAIL"),
    _by_line(r"^\[ERROR\] (?P<message>.+)$"),
    _by_line(r"(?P<message>[^:]*: (?P<kind>command not found|not found))$"),
    _by_line(r"(?P<message>.*(?P<kind>No such file or directory|Permission denied).*)$"),
    _by_line(r"^(?P<kind>fatal|npm ERR!|npm error|ERROR|error|Error|FAILED|FAILURE|panic):? (?P<message>.+)$"),
    _by_line(r"^make(?:\[\d+\])?: \*\*\* \[(?P<file>[^:\]]+):(?P<line>\d+): (?P<message>.+)$"),
    _by_line(r"^(?P<kind>make)(?:\[\d+\])?: \*\*\* (?P<message>.+)$"),
)
