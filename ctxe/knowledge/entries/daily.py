"""The daily log: one line per turn in ``daily/YYYY-MM-DD.md``, appended by every session, and weekly summaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.entries.entry import Entry, brief, stamp

_LINE = pattern(r"- (?:(\d\d:\d\d) )?(?:\[([^\]\s]{1,80})\] )?(.*)")
_DATE = pattern(r"(\d{4})-(\d\d)-(\d\d)")
MOST_WORDS = 400
"""Characters of one line."""
FAILURE = "failure "
"""Prefix of a note about a failure."""


@dataclass(frozen=True, slots=True)
class TurnSummary:
    """A turn in short: the task in the user's words, the outcome, changed files, dollars, notes of memories written."""

    task: str
    outcome: str = ""
    files: tuple[str, ...] = ()
    usd: float | None = None
    recorded: tuple[str, ...] = ()


def day_of(seconds: float) -> str:
    """The UTC day of a unix time as ``YYYY-MM-DD``; 1970-01-01 for a time outside the calendar."""
    return (stamp(seconds) or "1970-01-01")[:10]


def line_of(done: TurnSummary, seconds: float, session: str = "") -> str:
    """The Markdown line for a turn, at most MOST_WORDS characters; times are UTC.

    Only the last note about each memory is shown. Notes of failures, of which there may be many, come last.
    """
    parts = [brief(done.task, 200)]
    if done.outcome:
        parts.append("→ " + brief(done.outcome, 120))
    notes = [", ".join(done.files[:4]) + (f" and {len(done.files) - 4} more" if len(done.files) > 4 else "")]
    latest = {tuple(note.split(" ")[:2]): note for note in done.recorded}
    notes += sorted(latest.values(), key=lambda note: note.startswith(FAILURE))
    notes += [f"${done.usd:.2f}" if done.usd else ""]
    details = "; ".join(note for note in notes if note)
    if details:
        parts.append(f"({details})")
    who = f"[{session}] " if session else ""
    return brief(f"- {(stamp(seconds) or '1970-01-01T00:00')[11:16]} {who}{' '.join(parts)}", MOST_WORDS)


def read_day(data: bytes, path: str) -> tuple[Entry, ...]:
    """The lines of a day as entries of kind ``log``. An id is the day and the first 4 digits of the line's hash.

    If two lines share those, the second gets 12 digits. A repeated line gives only one entry.
    """
    from ctxe.domain.section import digest

    day = path.rpartition("/")[2].removesuffix(".md")
    found: dict[str, Entry] = {}
    for line in data.decode("utf-8", "replace").replace("\0", "").splitlines():
        match = _LINE.fullmatch(line.strip())
        if not match or not match[3]:
            continue
        created = f"{day}T{match[1] or '00:00'}:00Z" if _DATE.fullmatch(day) else ""
        content_hash, text = digest(line.strip()), match[3][: MOST_WORDS * 4]
        entry = Entry("", "log", "", "current", created, "session", match[2] or "", text=text, path=path)
        for name in (f"{day}-{content_hash[:4]}", f"{day}-{content_hash[:12]}"):
            if same_line(found.setdefault(name, replace(entry, id=name)), entry):
                break
    return tuple(found.values())


def same_line(one: Entry, other: Entry) -> bool:
    """Whether two lines have the same time, session and text."""
    return (one.created, one.session, one.text) == (other.created, other.session, other.text)


def is_line_of(line: bytes, entry: Entry) -> bool:
    """Whether a line of the daily log is this entry."""
    return any(same_line(one, entry) for one in read_day(line, entry.path))


def newest(entries: Iterable[Entry], most: int = 12) -> tuple[Entry, ...]:
    """The newest ``most`` lines of the daily log, oldest first."""
    lines = [entry for entry in entries if entry.path.startswith("daily/")]
    return tuple(sorted(lines, key=lambda entry: (entry.created, entry.session))[-most:])


def without_costs(entry: Entry) -> str:
    """The line's text for the model, without the cost and without failures, which are shown where they apply."""
    words, bracket, notes = entry.text.rpartition(" (")
    cut = notes.endswith("…") and f"; {FAILURE}" in f"; {notes}"
    if not bracket or not (cut or notes.endswith(")")):
        return entry.text
    complete = notes.split("; ")[:-1] if cut else notes[:-1].split("; ")
    kept = "; ".join(note for note in complete if not note.startswith(("$", FAILURE)))
    return f"{words} ({kept})" if kept else words


def weeks(entries: Iterable[Entry], today: str) -> dict[str, tuple[str, ...]]:
    """Lines older than a week, summarized per ISO week (``2026-W47``), newest first: a headline, then the lines kept
    whole.

    A headline counts turns and days and names the most changed files. Lines that name a decision, failure, fact,
    routine or preference are kept whole.
    """
    limit = _ordinal(today) - 7
    by_week: dict[str, list[Entry]] = {}
    for entry in entries:
        day = _ordinal(entry.created[:10])
        if entry.path.startswith("daily/") and 0 < day <= limit:
            year, week, _ = date.fromordinal(day).isocalendar()
            by_week.setdefault(f"{year}-W{week:02d}", []).append(entry)
    return {week: _summary_of(by_week[week]) for week in sorted(by_week, reverse=True)}


def _summary_of(lines: Sequence[Entry]) -> tuple[str, ...]:
    """The headline of a week, then its lines that are kept whole, each once."""
    stays = [entry.text for entry in lines if re.search(r"\b(decision|failure|fact|routine|preference)\b", entry.text)]
    days = len({entry.created[:10] for entry in lines})
    files: dict[str, int] = {}
    for entry in lines:
        for name in re.findall(r"(?<![\w$.])[\w./-]+\.[A-Za-z]\w{0,7}\b", entry.text.rpartition("(")[2]):
            files[name] = files.get(name, 0) + 1
    often = ", ".join(sorted(files, key=lambda name: (-files[name], name))[:5])
    turns = f"{len(lines)} turn{'s' if len(lines) > 1 else ''} on {days} day{'s' if days > 1 else ''}"
    head = turns + (f"; most in {often}" if often else "")
    return (head, *dict.fromkeys(stays))


def _ordinal(day: str) -> int:
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return 0
