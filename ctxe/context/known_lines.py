"""The lines a request holds already, so that they are not sent again.

Lines match by what they say (their core), wherever they stand and whatever their number or indentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from ctxe.context.calls import parse_arguments
from ctxe.context.lines import core_of
from ctxe.domain.conversation import Conversation, Fold, Position, Step, ToolResult, Turn
from ctxe.domain.pattern import pattern

RUN = 4
"""Fewest repeated lines in a row that a marker replaces: it costs about as much as three lines."""

ABOVE = " lines as they stand above; recall "
"""Text of the marker between the number of lines and the handle of the whole."""

FOLDED = " lines folded away; recall "
"""The same once a fold has removed those lines."""

_MARKER = pattern(rf"^\[\d+{ABOVE}\w+\]$", re.MULTILINE)
_NOTE = pattern(r"\[\d[\d,]* lines (?:as they stand above|folded away)|\[lines? \d+")
"""Notes in place of lines: the number of those above, or the part of a file that is shown."""

RUN_CHARS = 100
"""Fewest characters of such a run."""


class KnownLines:
    """A set of known lines and of neighbouring pairs; empty lines between them do not count.

    After a note in place of lines, the line before is unknown: any may precede.
    """

    __slots__ = ("_next", "_opening", "each")

    def __init__(self) -> None:
        self.each: set[str] = set()
        self._next: set[tuple[str, str]] = set()
        self._opening: set[str] = set()

    def add(self, lines: Iterable[str]) -> None:
        """Add the lines of one text."""
        nonblank = list(filter(None, lines))
        self.each.update(nonblank)
        self._next.update(pairwise(nonblank))
        self._opening.update(line for before, line in pairwise(nonblank) if before[0] == "[" and _NOTE.match(before))

    def follows(self, before: str, line: str) -> bool:
        """True when ``line`` is empty, or known after ``before`` (or may be); without ``before``, known anywhere."""
        stands = not before or (before, line) in self._next or line in self._opening
        return not line or (line in self.each and stands)


class VisibleLines:
    """All lines that the model sees: the record, and after the fold the gathered sections and the steps.

    ``cores`` holds what they say, ``lines`` how they look without indentation. It grows with one conversation; another
    fold resets it.
    """

    __slots__ = ("_fold", "_gathered", "_newest", "_taken", "cores", "lines")

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, fold: Fold | None) -> None:
        self._fold = fold
        self._gathered = self._taken = 0
        self._newest: list[Step] = []
        self.cores, self.lines = KnownLines(), KnownLines()
        self._take(chunk.text for chunk in (fold.record if fold else ()))

    def update(self, conversation: Conversation, results: Iterable[ToolResult] = ()) -> VisibleLines:
        """This object after taking in all of ``conversation``, and the ``results`` so far of a reply under way."""
        turns, steps = _whole_turns(conversation, conversation.upto), _whole_steps(conversation)
        if conversation.fold is not self._fold or len(steps) < self._taken or len(turns) < self._gathered:
            self._begin(conversation.fold)
        for turn in turns[self._gathered :]:
            self._take(chunk.text for section in turn.gathered for chunk in section.chunks)
        self._gathered = len(turns)
        # One of the last two steps may have got a note since it was taken in; it is then another object.
        for step in steps[max(0, self._taken - 2) :]:
            if not any(step is known for known in self._newest):
                self._take(_texts(step, self._fold))
        self._newest, self._taken = steps[-2:], len(steps)
        self._take(result.text for result in results)
        return self

    def _take(self, texts: Iterable[str]) -> None:
        for text in texts:
            lines = text.splitlines()
            self.cores.add(map(core_of, lines))
            self.lines.add(map(str.strip, lines))


def visible_cores(conversation: Conversation) -> frozenset[str]:
    """The cores of all lines that the model sees."""
    return frozenset(VisibleLines().update(conversation).cores.each)


def texts_beside(conversation: Conversation, upto: Position) -> Iterator[str]:
    """What a fold up to ``upto`` keeps beside replies and results: what was gathered for turns, notes after steps."""
    yield from (chunk.text for turn in _whole_turns(conversation, upto) for s in turn.gathered for chunk in s.chunks)
    yield from (note.text for _, step in conversation.steps(upto) for note in step.notes)


def _whole_turns(conversation: Conversation, upto: Position) -> list[Turn]:
    """Turns that begin after the fold: the model sees what was gathered for them."""
    return list(conversation.turns[upto.turn + (upto.step > 0) :])


def _whole_steps(conversation: Conversation) -> list[Step]:
    """Steps after the fold."""
    return [step for _, step in conversation.steps(conversation.upto)]


def _texts(step: Step, fold: Fold | None) -> Iterator[str]:
    yield step.reply.text
    yield from (text for call in step.reply.calls for text in parse_arguments(call.arguments).texts)
    yield from (fold.masks.get(r.call_id, r.text) if fold else r.text for r in step.results)
    yield from (note.text for note in step.notes)


def replace_known_lines(text: str, known: KnownLines, handle: str, core: Callable[[str], str] = core_of) -> str:
    """The text with longer runs of ``known`` lines replaced by their number; ``handle`` recalls the whole.

    ``core`` maps a line to what is compared. A run must be known in this very order. Where another known run begins,
    its first line is shown, so that a list that lost a line, or a file that was edited, does not look unchanged.
    """
    out: list[str] = []
    run: list[str] = []
    before = ""
    for line in text.split("\n"):
        content = core(line)
        if known.follows(before, content):
            run.append(line)
            before = content or before
            continue
        out += _run_or_marker(run, handle)
        out.append(line)
        run, before = [], content if content in known.each else ""
    return "\n".join([*out, *_run_or_marker(run, handle)])


def references(text: str) -> list[str]:
    """The markers in a text that stand for lines above it."""
    return _MARKER.findall(text)


def _run_or_marker(run: list[str], handle: str) -> list[str]:
    """The marker that replaces a run of known lines; a short run unchanged."""
    if len(run) < RUN or sum(len(line.strip()) for line in run) < RUN_CHARS:
        return run
    return [f"[{len(run)}{ABOVE}{handle}]"]
