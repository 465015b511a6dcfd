"""Reading the first error in a command's output: its class, its message and its place."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes import cppfaults, javafaults, rubyfaults, rustfaults
from ctxe.tools.outcomes.fault import EXCEPTION, PATH, Fault, Reader, by_line, first, place_of, placed
from ctxe.tools.outcomes.gofaults import go_panic, go_test
from ctxe.tools.outcomes.jsfaults import bun, jest, npm, tap
from ctxe.tools.outcomes.rubyphp import phpunit

MESSAGE_CHARS = 200
LINE_CHARS = 2_000

_TASK = re.compile(r"^(?:\[(?:lint|test|build|fmt|check|typecheck|vet)(?::[\w.:-]+)?\]|[│╷╵]) |^::error [^:]*::")
"""Prefixes that task runners put before each line."""


def read_fault(text: str, root: str = "", *, failed: bool = True) -> Fault | None:
    """The first error in an output, or None; a file below ``root`` is named relative to it.

    Unless the program is known to have ``failed``, a line that merely mentions an error does not count.
    """
    lines = [_TASK.sub("", line[:LINE_CHARS].rstrip()) for line in text.split("\n")]
    readers = (*READERS, _loud) if failed else READERS
    fault = next((first_fault for read in readers if (first_fault := read(lines)) is not None), None)
    if fault is None:
        return None
    message = " ".join("".join(c if c.isprintable() else " " for c in fault.message).split())
    kind = fault.kind if " " in fault.kind else fault.kind.removesuffix(".py").rpartition(".")[2]
    return Fault(kind[:80], message[:MESSAGE_CHARS], _relative(fault.file, root), fault.line)


def _relative(file: str, root: str) -> str:
    return (file.removeprefix(root.rstrip("/") + "/") if root else file).removeprefix("./")


_PYTEST_E = re.compile(r"^E\s{3,}(?!\[ *\d+%\]$)(?P<message>\S.*)$")
_PYTEST_AT = re.compile(rf"^{PATH}:(?P<line>\d+): (?P<kind>\w[\w.]*)?$")
_PYTEST_IN = re.compile(rf"^(?:{PATH}:(?P<line>\d+): in |file (?P<other>.+), line (?P<number>\d+)$)")
_PYTEST_SHORT = re.compile(
    r"^(?:FAILED|ERROR|SUBFAIL\S*) (?P<file>[^\s:]+)(?:::[^\s\[]+)*(?:\[.*?\](?= - ))? - "
    r"(?:\[.*?\](?: \(.*?\))? - )?(?:(?P<kind>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?|(?P<bare>.+))$"
)


def _pytest(lines: list[str]) -> Fault | None:
    """The first ``E`` line with the place named in its section, else the first line of the short summary."""
    at = next((i for i, line in enumerate(lines) if _PYTEST_E.match(line)), None)
    if at is None:
        short = first(_PYTEST_SHORT.match, lines)
        if short is None:
            return None
        kind = short["kind"] or ("AssertionError" if short["bare"].startswith("assert ") else "FAILED")
        return Fault(kind, short["message"] or short["bare"] or "", short["file"])
    if syntax := _syntax([line.removeprefix("E").strip() for line in takewhile(_PYTEST_E.match, lines[at:])]):
        return syntax
    message = lines[at].removeprefix("E").strip()
    file, line, kind = _pytest_place(lines, at)
    raised = EXCEPTION.match(message)
    if raised and (raised["message"] is not None or raised["kind"].endswith(("Error", "Exception"))):
        return Fault(raised["kind"], raised["message"] or "", file, line)
    if message.startswith("fixture "):
        return Fault("FixtureLookupError", message, file, line)
    return Fault(kind or "AssertionError", message, file, line)


def _pytest_place(lines: list[str], at: int) -> tuple[str, int, str]:
    """(file, line, kind) after the message, as in long tracebacks, or else the last before it, as in short ones."""
    edge = ("____", "====", "!!!!")
    for later in takewhile(lambda line: not line.startswith(edge), lines[at:]):
        if found := _PYTEST_AT.match(later):
            return found["file"], int(found["line"]), found["kind"] or ""
    for earlier in takewhile(lambda line: not line.startswith(edge), reversed(lines[:at])):
        if found := _PYTEST_IN.match(earlier):
            return found["file"] or found["other"], int(found["line"] or found["number"]), ""
    return "", 0, ""


_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_FOREIGN = ("site-packages", "/lib/python3", "<frozen", "<string>", "<stdin>", "/dist-packages/")


def _traceback(lines: list[str]) -> Fault | None:
    """The last Python traceback (the first for unittest): its exception, and the innermost frame of the project."""
    starts = [i for i, line in enumerate(lines) if line.lstrip().startswith("Traceback (most recent call last)")]
    if not starts:
        return _syntax(lines)
    tests = any(line.startswith("Ran ") for line in lines)
    start = starts[0] if tests else starts[-1]
    frames: list[re.Match[str]] = []
    for line in lines[start + 1 :]:
        if frame := _FRAME.match(line):
            frames.append(frame)
        elif frames and (raised := EXCEPTION.match(line)):
            own = [match for match in frames if not any(place in match["file"] for place in _FOREIGN)] or frames
            return Fault(raised["kind"], raised["message"] or "", *place_of(own[-1]))
    return None


def _syntax(lines: list[str]) -> Fault | None:
    """A syntax error, which Python prints with a frame but no traceback."""
    for i, line in enumerate(lines):
        if frame := _FRAME.match(line):
            for later in lines[i + 1 : i + 6]:
                if (raised := EXCEPTION.match(later)) and raised["kind"].endswith("Error"):
                    return Fault(raised["kind"], raised["message"] or "", *place_of(frame))
    return None


def _eslint(lines: list[str]) -> Fault | None:
    """ESLint: a file name on a line of its own, then indented findings."""
    item = re.compile(r"^\s+(?P<line>\d+):\d+\s+error\s+(?P<message>.+?)(?:\s{2,}(?P<rule>[\w@/-]+))?$")
    file = ""
    for line in lines:
        if line and not line[0].isspace():
            file = line
        elif found := item.match(line):
            return Fault(found["rule"] or "error", found["message"], file, int(found["line"]))
    return None


_LOUD = re.compile(
    r"\b(?:error|errors|exception|failed|failure|fatal|cannot|could not|can't|invalid|unexpected|unknown|missing|denied"
    r"|refused|unable to|no such|not found|not recognized|timed out)\b",
    re.IGNORECASE,
)
_FINE = re.compile(r"\b(?:0|no) (?:errors?|failures?|failed)\b|\b(?:errors|failures): 0\b|\bpassed\b", re.IGNORECASE)
_DATA = re.compile(r"\s*[\[{\"]")


def _loud(lines: list[str]) -> Fault | None:
    """The last resort: the first line with a word like "error"."""
    said = next((line for line in lines if _LOUD.search(line) and not (_FINE.search(line) or _DATA.match(line))), "")
    return Fault("error", said.strip()) if said else None


READERS: tuple[Reader, ...] = (
    _pytest,
    _traceback,
    go_panic,
    go_test,
    rustfaults.panic,
    bun,
    jest,
    tap,
    rubyfaults.rspec,
    phpunit,
    cppfaults.gtest,
    cppfaults.catch,
    cppfaults.checked,
    rubyfaults.titled,
    cppfaults.aborted,
    cppfaults.memcheck,
    javafaults.surefire,
    javafaults.thrown,
    javafaults.symbol,
    rubyfaults.raised,
    rubyfaults.rake,
    cppfaults.cmake,
    by_line(
        rf"^{PATH}[(:](?P<line>\d+)[,:]\d+\)?(?::| -) error (?P<kind>[A-Z]+\d+): (?P<message>.+?)(?: \[\S+proj\])?$"
    ),
    by_line(
        rf"^{PATH}:(?P<line>\d+):(?:\d+:)? error(?:\[(?P<kind>E\d+)\])?: (?P<message>.+?)(?:  \[(?P<rule>[\w-]+)\])?$"
    ),
    placed(r"^error(?:\[(?P<kind>E\d+)\])?: (?!script \")(?P<message>.+)$", rf"^\s*--> {PATH}:(?P<line>\d+)", "error"),
    by_line(rf"^(?:\[ERROR\] ){PATH}:\[(?P<line>\d+),\d+\] (?P<message>.+)$"),
    by_line(rf"^{PATH}:(?P<line>\d+):\d+: (?P<kind>[A-Z]+\d+) (?:\[\*\] )?(?P<message>.+)$"),
    placed(
        r"^(?P<kind>[A-Z]+\d+|invalid-syntax|unformatted):? (?:\[\*\] )?(?P<message>.+)$",
        rf"^\s*--> {PATH}:(?P<line>\d+)",
        "error",
    ),
    by_line(rf"^\s*{PATH}:(?P<line>\d+):\d+ - error: (?P<message>.+?)(?: \((?P<rule>report\w+)\))?$"),
    by_line(rf"^e: (?:file://)?{PATH}:(?P<line>\d+):\d+:? (?P<message>.+)$"),
    _eslint,
    by_line(rf"^{PATH}:(?P<line>\d+):\d+: [CWEFRI]: (?:\[Correctable\] )?(?P<kind>[A-Z]\w*/\w+): (?P<message>.+)$"),
    by_line(rf"^{PATH}:(?P<line>\d+):\d+: (?P<message>.+)$"),
    placed(
        r"^\s*(?:Uncaught )?(?P<kind>(?:[A-Z]\w*)?(?:Error|Exception))(?: \[\w+\])?: (?P<message>.+)$",
        rf"(?:(?:at .*\(|at |❯ )(?:file://)?|^\s+on ){PATH}(?::| line )(?P<line>\d+)(?::\d+|, in )",
        "Error",
    ),
    by_line(r"^\[ERROR\]\s{3,}(?:[\w$]+\.)+[\w$]+:\d+(?:->\S+)? (?P<message>.+)$"),
    by_line(r"^\[ERROR\] (?:Failed to execute goal \S+ \(.*?\) on project \S+: )?(?P<message>.+)$"),
    by_line(r"^(?P<message>.*(?::|line \d+:) (?P<kind>command not found|not found))$"),
    by_line(r"^(?P<message>\S+ (?P<kind>command not found): \S+)$"),
    by_line(r"(?P<message>(?P<kind>undefined reference) to .+)$"),
    by_line(
        r"^(?:\S*/)?(?:__main__|(?P<kind>[\w-]+))(?:\.py)?: error: "
        r"(?P<message>(?:unrecognized|the following|argument|invalid).+)$"
    ),
    by_line(rf"^(?P<message>[Ww]ould reformat):? {PATH}$"),
    by_line(r"^(?P<message>No (?:tests found|files matching)\b.*)$"),
    npm,
    by_line(r"^\S*python[\d.]*(?:\.exe)?: (?P<message>(?P<kind>No module named) \S+)$"),
    by_line(r"^(?P<kind>git): (?P<message>'[^']+' is not a git command)\b"),
    by_line(r"^(?P<message>.*(?P<kind>No such file or directory|Permission denied).*)$"),
    javafaults.gradle,
    by_line(r"^(?P<kind>fatal|ERROR|error|Error|FAILED|FAILURE|panic):? (?P<message>.+)$"),
    by_line(r"^(?P<kind>make)(?:\[\d+\])?: \*\*\* \[(?P<file>[^:\]]+):(?P<line>\d+): (?P<message>[^\]]+\] Error \d+)$"),
    by_line(r"^(?P<kind>make)(?:\[\d+\])?: \*\*\* (?P<message>.+)$"),
    by_line(rf"^{PATH}:(?P<line>\d+)(?::\d+)? error (?P<rule>\S+) (?P<message>.+)$"),
    by_line(r"^(?:\S*/)?(?P<kind>(?:ba|da|z|k|fi)?sh): (?:line \d+: )?(?P<message>.+)$"),
    cppfaults.ctest,
    rustfaults.unformatted,
    by_line(r"^\((?P<kind>eval)\):\d+: (?P<message>.+)$"),
    by_line(r"^(?P<kind>[\w.-]+): (?:fatal |error[: (])(?P<message>.+)$"),
)
