"""Project memory as prompt sections: a snapshot for the system prompt, and entries recalled for the user's task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.section import Chunk, Omission, Priority, Section, Task
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.beginnings import beginning, listed
from ctxe.knowledge.entries import daily, links
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures import captures, remembered
from ctxe.knowledge.fence import fence
from ctxe.knowledge.filling import OVER, Filling
from ctxe.knowledge.summaries import summaries
from ctxe.knowledge.upkeep import decisions, playbook
from ctxe.knowledge.upkeep.evidence import Facts, stale_entries
from ctxe.storage.counters import Counters

if TYPE_CHECKING:
    from ctxe.knowledge.recall.ranker import Ranker

RECALLED = "recalled"
"""Name of the section of entries recalled for the task; the id of each chunk is an entry id."""
STANDING = 0.6
"""Share of the memory room for the snapshot in the system prompt; recalled entries get the rest."""
WIDEST = 0.35
"""Share of the room that one recalled entry may take; a longer one is cut to its first paragraph."""
HEADING = 12
"""Tokens of a section's heading and of the joins around its chunks."""
MOST_RECALLED = 12
RECENT_LINES = 12
RECENT_WEEKS = 4
SMALLEST = 25
"""Minimum tokens a fenced entry can take: with less room left, no further entry is rendered."""
LONGEST_TOKEN = 12
"""Maximum characters per token: a text longer than its token limit times this cannot fit and is not counted."""


def fresh_ranker() -> Ranker:
    """A new ranker. The import is local because a project without memory never needs it."""
    from ctxe.knowledge.recall.ranker import Ranker

    return Ranker()


