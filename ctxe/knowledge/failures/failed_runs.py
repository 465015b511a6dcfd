"""Captures a failure from the parsed facts of a command's run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry, brief
from ctxe.knowledge.failures.calls import deciding_step, parts, runs_something
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.failures.plain import MESSAGE, impersonal, plain_test, relative
from ctxe.knowledge.failures.remembered import FAILING
from ctxe.knowledge.failures.signature import signature

_ANSWERS = frozenset(
    {"grep", "egrep", "fgrep", "rg", "ag", "ack", "diff", "cmp", "test", "[", "[[", "which", "pgrep", "pidof", "lsof"}
    | {"false", "command", "type", "hash", "expr", "kill", "nc", "pg_isready", "systemctl", "!", "if", "until", "while"}
    | {f"git {word}" for word in ("check-ignore", "config", "diff", "diff-index", "grep", "ls-files", "merge-base")}
    | {f"git {word}" for word in ("ls-remote", "rev-parse", "show-ref", "symbolic-ref", "diff-files", "diff-tree")}
)
"""Programs whose non-zero exit code is an answer, not a failure, unless they print an error."""
_STOPPED = frozenset({124, 130, 143})
"""Exit codes of a command stopped by a time limit or by hand; without an error message that is no failure."""
TITLED = 60
"""Characters of a command in a title, so that a listing has room for the error after it."""
_PLACE = pattern(r"^~?/(?:\S*/)?(?=\w)")
"""Folder of a program outside the project; titles leave it out."""
_FILE = pattern(r"\.\w+$")
"""Extension of a test file. The part before ``::`` may also be a module or a class."""
_NAMED_TESTS = 5


@dataclass(frozen=True, slots=True)
class _ReportedError:
    """What a run's output says went wrong: class, message and place of the first error, and the tests that failed."""

    kind: str
    message: str
    file: str
    where: str
    tests: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """Whether the output says nothing."""
        return not (self.kind or self.message or self.tests)

    @property
    def words(self) -> str:
        """The error in a few words; empty for a silent one."""
        if self.kind and self.kind in self.message:
            return self.message
        return ": ".join(part for part in (self.kind, self.message) if part) or _tests_message(self.tests)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the project that it names."""
        modules = (test.partition("::")[0] for test in self.tests if "::" in test)
        return _project_files([self.file, *filter(_FILE.search, modules)])


def capture(facts: Mapping[str, Any], root: str = "", session: str = "", turn: str = "") -> Entry | None:
    """A failure from the facts of a run; None if the run did not fail or its exit code only answered a question.

    ``facts`` are ``{"command", "exit_code", "error"?: {"class", "message", "file", "line"}, "tests"?: {"failed"}}``.
    Nothing else of the output is kept, so that text from outside cannot get into the memory.
    """
    command, code = str(facts.get("command") or ""), facts.get("exit_code")
    if not command or not has_failed(facts):
        return None
    error = _reported_error(facts, root)
    if error.silent and (code in _STOPPED or exit_code_is_answer(command)):
        return None
    words = error.words or f"exit code {code}"
    return Entry(
        "",
        "failure",
        f"`{brief(_PLACE.sub('', plain_command(deciding_step(command), root)), TITLED)}`: {words}",
        "open",
        by="capture",
        session=session,
        turn=turn,
        files=error.files,
        evidence=tuple(part for part in (f"session {session}" if session else "", _exit_text(code)) if part),
        signature=signature(command, error.kind, error.message, [error.file] if error.file else (), error.tests, root),
        command=plain_command(command, root),
        error=words + (f" ({impersonal(error.where)})" if error.where else ""),
        text=_tests_line(dict.fromkeys(error.tests)),
    )


def exit_code_is_answer(command: str) -> bool:
    """Whether the exit code is one part's answer (as of ``grep``), provided that the command prints no error."""
    return any(program(part) in _ANSWERS for part in parts(command))


def has_failed(facts: Mapping[str, Any]) -> bool:
    """Whether a run failed. If a pipe hides the exit code, the results of tests and tools decide."""
    code = facts.get("exit_code")
    if code == 0 and facts.get("hidden") and runs_something(str(facts.get("command") or "")):
        return bool(facts.get("error") or _as_mapping(facts.get("tests")).get("failures"))
    return code not in (0, None)


def _reported_error(facts: Mapping[str, Any], root: str) -> _ReportedError:
    error, listed = _as_mapping(facts.get("error")), _as_mapping(facts.get("tests")).get("failed")
    file = relative(str(error.get("file") or ""), root)
    where = file + (f":{error['line']}" if file and error.get("line") else "")
    tests = tuple(plain_test(str(test)) for test in listed) if isinstance(listed, list | tuple) else ()
    return _ReportedError(*_class_and_message(error, root), file, where, tests)


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tests_message(tests: Sequence[str]) -> str:
    """A message for failed tests whose errors are not known."""
    names = list(dict.fromkeys(tests))
    return f"{brief(names[0], 120)} failed" + (f", and {len(names) - 1} more" if names[1:] else "") if names else ""


def _exit_text(code: object) -> str:
    return f"exit code {code}" if code else "exit code hidden"


def _class_and_message(error: Mapping[str, Any], root: str) -> tuple[str, str]:
    from ctxe.safety.display import strip_invisible, strip_sequences

    def clean(key: str) -> str:
        text, _ = strip_invisible(strip_sequences(str(error.get(key) or "")))
        return "".join(c if c.isprintable() else " " for c in text)

    return brief(clean("class"), 80), brief(impersonal(clean("message"), root), MESSAGE)


def _project_files(files: Iterable[str]) -> tuple[str, ...]:
    """Relative paths inside the project, at most _NAMED_TESTS."""
    named = (file.removeprefix("./") for file in files)
    kept = (file for file in named if file and not file.startswith(("/", "..", "<", "~")) and ":\\" not in file)
    return tuple(dict.fromkeys(kept))[:_NAMED_TESTS]


def _tests_line(failed: Iterable[str]) -> str:
    names = list(failed)
    if not names:
        return ""
    more = f" and {len(names) - _NAMED_TESTS} more" if len(names) > _NAMED_TESTS else ""
    return FAILING + ", ".join(names[:_NAMED_TESTS]) + more
