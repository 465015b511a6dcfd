"""The conversation: the user's words, the model's replies and the results of its tool calls, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from ctxe.domain.picture import Picture
from ctxe.domain.section import Chunk, Section
from ctxe.domain.value import dataclass, field

StopReason = Literal["end", "tools", "length", "refusal", "filtered", "interrupted"]
Operation = Literal["read", "edit", "create", "delete"]
Outcome = Literal["answered", "steered", "interrupted", "step limit", "cost limit", "failed"]
"""How a turn ended; ``steered``: the user's next words came between two of its steps."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; ``input`` includes cache reads and cache writes.

    ``cache_write`` includes ``cache_write_1h``: tokens cached for an hour, where that costs more than the usual time.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.cache_write_1h + other.cache_write_1h,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.input - other.input,
            self.output - other.output,
            self.cache_read - other.cache_read,
            self.cache_write - other.cache_write,
            self.cache_write_1h - other.cache_write_1h,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asked for; ``arguments`` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A file that a tool read or changed; ``digest`` is its content hash afterwards, empty when deleted."""

    path: str
    operation: Operation
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call as the model sees it. ``handle`` recalls the full text when ``text`` was shortened.

    A ``picture`` is shown after the text.
    """

    call_id: str
    text: str
    ok: bool = True
    handle: str = ""
    touches: tuple[Touch, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer of a model. ``carry`` (JSON text) is for its provider alone, which must get it back.

    ``dropped`` names the tools of calls that were cut short: they are not among ``calls`` and never run.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    stop: StopReason = "end"
    usage: Usage | None = None
    model: str = ""
    carry: str = ""
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One reply with all its results, in the order of its calls; it cannot be built with a result missing.

    ``notes`` were sent to the model right after the results (a file changed meanwhile, a new memory). Raises ValueError
    when calls and results do not match one to one.
    """

    reply: Reply
    results: tuple[ToolResult, ...] = ()
    notes: tuple[Chunk, ...] = ()

    def __post_init__(self) -> None:
        asked = [call.id for call in self.reply.calls]
        answered = [result.call_id for result in self.results]
        if asked != answered or len(set(asked)) != len(asked):
            raise ValueError(f"calls {asked} and results {answered} do not pair one to one")


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's words, the sections gathered for them, and every step until the answer or the next words."""

    words: str
    gathered: tuple[Section, ...] = ()
    steps: tuple[Step, ...] = ()
    outcome: Outcome | None = None

    @property
    def answer(self) -> str:
        """The text of the model's last reply; empty before its first."""
        return self.steps[-1].reply.text if self.steps else ""

    def changed(self) -> tuple[str, ...]:
        """Files that its tools edited, created or deleted, in the order of their first change."""
        touches = (touch for step in self.steps for result in step.results for touch in result.touches)
        return tuple(dict.fromkeys(touch.path for touch in touches if touch.operation != "read"))


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between steps: before step ``step`` of turn ``turn``. Step 0 is before the turn's words."""

    turn: int = 0
    step: int = 0


BEGINNING = Position()


@dataclass(frozen=True, slots=True)
class Fold:
    """A compaction of history: ``record`` replaces everything before ``upto``; later results may be masked.

    With ``upto.step`` > 0 the running turn's words are in the record. ``masks`` maps a call id to the text that
    replaces its result.
    """

    upto: Position
    record: tuple[Chunk, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""
    tokens_before: int = 0
    tokens_after: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns of a session, originals kept whole, and the fold through which the model sees them, if any."""

    turns: tuple[Turn, ...] = ()
    fold: Fold | None = None

    @property
    def upto(self) -> Position:
        """Where the folded part ends; the beginning while nothing is folded."""
        return self.fold.upto if self.fold else BEGINNING

    def steps(self, since: Position = BEGINNING) -> Iterator[tuple[Position, Step]]:
        """(position before it, step) for every step since ``since``, in order, folded or not."""
        for t in range(since.turn, len(self.turns)):
            steps = self.turns[t].steps
            for s in range(since.step if t == since.turn else 0, len(steps)):
                yield Position(t, s), steps[s]

    def changed(self) -> tuple[str, ...]:
        """Files that tools edited, created or deleted, in the order of their first change."""
        return tuple(dict.fromkeys(path for turn in self.turns for path in turn.changed()))

    def pictures(self) -> dict[str, tuple[Picture, int]]:
        """Pictures that were shown to the model, oldest first: handle to (picture, turn from 1)."""
        found: dict[str, tuple[Picture, int]] = {}
        for picture, turn in self._shown(BEGINNING):
            found.setdefault(picture.handle, (picture, turn))
        return found

    def standing_pictures(self) -> tuple[Picture, ...]:
        """Pictures that the model sees with the fold applied, each as often as it appears."""
        return tuple(picture for picture, _ in self._shown(self.upto, self.fold.masks if self.fold else ()))

    def _shown(self, since: Position, masks: Collection[str] = ()) -> Iterator[tuple[Picture, int]]:
        """(picture, turn from 1) for every picture since ``since``, except in masked results."""
        for t in range(since.turn, len(self.turns)):
            first = since.step if t == since.turn else 0
            gathered = self.turns[t].gathered if first == 0 else ()
            yield from ((one.picture, t + 1) for section in gathered for one in section.chunks if one.picture)
            results = (result for step in self.turns[t].steps[first:] for result in step.results)
            yield from ((one.picture, t + 1) for one in results if one.picture and one.call_id not in masks)

    def touched(self) -> dict[str, Touch]:
        """The last touch of every file, keyed by path, in the order of first touch."""
        last: dict[str, Touch] = {}
        for _, step in self.steps():
            for result in step.results:
                last.update((touch.path, touch) for touch in result.touches)
        return last
