"""What a test runner said: how many passed and which failed, read from its output whatever started it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

IDS = 100
"""Failing tests that are named; the count tells of the rest."""

ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of a test suite. ``failed`` names at most 100 tests; ``failures`` is how many failed or broke in all."""

    __test__ = False

    runner: str
    passed: int
    failures: int
    failed: tuple[str, ...] = ()
    skipped: int = 0


def read_tests(text: str) -> TestRun | None:
    """The test run that an output tells of, or None. Several summaries of one runner (packages, crates) are added."""
    lines = text.split("\n")
    return next((run for read in READERS if (run := read(lines)) is not None), None)


def _ids(found: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order, bounded."""
    names = dict.fromkeys(" ".join(name.split())[:ID_CHARS] for name in found)
    return tuple(names)[:IDS]


def _matches(pattern: re.Pattern[str], lines: Sequence[str]) -> list[re.Match[str]]:
    return [found for line in lines if len(line) <= 2000 and (found := pattern.search(line))]


def _number(found: re.Match[str], group: str) -> int:
    return int(found[group] or 0)


def _counts(line: str) -> dict[str, int]:
    """``1 failed, 2 passed`` or ``1 failed | 2 passed`` as a mapping from word to number."""
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", line)}


_PYTEST_END = re.compile(
    r"^(?:=+ )?(?P<counts>(?:\d+ (?:failed|passed|skipped|deselected|xfailed|xpassed|warnings?|errors?|rerun"
    r"|subtests (?:passed|failed))(?:, )?)+"
    r"|no tests ran)"
    r" in \d[\d.:]*s?(?: \([\d:]+\))?(?: =+)?\s*$"
)
_PYTEST_BAD = re.compile(r"^(?:FAILED|ERROR|SUBFAIL\S*) (?P<id>[^\s:]+(?:::[^\s\[]+)*(?:\[.*?\](?=$| - ))?)(?: - .*)?$")
_PYTEST_HEAD = re.compile(r"^_{3,} (?:ERROR (?:collecting|at (?:setup|teardown) of) )?(?P<name>\S.*?) _{3,}$")
_PYTEST_AT = re.compile(r"^(?P<file>[^\s:]+\.py):\d+:")


def _pytest(lines: Sequence[str]) -> TestRun | None:
    ends = _matches(_PYTEST_END, lines)
    if not ends:
        return None
    counts = _counts(ends[-1]["counts"])
    broken = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    failed = _ids(found["id"] for found in _matches(_PYTEST_BAD, lines)) if broken else ()
    failed = failed or (_ids(_pytest_heads(lines)) if broken else ())
    return TestRun("pytest", counts.get("passed", 0), broken, failed, counts.get("skipped", 0))


def _pytest_heads(lines: Sequence[str]) -> Iterable[str]:
    """Where there is no summary, the headlines of the failures, with the file that is named below them."""
    heads = [(i, found["name"]) for i, line in enumerate(lines) if (found := _PYTEST_HEAD.match(line[:2000]))]
    for (start, name), end in zip(heads, [*(i for i, _ in heads[1:]), len(lines)], strict=True):
        if name.endswith(".py"):
            yield name
        elif place := next((found for line in lines[start:end] if (found := _PYTEST_AT.match(line[:2000]))), None):
            yield f"{place['file']}::{name.replace('.', '::')}"


_UNITTEST_RAN = re.compile(r"^Ran (?P<n>\d+) tests? in ")
_UNITTEST_BAD = re.compile(r"^(?:FAIL|ERROR): (?P<name>\S+) \((?P<where>[\w.<>]+)[^)]*\)")
_UNITTEST_END = re.compile(r"^(?:FAILED|OK)(?: \((?P<counts>[^)]*)\))?\s*$")


def _unittest(lines: Sequence[str]) -> TestRun | None:
    ran, ends = _matches(_UNITTEST_RAN, lines), _matches(_UNITTEST_END, lines)
    if not ran or not ends:
        return None
    counts = {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", ends[-1]["counts"] or "")}
    broken = counts.get("failures", 0) + counts.get("errors", 0)
    skipped = counts.get("skipped", 0)
    names = (_dotted(found["where"], found["name"]) for found in _matches(_UNITTEST_BAD, lines))
    return TestRun("unittest", max(0, int(ran[-1]["n"]) - broken - skipped), broken, _ids(names), skipped)


def _dotted(where: str, name: str) -> str:
    """Python 3.11 and later put the method into the brackets as well."""
    where = where.removeprefix("unittest.loader._FailedTest.")
    return where if f".{where}".endswith(f".{name}") else f"{where}.{name}"


_JEST_END = re.compile(r"^Tests:\s+(?P<counts>(?:\d+ \w+, )*\d+ total)")
_JEST_BAD = re.compile(r"^\s{0,4}● (?P<id>(?!Console$)\S.*)$")
_JEST_FILE = re.compile(r"^FAIL (?:\S+ )?(?:\./)?(?P<id>\S+\.\w+)(?: \([\d.]+ m?s\))?$")
_UNRUN = "Test suite failed to run"
"""What jest says in place of a test's name when a file could not be loaded."""
_VITEST_END = re.compile(r"^\s+Tests\s+(?P<counts>\d+ \w+(?: \| \d+ \w+)*) \(\d+\)")
_VITEST_BAD = re.compile(r"^\s*FAIL\s+(?P<id>\S.*)$")


def _javascript(runner: str, end: re.Pattern[str], bad: re.Pattern[str], lines: Sequence[str]) -> TestRun | None:
    ends = _matches(end, lines)
    if not ends:
        return None
    counts = _counts(ends[-1]["counts"])
    names = [found["id"] for found in _matches(bad, lines)]
    whole = [found["id"] for found in _matches(_JEST_FILE, lines)] if _UNRUN in names else []
    names = [name for name in names if name != _UNRUN]
    skipped = counts.get("skipped", 0) + counts.get("todo", 0)
    return TestRun(
        runner, counts.get("passed", 0), counts.get("failed", 0) or len(whole), _ids(names or whole), skipped
    )


_BUN_END = re.compile(r"^\s+(?P<n>\d+) (?P<word>pass|fail|skip|todo)$")
_BUN_BAD = re.compile(r"^(?:\(fail\)|✗) (?P<id>.+?)(?: \[[\d.]+m?s\])?$")


def _bun(lines: Sequence[str]) -> TestRun | None:
    if not any(line.startswith("Ran ") and " across " in line for line in lines):
        return None
    counts = {found["word"]: int(found["n"]) for found in _matches(_BUN_END, lines)}
    if not {"pass", "fail"} <= counts.keys():
        return None
    names = _ids(found["id"] for found in _matches(_BUN_BAD, lines))
    return TestRun("bun", counts["pass"], counts["fail"], names, counts.get("skip", 0) + counts.get("todo", 0))


_NODE_END = re.compile(r"^(?:#|ℹ) (?P<word>pass|fail|skipped) (?P<n>\d+)\s*$")
_NODE_BAD = re.compile(r"^\s*(?:not ok \d+ - |✖ )(?P<id>.+?)(?: \([\d.]+ms\))?(?P<todo> # (?:TODO|SKIP).*)?$")


def _node(lines: Sequence[str]) -> TestRun | None:
    counts = {found["word"]: int(found["n"]) for found in _matches(_NODE_END, lines)}
    if not {"pass", "fail"} <= counts.keys():
        return None
    bad = (f["id"] for f in _matches(_NODE_BAD, lines) if not f["todo"] and f["id"] != "failing tests:")
    return TestRun("node", counts["pass"], counts["fail"], _ids(bad), counts.get("skipped", 0))


_MOCHA_END = re.compile(r"^\s+(?P<n>\d+) (?P<word>passing|failing|pending)(?: \(.*\))?\s*$")
_MOCHA_BAD = re.compile(r"^\s+\d+\) \S")


def _mocha(lines: Sequence[str]) -> TestRun | None:
    counts = {found["word"]: int(found["n"]) for found in _matches(_MOCHA_END, lines)}
    if "passing" not in counts:
        return None
    broken = counts.get("failing", 0)
    names = _ids(_mocha_names(lines)) if broken else ()
    return TestRun("mocha", counts["passing"], broken, names, counts.get("pending", 0))


def _mocha_names(lines: Sequence[str]) -> Iterable[str]:
    """After the count, each failure is headed by the titles of its suites and itself, a line each, up to a colon."""
    start = next(i for i, line in enumerate(lines) if (end := _MOCHA_END.match(line)) and end["word"] == "failing")
    for i, line in enumerate(lines[start:], start):
        if _MOCHA_BAD.match(line):
            size = next((n for n, part in enumerate(lines[i : i + 8]) if part.endswith(":")), 0)
            titles = [part.strip() for part in lines[i : i + size + 1]]
            yield " ".join(titles).partition(") ")[2].removesuffix(":")


_GO_LINE = re.compile(r"^\s*--- (?P<word>PASS|FAIL|SKIP): (?P<id>\S+) \(")
_GO_LATE = re.compile(r"^\t\t(?P<id>Test\S*) \([\d.hms]+\)$")
_GO_PACKAGE = re.compile(r"^(?P<word>ok|FAIL)\s+(?P<id>[\w./~-]+)\s+(?:\(cached\)|[\d.]+s|\[(?:build|setup) failed\])")


def _go(lines: Sequence[str]) -> TestRun | None:
    packages, tests = _matches(_GO_PACKAGE, lines), _matches(_GO_LINE, lines)
    if not packages:
        return None
    by_word = {word: [t["id"] for t in tests if t["word"] == word] for word in ("PASS", "FAIL", "SKIP")}
    unbuilt = [p["id"] for p in packages if p["word"] == "FAIL" and "failed]" in p[0]]
    late = [found["id"] for found in _matches(_GO_LATE, lines)] if "panic: test timed out" in "\n".join(lines) else []
    failed = [*by_word["FAIL"], *unbuilt, *late]
    passed = len(by_word["PASS"]) or sum(p["word"] == "ok" for p in packages)
    return TestRun("go", passed, len(failed), _ids(failed), len(by_word["SKIP"]))


_CARGO_END = re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<ignored>\d+) ignored")
_NEXTEST_END = re.compile(
    r"^\s+Summary \[.*\] \d+ tests? run: (?P<passed>\d+) passed(?: \(.*?\))?(?:, (?P<failed>\d+) failed)?"
    r"(?:, \d+ timed out)?, (?P<ignored>\d+) skipped"
)
_NEXTEST_BAD = re.compile(r"^\s+(?:FAIL|TIMEOUT|SIGABRT|SIGSEGV) \[.*?\] (?:\(.*?\) )?(?P<id>\S+ \S+)$")
_CARGO_BAD = re.compile(r"^test (?P<id>.+?) \.\.\. FAILED")


