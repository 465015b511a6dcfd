"""What stands in the request already, line by line, so that it is not sent again.

Lines are known by what they say (their core), wherever they stand and whatever number or indentation they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from ctxe.context.calls import taken_apart
from ctxe.context.lines import core_of
from ctxe.domain.conversation import Conversation, Fold, Step, Turn
from ctxe.domain.pattern import pattern

RUN = 4
"""Lines in a row from which on a repetition is told and not shown: a marker costs about as much as three lines."""

ABOVE = " lines as they stand above; recall "
"""What tells of lines that stand already, between their number and the handle of the whole."""

_NOTE = pattern(r"\[\d[\d,]* lines as they stand above|\[lines? \d+")
"""What stands where lines do not: the number of those above, the place of a part of a file."""

RUN_CHARS = 100
"""Characters that such a run has at least."""


class Lines:
    """Lines that stand, and which stand next to one another; empty ones between them count for nothing.

    Of a line behind a note that others stand above, or are left out, nobody knows here what is before it.
    """

    __slots__ = ("_next", "_opening", "each")

    def __init__(self) -> None:
        self.each: set[str] = set()
        self._next: set[tuple[str, str]] = set()
        self._opening: set[str] = set()

    def take(self, lines: Iterable[str]) -> None:
        """A text more, line by line."""
        told = list(filter(None, lines))
        self.each.update(told)
        self._next.update(pairwise(told))
        self._opening.update(line for before, line in pairwise(told) if before[0] == "[" and _NOTE.match(before))

    def follows(self, before: str, line: str) -> bool:
        """Whether a line stands behind another somewhere, or may; where nothing is before it, whether it stands."""
        stands = not before or (before, line) in self._next or line in self._opening
        return not line or (line in self.each and stands)


class Standing:
    """All lines that the model has before it: the record, and after the fold what was gathered and steps as told.

    ``cores`` are what they say, ``lines`` how they stand there without indentation. It grows with one conversation;
    another fold begins it anew.
    """

    __slots__ = ("_fold", "_gathered", "_newest", "_taken", "cores", "lines")

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, fold: Fold | None) -> None:
        self._fold = fold
        self._gathered = self._taken = 0
        self._newest: list[Step] = []
        self.cores, self.lines = Lines(), Lines()
        self._take(chunk.text for chunk in (fold.record if fold else ()))

    def of(self, conversation: Conversation) -> Standing:
        """The same with all of a conversation taken in."""
        turns, steps = _whole_turns(conversation), _whole_steps(conversation)
        if conversation.fold is not self._fold or len(steps) < self._taken or len(turns) < self._gathered:
            self._begin(conversation.fold)
        for turn in turns[self._gathered :]:
            self._take(chunk.text for section in turn.gathered for chunk in section.chunks)
        self._gathered = len(turns)
        # Something may have been told after a step since it was taken in: then it is another value.
        for step in steps[max(0, self._taken - 2) :]:
            if not any(step is known for known in self._newest):
                self._take(_texts(step, self._fold))
        self._newest, self._taken = steps[-2:], len(steps)
        return self

    def _take(self, texts: Iterable[str]) -> None:
        for text in texts:
            lines = text.splitlines()
            self.cores.take(map(core_of, lines))
            self.lines.take(map(str.strip, lines))


def standing(conversation: Conversation) -> frozenset[str]:
    """The cores of all lines that the model has before it."""
    return frozenset(Standing().of(conversation).cores.each)


def _whole_turns(conversation: Conversation) -> list[Turn]:
    """The turns whose beginning no fold stands for: what was gathered for them is before the model."""
    upto = conversation.upto
    return list(conversation.turns[upto.turn + (upto.step > 0) :])


def _whole_steps(conversation: Conversation) -> list[Step]:
    """The steps that no fold stands for."""
    return [step for _, step in conversation.steps(conversation.upto)]


def _texts(step: Step, fold: Fold | None) -> Iterator[str]:
    yield step.reply.text
    yield from (text for call in step.reply.calls for text in taken_apart(call.arguments).texts)
    yield from (fold.masks.get(r.call_id, r.text) if fold else r.text for r in step.results)
    yield from (note.text for note in step.notes)


def unrepeated(text: str, known: Lines, handle: str, core: Callable[[str], str] = core_of) -> str:
    """A text whose longer runs of ``known`` lines are told as a number; ``handle`` brings the whole back.

    ``core`` is what of a line has to be known. A run stands somewhere in this very order: where another begins, its
    first line is shown, so that a list which lost a line, or a file that was edited, does not look as it did.
    """
    told: list[str] = []
    run: list[str] = []
    before = ""
    for line in text.split("\n"):
        said = core(line)
        if known.follows(before, said):
            run.append(line)
            before = said or before
            continue
        told += _told(run, handle)
        told.append(line)
        run, before = [], said if said in known.each else ""
    return "\n".join([*told, *_told(run, handle)])


def _told(run: list[str], handle: str) -> list[str]:
    """A run of known lines, or what stands for it."""
    if len(run) < RUN or sum(len(line.strip()) for line in run) < RUN_CHARS:
        return run
    return [f"[{len(run)}{ABOVE}{handle}]"]
