"""Reading the summary of a test runner from a command's output, whatever command started it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ctxe.tools.outcomes import jsruns, native, rubyphp
from ctxe.tools.outcomes.testrun import Reader, TestRun, ids, matches, number, tally


def read_tests(text: str) -> TestRun | None:
    """The test run in an output, or None. Several summaries of one runner (packages, crates) are added up."""
    lines = text.split("\n")
    return next((run for read in READERS if (run := read(lines)) is not None), None)


_PYTEST_END = re.compile(
    r"^(?:=+ )?(?P<counts>(?:\d+ (?:failed|passed|skipped|deselected|xfailed|xpassed|warnings?|errors?|rerun"
    r"|subtests (?:passed|failed))(?:, )?)+"
    r"|no tests ran)"
    r" in \d[\d.:]*s?(?: \([\d:]+\))?(?: =+)?\s*$"
)
_PYTEST_LIST = re.compile(r"^=+ short test summary info =+$")
_PYTEST_BAD = re.compile(r"^(?:FAILED|ERROR|SUBFAIL\S*) (?P<id>[^\s:]+(?:::[^\s\[]+)*(?:\[.*?\](?=$| - ))?)(?: - .*)?$")
_PYTEST_HEAD = re.compile(r"^_{3,} (?:ERROR (?:collecting|at (?:setup|teardown) of) )?(?P<name>\S.*?) _{3,}$")
_PYTEST_AT = re.compile(r"^(?P<file>[^\s:]+\.py):\d+:")


def _pytest(lines: Sequence[str]) -> TestRun | None:
    ends = matches(_PYTEST_END, lines)
    if not ends and not matches(_PYTEST_LIST, lines):
        return None
    failed = ids(match["id"] for match in matches(_PYTEST_BAD, lines))
    if not ends:
        return TestRun("pytest", 0, len(failed), failed) if failed else None
    counts = tally(ends[-1]["counts"])
    failures = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    failed = failed if failures else ()
    failed = failed or (ids(_pytest_heads(lines)) if failures else ())
    return TestRun("pytest", counts.get("passed", 0), failures, failed, counts.get("skipped", 0))


def _pytest_heads(lines: Sequence[str]) -> Iterable[str]:
    """Failed tests when there is no short summary: the headlines of the failures, with the files named below them."""
    heads = [(row, match["name"]) for row, line in enumerate(lines) if (match := _PYTEST_HEAD.match(line[:2000]))]
    for (start, name), end in zip(heads, [*(row for row, _ in heads), len(lines)][1:], strict=True):
        if name.endswith(".py"):
            yield name
        elif place := next((match for line in lines[start:end] if (match := _PYTEST_AT.match(line[:2000]))), None):
            yield f"{place['file']}::{name.replace('.', '::')}"


_UNITTEST_RAN = re.compile(r"^Ran (?P<n>\d+) tests? in ")
_UNITTEST_BAD = re.compile(r"^(?:FAIL|ERROR): (?P<name>\S+) \((?P<where>[\w.<>]+)[^)]*\)")
_UNITTEST_END = re.compile(r"^(?:FAILED|OK)(?: \((?P<counts>[^)]*)\))?\s*$")


def _unittest(lines: Sequence[str]) -> TestRun | None:
    ran, ends = matches(_UNITTEST_RAN, lines), matches(_UNITTEST_END, lines)
    if not ran or not ends:
        return None
    counts = {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", ends[-1]["counts"] or "")}
    failures = counts.get("failures", 0) + counts.get("errors", 0)
    skipped = counts.get("skipped", 0)
    names = (_dotted(match["where"], match["name"]) for match in matches(_UNITTEST_BAD, lines))
    return TestRun("unittest", max(0, int(ran[-1]["n"]) - failures - skipped), failures, ids(names), skipped)


def _dotted(where: str, name: str) -> str:
    """``where.name``; Python 3.11 and later put the method into ``where`` as well."""
    where = where.removeprefix("unittest.loader._FailedTest.")
    return where if f".{where}".endswith(f".{name}") else f"{where}.{name}"


_GO_LINE = re.compile(r"^\s*--- (?P<word>PASS|FAIL|SKIP): (?P<id>\S+) \(")
_GO_LATE = re.compile(r"^\t\t(?P<id>Test\S*) \([\d.hms]+\)$")
_GO_PACKAGE = re.compile(r"^(?P<word>ok|FAIL)\s+(?P<id>[\w./~-]+)\s+(?:\(cached\)|[\d.]+s|\[(?:build|setup) failed\])")


def _go(lines: Sequence[str]) -> TestRun | None:
    packages, tests = matches(_GO_PACKAGE, lines), matches(_GO_LINE, lines)
    if not packages:
        return None
    by_word = {word: [test["id"] for test in tests if test["word"] == word] for word in ("PASS", "FAIL", "SKIP")}
    unbuilt = [package["id"] for package in packages if package["word"] == "FAIL" and "failed]" in package[0]]
    timed_out = (
        [match["id"] for match in matches(_GO_LATE, lines)] if "panic: test timed out" in "\n".join(lines) else []
    )
    failed = [*by_word["FAIL"], *unbuilt, *timed_out]
    passed = len(by_word["PASS"]) or sum(package["word"] == "ok" for package in packages)
    return TestRun("go", passed, len(failed), ids(failed), len(by_word["SKIP"]))


_CARGO_END = re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<ignored>\d+) ignored")
_NEXTEST_END = re.compile(
    r"^\s+Summary \[.*\] \d+ tests? run: (?P<passed>\d+) passed(?: \(.*?\))?(?:, (?P<failed>\d+) failed)?"
    r"(?:, \d+ timed out)?, (?P<ignored>\d+) skipped"
)
_NEXTEST_BAD = re.compile(r"^\s+(?:FAIL|TIMEOUT|SIGABRT|SIGSEGV) \[.*?\] (?:\(.*?\) )?(?P<id>\S+ \S+)$")
_CARGO_BAD = re.compile(r"^test (?P<id>.+?)(?: - should panic)? \.\.\. FAILED")
_CARGO_LISTED = re.compile(r"^    (?P<id>\S.*)$")


def _cargo(lines: Sequence[str]) -> TestRun | None:
    ends, failed_line = matches(_CARGO_END, lines), _CARGO_BAD
    if not ends:
        ends, failed_line = matches(_NEXTEST_END, lines), _NEXTEST_BAD
    if not ends:
        return None
    passed, failed, ignored = (sum(number(end, key) for end in ends) for key in ("passed", "failed", "ignored"))
    names = ids(match["id"] for match in matches(failed_line, lines)) or (ids(_cargo_listed(lines)) if failed else ())
    return TestRun("cargo", passed, failed, names, ignored)


def _cargo_listed(lines: Sequence[str]) -> Iterable[str]:
    """Where tests are shown only as dots: the names in the list below the last "failures:"."""
    starts = [row for row, line in enumerate(lines) if line == "failures:"]
    for line in lines[starts[-1] + 1 :] if starts else ():
        if not (match := _CARGO_LISTED.match(line)):
            return
        yield match["id"]


_MAVEN_END = re.compile(
    r"Tests run: (?P<run>\d+), Failures: (?P<failures>\d+), Errors: (?P<errors>\d+), Skipped: (?P<skipped>\d+)\s*$"
)
_MAVEN_BRIEF = re.compile(r"^\[ERROR\]\s{3,}(?P<id>(?:[\w$]+\.)+[\w$]+):\d+")
_MAVEN_BAD = re.compile(
    r"^\[ERROR\]\s+(?:(?P<method>\w+)\((?P<type>[\w.$]+)\)|(?P<id>[\w.$]+))(?:\([^)]*\))?(?:\[[^\]]*\])?"
    r"\s+(?:--)?\s*Time elapsed.*<<< (?:FAILURE|ERROR)"
)


def _maven(lines: Sequence[str]) -> TestRun | None:
    ends = matches(_MAVEN_END, lines)
    if not ends:
        return None
    end = ends[-1]
    failures, skipped = number(end, "failures") + number(end, "errors"), number(end, "skipped")
    names = ids(match["id"] or f"{match['type']}.{match['method']}" for match in matches(_MAVEN_BAD, lines))
    names = names or (ids(match["id"] for match in matches(_MAVEN_BRIEF, lines)) if failures else ())
    return TestRun("maven", number(end, "run") - failures - skipped, failures, names, skipped)


_GRADLE_END = re.compile(r"^(?P<run>\d+) tests? completed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?")
_GRADLE_BAD = re.compile(r"^(?P<id>\S.* > .+?) FAILED\s*$")


def _gradle(lines: Sequence[str]) -> TestRun | None:
    ends = matches(_GRADLE_END, lines)
    if not ends:
        return None
    ran, failed, skipped = (sum(number(end, key) for end in ends) for key in ("run", "failed", "skipped"))
    names = (match["id"].replace(" > ", ".") for match in matches(_GRADLE_BAD, lines))
    return TestRun("gradle", ran - failed - skipped, failed, ids(names), skipped)


NATIVE: tuple[Reader, ...] = (native.ctest_run, native.gtest_run, native.catch_run, native.curl_run)
OTHERS: tuple[Reader, ...] = (*NATIVE, rubyphp.rspec_run, rubyphp.phpunit_run, rubyphp.minitest_run)
READERS: tuple[Reader, ...] = (_pytest, _unittest, *jsruns.PLAIN, _cargo, _go, _maven, _gradle, *OTHERS, *jsruns.VAGUE)
