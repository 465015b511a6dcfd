"""The state of a session at one moment; ``transitions`` derives it from the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.domain.conversation import BEGINNING, Conversation, Fold, Position, Reply, ToolResult, Turn, Usage
from ctxe.domain.ledger import Ledger
from ctxe.domain.section import Chunk, Section
from ctxe.domain.value import dataclass, field, replace

if TYPE_CHECKING:
    from ctxe.domain.events import Summarized


@dataclass(frozen=True, slots=True)
class State:
    """A session between two events.

    ``pending`` is a reply whose step is not complete yet, ``results`` are its results so far, ``started`` the ids of
    its calls that ran or are running. ``standing`` are the sections before the conversation, None when the next request
    begins an epoch; the current epoch began at ``since``. ``marks`` are the marks of the newest request (see assemble).
    ``previous_marks``, at the beginning of an epoch, are those of the last request before it, whose beginning the
    provider may still cache. ``files`` are the user's (path, choice); ``queued`` is sent with the next words. ``mode``
    is the approval mode chosen during the session (empty: the one it began with). ``plan`` is the plan that the user
    approved, until all of it is done. ``originals`` maps a handle to the full text of a shortened result.
    ``folded_size`` is the size that a fold left, in tokens, until a request says how much it is.
    """

    conversation: Conversation = Conversation()
    standing: tuple[Section, ...] | None = None
    since: Position = BEGINNING
    model: str = ""
    effort: str = ""
    mode: str = ""
    pending: Reply | None = None
    results: tuple[ToolResult, ...] = ()
    started: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    previous_marks: tuple[str, ...] = ()
    ledger: Ledger | None = None
    pins: tuple[str, ...] = ()
    folds: tuple[Fold | None, ...] = ()
    summary: Summarized | None = None
    originals: dict[str, str] = field(default_factory=dict)
    todo: tuple[tuple[str, str], ...] = ()
    plan: str = ""
    files: tuple[tuple[str, str], ...] = ()
    queued: tuple[Chunk, ...] = ()
    usage: Usage = Usage()
    usd: float = 0.0
    running: bool = False
    folded_size: int = 0

    @property
    def turn(self) -> Turn:
        """The newest turn. Raises IndexError before the first."""
        return self.conversation.turns[-1]

    @property
    def end(self) -> Position:
        """The position after the newest step."""
        turns = self.conversation.turns
        return Position(len(turns) - 1, len(turns[-1].steps)) if turns else BEGINNING

    @property
    def size(self) -> int:
        """Tokens of the conversation: what a fold left, else the newest request and its answer; 0 before the first.

        As the provider counted them, where it did.
        """
        usage = self.newest_usage
        counted = usage.input + usage.output if usage and usage.input else self.ledger.used if self.ledger else 0
        return self.folded_size or counted

    def full_text(self, result: ToolResult) -> str:
        """The text of a result as its tool returned it, before it was shortened for the model."""
        return self.originals.get(result.handle, result.text)

    @property
    def newest_usage(self) -> Usage | None:
        """The provider's count for the newest reply; None when it gave none, and before the first."""
        steps = self.conversation.turns[-1].steps if self.conversation.turns else ()
        return steps[-1].reply.usage if steps else None

    def with_new_turn(self, words: str, gathered: tuple[Section, ...]) -> State:
        """The state after the user's words and the sections ``gathered`` for them are added as a new turn."""
        turns = (*self.conversation.turns, Turn(words, gathered))
        return replace(self, conversation=replace(self.conversation, turns=turns), running=True, queued=())
