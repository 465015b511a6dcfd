"""The first thing that went wrong in a command's output: its class, its words, and where it points."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

MESSAGE_CHARS = 200
LINE_CHARS = 2_000

_PATH = r"(?P<file>(?:[A-Za-z]:)?[^\s:()'\"<>|]+\.\w+)"
_TASK = re.compile(r"^\[(?:lint|test|build|fmt|check|typecheck|vet)\] ")
"""What task runners put before each line."""
_NEAR = 12
"""Lines around an error in which its place is looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as its program told it; ``message`` has at most 200 characters, ``line`` 0 means unknown."""

    kind: str
    message: str
    file: str = ""
    line: int = 0


def read_fault(text: str, root: str = "", *, failed: bool = True) -> Fault | None:
    """The error that an output tells of, or None; files below ``root`` are named relative to it.

    Where nobody knows that the program ``failed``, loose words about errors are not taken for one.
    """
    lines = [_TASK.sub("", line[:LINE_CHARS].rstrip()) for line in text.split("\n")]
    readers = (*READERS, _loud) if failed else READERS
    fault = next((found for read in readers if (found := read(lines)) is not None), None)
    if fault is None:
        return None
    message = " ".join("".join(c if c.isprintable() else " " for c in fault.message).split())
    kind = fault.kind if " " in fault.kind else fault.kind.rpartition(".")[2]
    return Fault(kind[:80], message[:MESSAGE_CHARS], _relative(fault.file, root), fault.line)


def _relative(file: str, root: str) -> str:
    return (file.removeprefix(root.rstrip("/") + "/") if root else file).removeprefix("./")


_PYTEST_E = re.compile(r"^E\s{3,}(?P<message>\S.*)$")
_PYTEST_AT = re.compile(rf"^{_PATH}:(?P<line>\d+): (?P<kind>\w[\w.]*)?$")
_PYTEST_IN = re.compile(rf"^(?:{_PATH}:(?P<line>\d+): in |file (?P<other>.+), line (?P<number>\d+)$)")
_PYTEST_SHORT = re.compile(r"^(?:FAILED|ERROR) (?P<file>[^\s:]+)\S* - (?P<kind>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_RAISED = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<message>.*))?$")


def _pytest(lines: list[str]) -> Fault | None:
    """The first ``E`` line and the place told in the same section, else the first line of the short summary."""
    at = next((i for i, line in enumerate(lines) if _PYTEST_E.match(line)), None)
    if at is None:
        short = next((found for line in lines if (found := _PYTEST_SHORT.match(line))), None)
        return Fault(short["kind"], short["message"] or "", short["file"]) if short else None
    message = lines[at].removeprefix("E").strip()
    file, line, kind = _pytest_place(lines, at)
    raised = _RAISED.match(message)
    if raised and (raised["message"] is not None or raised["kind"].endswith(("Error", "Exception"))):
        return Fault(raised["kind"], raised["message"] or "", file, line)
    if message.startswith("fixture "):
        return Fault("FixtureLookupError", message, file, line)
    return Fault(kind or "AssertionError", message, file, line)


def _pytest_place(lines: list[str], at: int) -> tuple[str, int, str]:
    """File, line and kind: those after the words in long tracebacks, the last ones before them in short ones."""
    edge = ("____", "====", "!!!!")
    for later in takewhile(lambda line: not line.startswith(edge), lines[at:]):
        if found := _PYTEST_AT.match(later):
            return found["file"], int(found["line"]), found["kind"] or ""
    for earlier in takewhile(lambda line: not line.startswith(edge), reversed(lines[:at])):
        if found := _PYTEST_IN.match(earlier):
            return found["file"] or found["other"], int(found["line"] or found["number"]), ""
    return "", 0, ""


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


def _jest(lines: list[str]) -> Fault | None:
    """The first failing test is headed by a bullet; what was wrong stands below it, and then the place."""
    at = next((i for i, line in enumerate(lines) if line.startswith("  ● ") and "Console" not in line), None)
    if at is None:
        return None
    spot = re.compile(rf"^\s+at .*?{_PATH}:(?P<line>\d+):\d+")
    place = next((m for line in lines[at : at + 60] if (m := spot.match(line))), None)
    said = next((line.strip() for line in lines[at + 1 :] if line.strip()), "")
    raised = _RAISED.match(said)
    kind, message = (raised["kind"], raised["message"]) if raised and raised["message"] else ("AssertionError", said)
    return Fault(kind, message, place["file"] if place else "", int(place["line"]) if place else 0)


def _tap(lines: list[str]) -> Fault | None:
    """What node --test says when its output is no terminal: a YAML block below the first test that is not ok."""
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("not ok ")), None)
    if at is None:
        return None
    block = list(takewhile(lambda line: line.strip() != "...", lines[at + 1 : at + 60]))
    field = {
        key: value.strip("'\"|- ")
        for line in block
        if (key := line.strip().partition(": ")[0])
        for value in [line.partition(": ")[2]]
    }
    spot = re.compile(rf"file://{_PATH}:(?P<line>\d+):\d+")
    place = next((m for line in block if (m := spot.search(line))), None)
    if not field.get("error"):
        return None
    return Fault(
        field.get("name") or "FAIL", field["error"], place["file"] if place else "", int(place["line"]) if place else 0
    )


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


_LOUD = re.compile(
    r"\b(?:error|errors|exception|failed|failure|fatal|cannot|could not|can't|invalid|unexpected|unknown|missing|denied"
    r"|refused|unable to|no such|not found|not recognized|timed out)\b",
    re.IGNORECASE,
)
_FINE = re.compile(r"\b(?:0|no) (?:errors?|failures?|failed)\b|\bpassed\b", re.IGNORECASE)


def _loud(lines: list[str]) -> Fault | None:
    """The last resort: the first line that speaks of something wrong in words."""
    said = next((line for line in lines if _LOUD.search(line) and not _FINE.search(line)), "")
    return Fault("error", said.strip()) if said else None


READERS: tuple[Callable[[list[str]], Fault | None], ...] = (
    _pytest,
    _traceback,
    _go_test,
    _panic,
    _jest,
    _tap,
    _placed(
        r"^\s*(?P<kind>(?:[a-z]\w*\.)+[A-Z]\w*(?:Error|Exception)): (?P<message>.+)$",
        r"^\s*at (?!(?:app//)?(?:org\.junit|org\.opentest4j|java|jdk|sun)\.)\S+\((?P<file>\w+\.\w+):(?P<line>\d+)\)",
        "error",
    ),
    _by_line(rf"^{_PATH}[(:](?P<line>\d+)[,:]\d+\)?(?::| -) error (?P<kind>TS\d+): (?P<message>.+)$"),
    _placed(r"^error(?:\[(?P<kind>E\d+)\])?: (?P<message>.+)$", rf"^\s*--> {_PATH}:(?P<line>\d+)", "error"),
    _by_line(rf"^{_PATH}:(?P<line>\d+):(?:\d+:)? error: (?P<message>.+?)(?:  \[(?P<rule>[\w-]+)\])?$"),
    _by_line(rf"^(?:\[ERROR\] ){_PATH}:\[(?P<line>\d+),\d+\] (?P<message>.+)$"),
    _by_line(rf"^{_PATH}:(?P<line>\d+):\d+: (?P<kind>[A-Z]+\d+) (?:\[\*\] )?(?P<message>.+)$"),
    _placed(r"^(?P<kind>[A-Z]+\d+) (?:\[\*\] )?(?P<message>.+)$", rf"^\s*--> {_PATH}:(?P<line>\d+)", "error"),
    _eslint,
    _by_line(rf"^{_PATH}:(?P<line>\d+):\d+: (?P<message>.+)$"),
    _placed(
        r"^\s*(?:Uncaught )?(?P<kind>(?:[A-Z]\w*)?(?:Error|Exception))(?: \[\w+\])?: (?P<message>.+)$",
        rf"(?:at .*\(|at |❯ )(?:file://)?{_PATH}:(?P<line>\d+):\d+",
        "Error",
    ),
    _by_line(r"^\[ERROR\] (?P<message>.+)$"),
    _by_line(r"^(?P<message>.*: (?P<kind>command not found|not found))$"),
    _by_line(r"^\S*python[\d.]*(?:\.exe)?: (?P<message>(?P<kind>No module named) \S+)$"),
    _by_line(r"^(?P<kind>git): (?P<message>'[^']+' is not a git command)\b"),
    _by_line(r"^(?P<message>.*(?P<kind>No such file or directory|Permission denied).*)$"),
    _by_line(r"^(?P<kind>fatal|npm ERR!|npm error|ERROR|error|Error|FAILED|FAILURE|panic):? (?P<message>.+)$"),
    _by_line(
        r"^(?P<kind>make)(?:\[\d+\])?: \*\*\* \[(?P<file>[^:\]]+):(?P<line>\d+): (?P<message>[^\]]+\] Error \d+)$"
    ),
    _by_line(r"^(?P<kind>make)(?:\[\d+\])?: \*\*\* (?P<message>.+)$"),
    _by_line(rf"^{_PATH}:(?P<line>\d+)(?::\d+)? error (?P<rule>\S+) (?P<message>.+)$"),
    _by_line(r"^(?:\S*/)?(?P<kind>(?:ba|da|z|k|fi)?sh): (?:line \d+: )?(?P<message>.+)$"),
    _by_line(r"^\((?P<kind>eval)\):\d+: (?P<message>.+)$"),
    _by_line(r"^(?P<kind>[\w.-]+): (?:fatal |error[: (])(?P<message>.+)$"),
)
