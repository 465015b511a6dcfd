"""The daily log: one line a turn in ``daily/YYYY-MM-DD.md``, appended by every session; weeks are told in short."""

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
"""How notes of failures begin."""


@dataclass(frozen=True, slots=True)
class TurnSummary:
    """What a turn came to: the task in the user's words, how it ended, files changed, dollars, memories written."""

    task: str
    outcome: str = ""
    files: tuple[str, ...] = ()
    usd: float | None = None
    recorded: tuple[str, ...] = ()


def day_of(seconds: float) -> str:
    """The name of the day (UTC) a moment belongs to."""
    return (stamp(seconds) or "1970-01-01")[:10]


def line_of(done: TurnSummary, seconds: float, session: str = "") -> str:
    """One line of Markdown for a turn, at most MOST_WORDS characters long; times are UTC.

    Of a memory it tells what became of it last; failures, of which there may be many, behind all others.
    """
    parts = [brief(done.task, 200)]
    if done.outcome:
        parts.append("→ " + brief(done.outcome, 120))
    notes = [", ".join(done.files[:4]) + (f" and {len(done.files) - 4} more" if len(done.files) > 4 else "")]
    latest = {tuple(note.split(" ")[:2]): note for note in done.recorded}
    notes += sorted(latest.values(), key=lambda note: note.startswith(FAILURE))
    notes += [f"${done.usd:.2f}" if done.usd else ""]
    told = "; ".join(note for note in notes if note)
    if told:
        parts.append(f"({told})")
    who = f"[{session}] " if session else ""
    return brief(f"- {(stamp(seconds) or '1970-01-01T00:00')[11:16]} {who}{' '.join(parts)}", MOST_WORDS)


def read_day(data: bytes, path: str) -> tuple[Entry, ...]:
    """The lines of a day as entries of kind log; their id is the file and a hash of the line.

    Of two lines with the same hash the second has a longer one; a line that stands twice is one entry.
    """
    from ctxe.domain.section import digest

    day = path.rpartition("/")[2].removesuffix(".md")
    found: dict[str, Entry] = {}
    for line in data.decode("utf-8", "replace").replace("\0", "").splitlines():
        match = _LINE.fullmatch(line.strip())
        if not match or not match[3]:
            continue
        created = f"{day}T{match[1] or '00:00'}:00Z" if _DATE.fullmatch(day) else ""
        held, text = digest(line.strip()), match[3][: MOST_WORDS * 4]
        entry = Entry("", "log", "", "current", created, "session", match[2] or "", text=text, path=path)
        for name in (f"{day}-{held[:4]}", f"{day}-{held[:12]}"):
            if same_line(found.setdefault(name, replace(entry, id=name)), entry):
                break
    return tuple(found.values())


def same_line(one: Entry, other: Entry) -> bool:
    """Whether two lines of a day say the same of the same session at the same time."""
    return (one.created, one.session, one.text) == (other.created, other.session, other.text)


def is_line_of(line: bytes, entry: Entry) -> bool:
    """Whether a line of the daily log is this entry."""
    return any(same_line(one, entry) for one in read_day(line, entry.path))


def newest(entries: Iterable[Entry], most: int = 12) -> tuple[Entry, ...]:
    """The newest lines of the daily log, oldest of them first."""
    lines = [entry for entry in entries if entry.path.startswith("daily/")]
    return tuple(sorted(lines, key=lambda entry: (entry.created, entry.session))[-most:])


def told(entry: Entry) -> str:
    """A line as a model is told it: without what it cost, and without failures, which it is told where they bear."""
    words, bracket, notes = entry.text.rpartition(" (")
    cut = notes.endswith("…") and f"; {FAILURE}" in f"; {notes}"
    if not bracket or not (cut or notes.endswith(")")):
        return entry.text
    whole = notes.split("; ")[:-1] if cut else notes[:-1].split("; ")
    kept = "; ".join(note for note in whole if not note.startswith(("$", FAILURE)))
    return f"{words} ({kept})" if kept else words


def weeks(entries: Iterable[Entry], today: str) -> dict[str, tuple[str, ...]]:
    """Days older than a week told week by week (``2026-W47``), newest first: how much was done, and what stays.

    Lines in which something was decided, learnt or left failing are kept word for word.
    """
    limit = _ordinal(today) - 7
    told: dict[str, list[Entry]] = {}
    for entry in entries:
        day = _ordinal(entry.created[:10])
        if entry.path.startswith("daily/") and 0 < day <= limit:
            year, week, _ = date.fromordinal(day).isocalendar()
            told.setdefault(f"{year}-W{week:02d}", []).append(entry)
    return {week: _digest(told[week]) for week in sorted(told, reverse=True)}


def _digest(lines: Sequence[Entry]) -> tuple[str, ...]:
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
