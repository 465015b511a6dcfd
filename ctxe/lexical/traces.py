"""Parses stack traces and error lines of the common languages, compilers and test runners."""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass

LONGEST_LINE = 2000
"""Characters of a line that are read: what follows is minified or encoded."""


@dataclass(frozen=True, slots=True)
class TraceLocation:
    """A path as written, its line (0: not given) and the function of a trace frame ("" elsewhere)."""

    path: str
    line: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class PrintedError:
    """An error as printed: its class or code (``ValueError``, ``E0308``; "" for none) and its message."""

    kind: str
    message: str


_FRAME_HINT = pattern(r'File "|\bat |:\d+|\(\d+[,)]|-->')
_LINE = r":(?P<line>\d+)"
_FRAME_FORMS = (
    # Python; Java and its kin; .NET; JavaScript; PHP; gdb and the sanitizers; Ruby; Rust; compilers, Go, Elixir
    r'\s*File "(?P<path>[^"]{1,400})", line (?P<line>\d+)(?:, in (?P<name>.{1,200}))?',
    r"\s*at (?P<name>[\w.$<>/@-]{1,300})\((?P<java>[\w$-]+\.(?:java|kt|kts|scala|groovy|clj))(?:" + _LINE + r")?\)",
    r"\s*at (?P<name>[^()]{1,300})\(.{0,300}?\) in (?P<path>.{1,400}?):line (?P<line>\d+)",
    r"\s*at (?:async )?(?:(?P<name>[^()]{1,200}) \()?(?:file://)?(?P<path>(?:[A-Za-z]:)?[^\s():]{1,400})" + _LINE,
    r"\s*#\d+\s+(?P<path>[^\s():]{1,400})\((?P<line>\d+)\): (?P<name>[^(\s]{1,200})",
    r"\s*#\d+\s+(?:0x[0-9a-f]+ in )?(?P<name>[\w:~<>$.*&,]{1,200})(?: ?\(.{0,300}?\))? (?:at )?\(?"
    r"(?P<path>[^\s():]{1,400})" + _LINE,
    r"\s*(?:\d+: )?(?:from )?(?P<path>[^\s:()]{1,400})" + _LINE + r":in [`'](?P<name>[^'`]{1,200})'",
    r"(?:thread '[^']{0,80}'(?: \(\d+\))? )?panicked at (?:'.{0,300}', )?(?P<path>[^\s:']{1,400})" + _LINE,
    r"\s*--> (?P<path>[^\s:]{1,400})" + _LINE,
    r"\s*(?:\(\w+ [\w.-]+\) )?(?P<path>(?:[A-Za-z]:)?[^\s:()]{0,400}\.\w{1,12})[:(](?P<line>\d+)(?:[:,]\d+)?\)?"
    r"(?::|\s|$)",
)
_FRAMES = tuple(map(pattern, _FRAME_FORMS))
_ENDINGS = "Error|Exception|Warning|Failure|Fault|Interrupt|Exit|Timeout|Panic|Abort"
_KIND = rf"(?:[\w$]+(?:\.|::))*[A-Z]\w*(?:{_ENDINGS})"
_BEFORE = r"E\s+|Caused by:? |Uncaught |Unhandled |Exception in thread \"[^\"]{0,120}\" |Error: "
_FAULT_FORMS = (
    # a class and its message; a line of pytest's summary; compilers; tsc; a word and a message; shells; signals
    rf"\s*(?:{_BEFORE})*(?P<kind>{_KIND})(?: \[\w+\])?(?::\s*(?P<message>.*)|\s*$)",
    rf"(?:FAILED|ERROR) \S+ - (?P<kind>{_KIND})(?::\s*(?P<message>.*)|$)",
    r"(?:\S+[:)] )?(?:fatal )?error(?:\[(?P<kind>\w+)\])?: (?P<message>.+)",
    r"\S+: error (?P<kind>[A-Z]+\d+): (?P<message>.+)",
    r"(?P<kind>panic|fatal error|fatal|ERROR|Error|npm ERR!|make(?:\[\d+\])?: \*\*\*)[: ]\s*(?P<message>.+)",
    r"(?P<message>\S+: (?:.{1,120}: )?(?:command not found|No such file or directory|Permission denied).*)",
    r"\s*(?P<kind>Segmentation fault|Aborted|Killed|Bus error)\b(?P<message>.*)",
)
_FAULTS = tuple(map(pattern, _FAULT_FORMS))
_FAULT_HINT = pattern(rf"{_ENDINGS}|[Ff]ault|Aborted|[Pp]anic|error|fatal|ERR|\*\*\*|not found|No such|denied|Killed")


def capped_lines(text: str) -> Iterator[str]:
    """Lines of a text, each cut to LONGEST_LINE characters."""
    for line in text.splitlines():
        yield line[:LONGEST_LINE]


def _java_path(name: str, file: str) -> str:
    """The path of a Java class from its full name: ``a.b.Widget.draw`` and ``Widget.java`` give ``a/b/Widget.java``."""
    folders = name.rpartition("/")[2].split(".")[:-2]
    return "/".join((*folders, file))


def frame_in(line: str) -> TraceLocation | None:
    """The location in one line of a trace or of a compiler's report, or None."""
    if not _FRAME_HINT.search(line):
        return None
    for shape in _FRAMES:
        found = shape.match(line)
        if found:
            named = found.groupdict()
            name = (named.get("name") or "").strip()
            path = _java_path(name, named["java"]) if named.get("java") else named["path"]
            return TraceLocation(path, int(named.get("line") or 0), name)
    return None


def frames_in(text: str) -> list[TraceLocation]:
    """Every trace frame and compiler position in order, repeats included."""
    return [place for place in map(frame_in, capped_lines(text)) if place]


def error_in(line: str) -> PrintedError | None:
    """The error that a line reports, or None. ``E   ValueError: no`` is ``PrintedError("ValueError", "no")``."""
    if not _FAULT_HINT.search(line):
        return None
    for shape in _FAULTS:
        found = shape.match(line)
        if found:
            named = found.groupdict()
            return PrintedError((named.get("kind") or "").strip(), (named.get("message") or "").strip())
    return None


def errors_in(text: str) -> list[PrintedError]:
    """Every error line in order, each once."""
    return list(dict.fromkeys(found for found in map(error_in, capped_lines(text)) if found))