def _cargo(lines: Sequence[str]) -> TestRun | None:
    ends, bad = _matches(_CARGO_END, lines), _CARGO_BAD
    if not ends:
        ends, bad = _matches(_NEXTEST_END, lines), _NEXTEST_BAD
    if not ends:
        return None
    passed, failed, ignored = (sum(_number(end, key) for end in ends) for key in ("passed", "failed", "ignored"))
    return TestRun("cargo", passed, failed, _ids(found["id"] for found in _matches(bad, lines)), ignored)


_MAVEN_END = re.compile(
    r"Tests run: (?P<run>\d+), Failures: (?P<failures>\d+), Errors: (?P<errors>\d+), Skipped: (?P<skipped>\d+)\s*$"
)
_MAVEN_BRIEF = re.compile(r"^\[ERROR\]\s{3,}(?P<id>(?:[\w$]+\.)+[\w$]+):\d+")
_MAVEN_BAD = re.compile(
    r"^\[ERROR\]\s+(?:(?P<method>\w+)\((?P<type>[\w.$]+)\)|(?P<id>[\w.$]+))(?:\[[^\]]*\])?"
    r"\s+(?:--)?\s*Time elapsed.*<<< (?:FAILURE|ERROR)"
)


def _maven(lines: Sequence[str]) -> TestRun | None:
    ends = _matches(_MAVEN_END, lines)
    if not ends:
        return None
    end = ends[-1]
    broken, skipped = _number(end, "failures") + _number(end, "errors"), _number(end, "skipped")
    names = _ids(f["id"] or f"{f['type']}.{f['method']}" for f in _matches(_MAVEN_BAD, lines))
    names = names or (_ids(f["id"] for f in _matches(_MAVEN_BRIEF, lines)) if broken else ())
    return TestRun("maven", _number(end, "run") - broken - skipped, broken, names, skipped)


_GRADLE_END = re.compile(r"^(?P<run>\d+) tests? completed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?")
_GRADLE_BAD = re.compile(r"^(?P<id>\S.* > .+?) FAILED\s*$")


def _gradle(lines: Sequence[str]) -> TestRun | None:
    ends = _matches(_GRADLE_END, lines)
    if not ends:
        return None
    ran, failed, skipped = (sum(_number(end, key) for end in ends) for key in ("run", "failed", "skipped"))
    names = (found["id"].replace(" > ", ".") for found in _matches(_GRADLE_BAD, lines))
    return TestRun("gradle", ran - failed - skipped, failed, _ids(names), skipped)


READERS: tuple[Callable[[Sequence[str]], TestRun | None], ...] = (
    _pytest,
    _unittest,
    partial(_javascript, "jest", _JEST_END, _JEST_BAD),
    partial(_javascript, "vitest", _VITEST_END, _VITEST_BAD),
    _cargo,
    _go,
    _maven,
    _gradle,
    _bun,
    _node,
    _mocha,
)
