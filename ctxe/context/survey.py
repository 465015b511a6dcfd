"""What a session has shown so far, by name, by line and by file: the data that worth is judged on.

A survey depends on the conversation alone and grows with it: reading a conversation again takes in only what is new,
and one that does not continue what was read starts over.
"""

from __future__ import annotations

from ctxe.context.lines import HistoryEntry, Line, Whole, entries_of, lines_in
from ctxe.context.superseded import CHANGED
from ctxe.domain.conversation import Conversation, Position, Step, Turn
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass, field

NEVER = -1_000_000
"""The step of an event that has not happened."""


@dataclass(slots=True)
class Mentions:
    """Where a name stood: in how many entries, when last, and how often and when last the model itself wrote it.

    ``places`` are its lines in file reads and edits, by entry.
    """

    last: int
    entries: int = 0
    used: int = 0
    last_used: int = NEVER
    newest: HistoryEntry | None = None
    places: dict[HistoryEntry, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class LineSightings:
    """Where a line stood, by core: its newest copy, in how many entries, and when it was last written and replaced."""

    line: Line
    entry: HistoryEntry
    place: int
    entries: int = 0
    asked: bool = False
    written: int = NEVER
    replaced: int = NEVER

    @property
    def is_gone(self) -> bool:
        """True when an edit removed the line and none put it back."""
        return self.replaced > self.written


@dataclass(slots=True)
class FileHistory:
    """The edits and ``reads`` of a file, and its ``lines`` by core in the order of their newest copy."""

    path: str
    edits: int = 0
    last_edit: int = NEVER
    lines: dict[str, LineSightings] = field(default_factory=dict)
    reads: list[HistoryEntry] = field(default_factory=list)


def file_key(path: str) -> str:
    """The last two parts of a path: tools name the same file from different folders."""
    return "/".join(path.replace("\\", "/").rstrip("/").split("/")[-2:])


class Survey:
    """Names, lines and files of a session in the order of their first mention; ``now`` is its newest step.

    ``entries`` are its actions and messages, ``edits`` the step and file key of every edit, ``user_names`` those that
    the user wrote.
    """

    __slots__ = (
        "_begins",
        "_planned",
        "_steps",
        "_turns",
        "edits",
        "entries",
        "files",
        "lines",
        "names",
        "now",
        "user_names",
    )

    def __init__(self) -> None:
        self.entries: list[HistoryEntry] = []
        self.names: dict[str, Mentions] = {}
        self.lines: dict[str, LineSightings] = {}
        self.files: dict[str, FileHistory] = {}
        self.edits: list[tuple[int, str]] = []
        self.user_names: dict[str, None] = {}
        self.now = 0
        self._turns: list[str] = []
        self._steps: list[Step] = []
        self._begins: dict[Position, int] = {}
        self._planned: dict[str, HistoryEntry] = {}

    def update(self, conversation: Conversation, whole: Whole) -> Survey:
        """This survey after taking in all of ``conversation``; a new one when that is not a continuation."""
        if not self._continued_by(conversation):
            return Survey().update(conversation, whole)
        number = 0
        for t, turn in enumerate(conversation.turns):
            if t >= len(self._turns):
                self._take_words(t, turn.words)
                self._take_gathered(turn)
            for n, step in enumerate(turn.steps):
                number += 1
                if number > len(self._steps):
                    self._take_step(Position(t, n), step, whole)
        return self

    def before(self, upto: Position) -> list[HistoryEntry]:
        """The entries before ``upto``, oldest first; all of them when that position was not read yet."""
        return self.entries[: self._begins.get(upto, len(self.entries))]

    def steps_before(self, upto: Position) -> int:
        """The number of the last step before ``upto``, 0 for none."""
        return max((entry.step for entry in self.before(upto)[-1:]), default=0)

    def newest(self) -> list[HistoryEntry]:
        """The entries of the newest step."""
        return [entry for entry in self.entries[-64:] if entry.step == self.now and entry.what != "user"]

    def _take_words(self, turn: int, words: str) -> None:
        self._begins[Position(turn, 0)] = len(self.entries)
        self._turns.append(words)
        self._take(HistoryEntry(self.now, "user", (words,), lines=tuple(lines_in(words, "words"))))

    def _take_gathered(self, turn: Turn) -> None:
        """Read the files sent with the user's words: those the user named now, planned ones when a call uses them."""
        for section in (one for one in turn.gathered if one.share in (None, "files")):
            for entry in filter(None, (_read_file(chunk, section.name, self.now) for chunk in section.chunks)):
                if section.share == "files":
                    self._planned[file_key(entry.path)] = entry
                else:
                    self._take(entry)

    def _take_step(self, position: Position, step: Step, whole: Whole) -> None:
        if position.step:
            self._begins[position] = len(self.entries)
        self._steps.append(step)
        self.now += 1
        for entry in entries_of(step, self.now, whole):
            self._take(entry)

    def _continued_by(self, conversation: Conversation) -> bool:
        steps = [step for _, step in conversation.steps()]
        words = [turn.words for turn in conversation.turns]
        known = len(self._steps)
        if words[: len(self._turns)] != self._turns or known > len(steps):
            return False
        return all(map(_same, steps[:known], self._steps))

    def _take(self, entry: HistoryEntry) -> None:
        """Add one entry to names, lines and files, after the planned file that it is the first to use."""
        if entry.path and (planned := self._planned.pop(file_key(entry.path), None)):
            self._take(planned)
        self.entries.append(entry)
        history = self.history(entry.path) if entry.path else None
        if history is not None and entry.is_edit:
            history.edits, history.last_edit = history.edits + 1, entry.step
            self.edits.append((entry.step, file_key(entry.path)))
        elif history is not None and entry.kind == "read":
            history.reads.append(entry)
        for place, line in enumerate(entry.lines):
            self._take_names(entry, line, place)
            sightings = self._take_line(entry, line, place)
            if history is not None and (line.origin == "written" or (line.origin == "result" and entry.kind == "read")):
                history.lines.pop(line.core, None)
                history.lines[line.core] = sightings

    def _take_names(self, entry: HistoryEntry, line: Line, place: int) -> None:
        for name in line.names:
            seen = self.names.get(name)
            if seen is None:
                seen = self.names[name] = Mentions(entry.step)
            if seen.newest is not entry:
                seen.entries, seen.newest = seen.entries + 1, entry
            seen.last = entry.step
            if entry.path and line.origin in {"written", "result"}:
                seen.places.setdefault(entry, []).append(place)
            if line.origin in {"asked", "written", "replaced"}:
                seen.used, seen.last_used = seen.used + 1, entry.step
            elif line.origin == "words":
                self.user_names[name] = None

    def _take_line(self, entry: HistoryEntry, line: Line, place: int) -> LineSightings:
        """Update the sightings of a line: this copy is now its newest."""
        seen = self.lines.get(line.core)
        if seen is None:
            seen = self.lines[line.core] = LineSightings(line, entry, place)
        if seen.entry is not entry or not seen.entries:
            seen.entries += 1
        seen.line, seen.entry, seen.place = line, entry, place
        if line.origin == "asked":
            seen.asked = True
        elif line.origin == "written":
            seen.written = entry.step
        elif line.origin == "replaced":
            seen.replaced = entry.step
        return seen

    def history(self, path: str) -> FileHistory:
        """The history of a file, created on the first mention."""
        key = file_key(path)
        return self.files.setdefault(key, FileHistory(path))

    def user_messages(self) -> tuple[str, ...]:
        """The user's messages, oldest first."""
        return tuple(self._turns)


def _read_file(chunk: Chunk, name: str, step: int) -> HistoryEntry | None:
    """The lines of a file in a chunk as an entry that reads it; None for other chunks, and for mere outlines."""
    if (
        not (chunk.path and chunk.of and chunk.tier in ("full", "region"))
        or chunk.picture
        or chunk.id.startswith(CHANGED)
    ):
        return None
    lines = (
        line for line in lines_in(chunk.text, "result") if not line.text.startswith(("<file ", "</file>", "[lines "))
    )
    return HistoryEntry(step, name, (chunk.path,), chunk.path, "read", lines=tuple(lines))


def _same(one: Step, other: Step) -> bool:
    """True when two steps have the same reply and results; notes may differ."""
    return one is other or (one.reply == other.reply and one.results == other.results)
