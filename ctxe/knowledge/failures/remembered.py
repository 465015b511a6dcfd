"""Remembered failures: captured from the parsed facts of a run, grouped by signature, and shown with their fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.entries.entry import Entry, brief, moment, stamp
from ctxe.knowledge.entries.ports import EntryStore
from ctxe.knowledge.failures.calls import deciding_step, parts, runs_something
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.failures.plain import MESSAGE, impersonal, plain_test, relative
from ctxe.knowledge.failures.signature import signature
from ctxe.storage.counters import Counters

OPEN, SETTLED = frozenset({"open", "current"}), frozenset({"resolved", "wontfix", "stale"})
FIX_WORDS = 45
"""Words of a lesson: about 60 tokens."""
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
FAILING = "Failing: "
"""Prefix of the line that names failed tests."""
_NAMED_TESTS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """All entries about one failure. ``seen`` counts its occurrences; ``first`` and ``last`` are unix seconds."""

    signature: str
    entries: tuple[Entry, ...]
    status: str
    seen: int
    first: float
    last: float

    @property
    def entry(self) -> Entry:
        """The entry to show: one with a fix if there is any, then the newest."""
        return max(self.entries, key=lambda entry: (bool(entry.fix), entry.created, entry.id))

    @property
    def fix(self) -> str:
        """What fixed it; empty if unknown."""
        return self.entry.fix

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that its entries name."""
        return tuple(dict.fromkeys(file for entry in self.entries for file in entry.files))


def capture(facts: Mapping[str, Any], root: str = "", session: str = "", turn: str = "") -> Entry | None:
    """A failure from the facts of a run; None if the run did not fail or its exit code only answered a question.

    ``facts`` are ``{"command", "exit_code", "error"?: {"class", "message", "file", "line"}, "tests"?: {"failed"}}``.
    Nothing else of the output is kept, so that text from outside cannot get into the memory.
    """
    command = str(facts.get("command") or "")
    code = facts.get("exit_code")
    error, listed = _as_mapping(facts.get("error")), _as_mapping(facts.get("tests")).get("failed")
    failed = [plain_test(str(test)) for test in listed] if isinstance(listed, list | tuple) else []
    kind, message = _class_and_message(error, root)
    silent = not (kind or message or failed)
    if not command or not has_failed(facts) or (silent and (code in _STOPPED or exit_code_is_answer(command))):
        return None
    file = relative(str(error.get("file") or ""), root)
    where = file + (f":{error['line']}" if file and error.get("line") else "")
    words = message if kind and kind in message else ": ".join(part for part in (kind, message) if part)
    words = words or _tests_message(failed) or f"exit code {code}"
    return Entry(
        "",
        "failure",
        f"`{brief(_PLACE.sub('', plain_command(deciding_step(command), root)), TITLED)}`: {words}",
        "open",
        by="capture",
        session=session,
        turn=turn,
        files=_project_files(
            [file, *filter(_FILE.search, (test.partition("::")[0] for test in failed if "::" in test))]
        ),
        evidence=tuple(part for part in (f"session {session}" if session else "", _exit_text(code)) if part),
        signature=signature(command, kind, message, [file] if file else (), failed, root),
        command=plain_command(command, root),
        error=words + (f" ({impersonal(where)})" if where else ""),
        text=_tests_line(dict.fromkeys(failed)),
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


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tests_message(tests: Sequence[str]) -> str:
    """A message for failed tests whose errors are not known."""
    names = list(dict.fromkeys(tests))
    return f"{brief(names[0], 120)} failed" + (f", and {len(names) - 1} more" if names[1:] else "") if names else ""


def _exit_text(code: object) -> str:
    return f"exit code {code}" if code else "exit code hidden"


def manual_failure(what: str, error: str = "", command: str = "", root: str = "", **more: Any) -> Entry:
    """A failure that the user or model noted (``failures add``, ``record_failure``); its text gives the signature."""
    kind, _, message = error.partition(": ") if ": " in error else ("", "", error)
    draft = Entry("", "failure", what, "open", command=plain_command(command, root), error=error, **more)
    return replace(draft, signature=signature(command, kind, message or what, draft.files[:1], root=root))


def record(store: EntryStore, draft: Entry, counters: Counters) -> tuple[Entry, bool]:
    """Count a failure, and keep it if it is new. Returns its entry and whether it is new.

    A stale entry becomes open again. Raises StoreError.
    """
    counters.bump(draft.signature, store.now(), seen=1)
    known = [entry for entry in store.entries() if entry.signature == draft.signature and entry.status != "proposed"]
    if known:
        best = max(known, key=lambda entry: (entry.status not in SETTLED, bool(entry.fix), entry.created))
        return (store.change(best.id, status="open"), False) if best.status == "stale" else (best, False)
    now = stamp(store.now())
    masked = store.masked(replace(draft, created=now, first_seen=draft.first_seen or now))
    return store.add(masked, f"record failure {draft.signature[:8]}"), True


def groups(entries: Iterable[Entry], counters: Mapping[str, Mapping[str, float]]) -> tuple[Group, ...]:
    """Failures by signature: open ones first, then the last seen first. ``counters`` are by signature."""
    by_signature: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind == "failure" and entry.status != "proposed":
            by_signature.setdefault(entry.signature or entry.id, []).append(entry)
    found = [_group(name, tuple(files), counters.get(name, {})) for name, files in by_signature.items()]
    return tuple(sorted(found, key=lambda group: (group.status in SETTLED, -group.last, group.signature)))


def lesson(group: Group) -> str:
    """One line for the model: what failed, what was tried, and the fix or that there is none yet."""
    entry = group.entry
    parts = [entry.title or entry.error]
    if group.status == "open" and (failing := _unnamed_test(entry)):
        parts.append(f"in {failing}")
    if entry.tried:
        parts.append(f"tried: {brief(entry.tried, 160)}")
    if group.fix and group.fix not in entry.title:
        parts.append(f"fix: {brief(group.fix, 300)}")
    elif group.status == "open":
        parts.append("not fixed yet")
    times = f" (seen {group.seen} times)" if group.seen > 1 else ""
    return "; ".join(parts) + times


def _unnamed_test(entry: Entry) -> str:
    """The first test that failed with this error, unless title or command name it already."""
    named = next((line for line in entry.text.splitlines() if line.startswith(FAILING)), "").removeprefix(FAILING)
    first, *more = re.split(r", (?![^\[\]]*\])", named)
    last = first.replace("::", " ").replace("#", " ").split()[-1:]
    known = not last or last[0] in f"{entry.title} {entry.command}"
    return "" if known else f"{brief(first, 120)}{' and others' if more else ''}"


def short_fix(words: str) -> str:
    """A lesson cut to FIX_WORDS words."""
    parts = words.split()
    return " ".join(parts[:FIX_WORDS]) + (" …" if len(parts) > FIX_WORDS else "")


def _group(name: str, entries: Sequence[Entry], numbers: Mapping[str, float]) -> Group:
    statuses = {entry.status for entry in entries}
    status = "open" if statuses & OPEN and "resolved" not in statuses else ""
    status = status or next((word for word in ("resolved", "wontfix", "stale") if word in statuses), "open")
    times = [when for entry in entries for when in (moment(entry.first_seen), entry.time) if when]
    first = min([*times, *([numbers["first"]] if "first" in numbers else [])], default=0.0)
    last = max([*times, numbers.get("last", 0.0)], default=0.0)
    return Group(name, tuple(entries), status, max(int(numbers.get("seen", 0)), len(entries)), first, last)


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