@dataclass(frozen=True)
class Memory:
    """Offers memory, decisions, failures and the daily log as sections. ``count`` returns the tokens of a text.

    ``working`` is the user's folder, at or below ``root``. ``ranker`` makes the function that ranks entries for a task;
    it may return none. ``facts`` decide whether cited evidence still holds, ``counters`` hold how often failures were
    seen, ``recent`` is the number of daily log lines in the snapshot. Log lines and failures of ``session`` itself are
    neither in the snapshot nor recalled: its requests show them already, and a snapshot that folds leave unchanged
    stays in the prompt cache.
    """

    store: Store
    count: Callable[[str], int]
    root: Path
    working: Path
    ranker: Callable[[], Ranker] = fresh_ranker
    facts: Facts = field(default_factory=Facts)
    counters: Counters | None = None
    recent: int = RECENT_LINES
    session: str = ""

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """The snapshot for the system prompt and the recalled entries for the task message, without empty sections."""
        entries = self.entries()
        standing = self._snapshot_section(entries, int(room * STANDING))
        used = sum(self._cost(chunk.text) for chunk in standing.chunks)
        sections = [standing] if standing.chunks or standing.left_out else []
        if entries and (task.words or task.files or task.named):
            recalled = self._recalled_section(task, entries, room - used - HEADING * 2)
            sections += [recalled] if recalled.chunks or recalled.left_out else []
        return sections

    def entries(self) -> tuple[Entry, ...]:
        """All entries; those whose evidence no longer holds have the status ``stale``."""
        entries = self.store.entries()
        lost = stale_entries(entries, self.facts)
        return tuple(replace(entry, status="stale") if entry.id in lost else entry for entry in entries)

    def again(self, ids: Sequence[str], session: str, room: int) -> tuple[Chunk, ...]:
        """Chunks for a request whose history was folded: the entries ``ids`` shown before, then failures met in
        ``session``.

        Each is rendered in its current state: a superseded entry is replaced by its successor, a forgotten one is left
        out. The user's corrections are left out too, since a fold keeps the user's words.
        """
        entries = self.entries()
        replaced, by_id = links.successors(entries), {entry.id: entry for entry in entries}
        groups = {group.entry.id: group for group in self._groups(entries)}
        met = [one for one in groups.values() if _recorded_in(one, session) and one.entry.error != captures.CORRECTED]
        resolved_here = [one.entry.id for one in met if one.status == "resolved"]
        current = dict.fromkeys(replaced.get(name) or name for name in (*ids, *resolved_here))
        filling = Filling(room, self._cost)
        for entry in (by_id[name] for name in current if name in by_id):
            if links.is_current(entry, replaced) and entry.status != "wontfix":
                text = self._rendered(entry, groups, int(filling.rest * WIDEST))
                filling.add(Chunk(entry.id, text, "told before the fold", path=f".ctxe/{entry.path}"))
        lines = [_open_line(one) for one in met if one.status == "open" and one.entry.id not in current]
        still, _ = listed("failures", "still open", lines, int(filling.rest * 0.3), "failure", self._cost)
        return (*filling.chunks[:MOST_RECALLED], *([still] if still else []))

    def notices(self) -> tuple[str, ...]:
        """One line per file that has invisible characters or is damaged."""
        snapshot = self.store.snapshot()
        lines = [f".ctxe/{problem.path}: {problem.says}" for problem in snapshot.problems]
        for path, text in summaries(self.root, self.working, self.store.folder):
            lines += fence(text, path).notices
        for entry in snapshot.entries:
            if not entry.text.isascii() or not entry.title.isascii():
                lines += fence(f"{entry.title}\n{entry.text}", f".ctxe/{entry.path}").notices
        return tuple(lines)

    def _snapshot_section(self, entries: Sequence[Entry], room: int) -> Section:
        """The snapshot: every chunk that still fits ``room``, and what was left out."""
        filling = Filling(room - HEADING, self._cost)
        for chunk, omitted in self._snapshot_chunks(entries, room - HEADING):
            if chunk:
                filling.add(chunk)
            filling.left_out += omitted
        chunks, left_out = tuple(filling.chunks), tuple(filling.left_out)
        return Section("memory", Priority.MEMORY, chunks, "system", "memory", left_out)

    def _snapshot_chunks(self, entries: Sequence[Entry], room: int) -> Iterable[tuple[Chunk | None, list[Omission]]]:
        """Chunks in order of importance. Each takes at most its part of ``room`` and leaves the rest to later ones."""
        for path, text in summaries(self.root, self.working, self.store.folder):
            yield beginning(path, text, int(room * 0.6), self._cost)
        standing = decisions.current_entries(entries)
        lines = [decisions.line(entry) for entry in reversed(standing)]
        yield listed("decisions", "current decisions", lines, int(room * 0.4), "decision", self._cost)
        lessons = [playbook.line(entry) for entry in playbook.standing_entries(entries, self._numbers())]
        yield listed("playbook", "how things are done here", lessons, int(room * 0.3), "routine", self._cost)
        groups = self._groups(entries)
        open_failures = [
            _open_line(one) for one in groups if one.status == "open" and not _recorded_in(one, self.session)
        ]
        yield listed("failures", "open failures", open_failures, int(room * 0.3), "failure", self._cost)
        days = [
            f"- {entry.created[:16]} {daily.without_costs(entry)}"
            for entry in reversed(self._newest_log_lines(entries))
        ]
        yield listed("daily", "latest work, newest first", days, int(room * 0.2), "log", self._cost)
        by_week = daily.weeks(entries, daily.day_of(self.store.now())) if days else {}
        weeks = [f"- {week}: {lines[0]}" for week, lines in list(by_week.items())[:RECENT_WEEKS]]
        yield listed("weeks", "weeks before, newest first", weeks, int(room * 0.1), "log", self._cost)

    def _recalled_section(self, task: Task, entries: Sequence[Entry], room: int) -> Section:
        """The entries that the ranker finds and the snapshot does not show, best first, within ``room``."""
        ranked = self._ranked(task, entries)
        groups = {group.entry.id: group for group in self._groups(entries)}
        filling = Filling(room - self.count(_more_line(len(ranked))) - 1, self._cost)
        for entry, score in ranked:
            if filling.rest < SMALLEST or len(filling.chunks) == MOST_RECALLED:
                filling.left_out.append(Omission(entry.id, len(entry.text) // 4 + SMALLEST, OVER))
            else:
                text = self._rendered(entry, groups, int(room * WIDEST))
                filling.add(Chunk(entry.id, text, f"bears on the task ({score:.2f})", path=f".ctxe/{entry.path}"))
        chunks, left_out = filling.chunks, tuple(filling.left_out)
        more = [Chunk("more", _more_line(len(left_out)), "what was left out")] if left_out and chunks else []
        return Section(RECALLED, Priority.MEMORY, (*chunks, *more), "task", "memory", left_out)

    def _ranked(self, task: Task, entries: Sequence[Entry]) -> list[tuple[Entry, float]]:
        """The current entries that the snapshot does not show and that bear on the task, best first."""
        replaced = links.successors(entries)
        standing = {entry.id for entry in self._newest_log_lines(entries)}

        def live(entry: Entry) -> bool:
            own = entry.kind in ("log", "failure") and self._of_this_session(entry)
            shown = own or entry.status == "wontfix" or entry.id in standing
            return not shown and links.is_current(entry, replaced)

        return playbook.weighed_by_use(self.ranker()(task, entries, live), self._numbers())

    def _newest_log_lines(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The newest lines of the daily log from other sessions, oldest first."""
        return daily.newest((entry for entry in entries if not self._of_this_session(entry)), self.recent)

    def _of_this_session(self, entry: Entry) -> bool:
        """Whether the entry belongs to the session that asks; False when that session has no id."""
        return entry.session == self.session != ""

    def _rendered(self, entry: Entry, groups: Mapping[str, remembered.Group], widest: int) -> str:
        if entry.kind == "failure" and entry.id in groups:
            return self._fenced(entry, remembered.lesson(groups[entry.id]))
        if len(entry.text) <= widest * LONGEST_TOKEN:
            whole = self._fenced(entry, _titled(entry, entry.text))
            if self._cost(whole) <= widest:
                return whole
        first = _titled(entry, entry.first_paragraph[: widest * 3])
        return self._fenced(entry, f"{first}\n(more: recall {entry.id})")

    def _fenced(self, entry: Entry, words: str) -> str:
        status = "stale: check before relying on it" if entry.status == "stale" else entry.status
        marks = {"kind": entry.kind, "status": "" if status == "current" else status, "by": entry.by}
        return fence(words.strip(), f"{entry.id} .ctxe/{entry.path}", date=entry.created[:10], **marks).text

    def _groups(self, entries: Sequence[Entry]) -> tuple[remembered.Group, ...]:
        return remembered.groups(entries, self._numbers())

    def _numbers(self) -> playbook.Numbers:
        return self.counters.read() if self.counters else {}

    def _cost(self, text: str) -> int:
        return self.count(text) + 1


def _recorded_in(group: remembered.Group, session: str) -> bool:
    """Whether any entry of the group was recorded in ``session``; False for an empty ``session``."""
    return bool(session) and any(entry.session == session for entry in group.entries)


def _titled(entry: Entry, text: str) -> str:
    """The text below its title, which is not repeated where the text begins with it."""
    return text if not entry.title or text.startswith(entry.title) else f"{entry.title}\n{text}"


def _open_line(group: remembered.Group) -> str:
    return f"- {group.entry.id} {remembered.lesson(group)}"


def _more_line(number: int) -> str:
    return f"{number} more: `ctxe memory search …`"
