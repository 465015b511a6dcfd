"""What was said: the user's words, the model's replies and the results of its tool calls, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from ctxe.domain.picture import Picture
from ctxe.domain.section import Chunk, Section
from ctxe.domain.value import dataclass, field

StopReason = Literal["end", "tools", "length", "refusal", "filtered", "interrupted"]
Operation = Literal["read", "edit", "create", "delete"]
Outcome = Literal["answered", "steered", "interrupted", "step limit", "cost limit", "failed"]
"""How a turn ended; ``steered``: the user's next words came in between two of its steps."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; ``input`` includes what was read from and written to its cache.

    ``cache_write`` includes ``cache_write_1h``, what is kept for an hour where that is dearer than the usual time.
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
    """One call that a model asked for; ``arguments`` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A file that a tool read or changed; ``digest`` is the content hash afterwards, empty once deleted."""

    path: str
    operation: Operation
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model is told of one call. ``handle`` brings back the full text when ``text`` was shortened.

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
    """One whole answer of a model. ``carry`` is what only its provider understands and must get back (JSON text).

    ``dropped`` are the tools it was calling when it was cut short: such calls are not among ``calls`` and never run.
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
    """One reply together with all its results, in the order of its calls; a torn pair cannot be built.

    ``notes`` are what was told to the model right after the results (a file changed meanwhile, a new memory).
    Raises ValueError when calls and results do not match one to one.
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
    """A user's words, what was gathered for them, and every step until the answer or the next words."""

    words: str
    gathered: tuple[Section, ...] = ()
    steps: tuple[Step, ...] = ()
    outcome: Outcome | None = None

    @property
    def answer(self) -> str:
        """What the model said last; empty before its first reply."""
        return self.steps[-1].reply.text if self.steps else ""

    def changed(self) -> tuple[str, ...]:
        """Files that its tools edited, created or deleted, in the order of their first change."""
        touches = (touch for step in self.steps for result in step.results for touch in result.touches)
        return tuple(dict.fromkeys(touch.path for touch in touches if touch.operation != "read"))


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between steps: before step ``step`` of turn ``turn``. Step 0 is before the turn's own words."""

    turn: int = 0
    step: int = 0


BEGINNING = Position()


@dataclass(frozen=True, slots=True)
class Fold:
    """How history was made smaller: everything before ``upto`` gave way to ``record``; later results may be masked.

    With ``upto.step`` > 0 the running turn's words stand in the record. ``masks`` maps a call id to the text that
    stands for its result.
    """

    upto: Position
    record: tuple[Chunk, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""
    tokens_before: int = 0
    tokens_after: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns of a session, originals kept whole, and the fold through which the model sees them (if any)."""

    turns: tuple[Turn, ...] = ()
    fold: Fold | None = None

    @property
    def upto(self) -> Position:
        """Where the part ends that the fold stands for: the very beginning while nothing is folded."""
        return self.fold.upto if self.fold else BEGINNING

    def steps(self, since: Position = BEGINNING) -> Iterator[tuple[Position, Step]]:
        """Every step from a position on, in order, folded or not, with the position just before it."""
        for t in range(since.turn, len(self.turns)):
            steps = self.turns[t].steps
            for s in range(since.step if t == since.turn else 0, len(steps)):
                yield Position(t, s), steps[s]

    def changed(self) -> tuple[str, ...]:
        """Files that tools edited, created or deleted, in the order of their first change."""
        return tuple(dict.fromkeys(path for turn in self.turns for path in turn.changed()))

    def pictures(self) -> dict[str, tuple[Picture, int]]:
        """Pictures that were put before the model, oldest first: handle to picture and turn (from 1)."""
        found: dict[str, tuple[Picture, int]] = {}
        for picture, turn in self._shown(BEGINNING):
            found.setdefault(picture.handle, (picture, turn))
        return found

    def standing_pictures(self) -> tuple[Picture, ...]:
        """Pictures that the model sees through the fold, each as often as it stands there."""
        return tuple(picture for picture, _ in self._shown(self.upto, self.fold.masks if self.fold else ()))

    def _shown(self, since: Position, masks: Collection[str] = ()) -> Iterator[tuple[Picture, int]]:
        """Every picture from a position on with its turn (from 1), less those of results that are masked."""
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
