"""What a session is at a moment; ``transitions`` says how its events lead there."""

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
    """A session between two events. ``pending`` is a reply whose step is not joined yet, ``results`` what came so far,
    ``started`` the ids of its calls that ran or run.

    ``standing`` are the sections before the conversation, None when the next request begins an epoch; the one that
    runs began at ``since``. ``held`` are
    the marks of the newest request (see assemble), ``left`` at the begin of an epoch those of the last one before it:
    the provider may hold its beginning still. ``files`` are the user's (path, choice), ``queued`` is told with the
    next words. ``mode`` is the approval mode that was chosen on the way (empty: the one it began with), ``plan`` the
    one that the user approved, while something of it is to be done. ``originals`` maps a handle to the full text of a
    shortened result. ``folded`` is what a fold left, in tokens, until a request tells how much it is.
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
    held: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
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
    folded: int = 0

    @property
    def turn(self) -> Turn:
        """The newest turn. Raises IndexError before the first."""
        return self.conversation.turns[-1]

    @property
    def end(self) -> Position:
        """The place behind the newest step."""
        turns = self.conversation.turns
        return Position(len(turns) - 1, len(turns[-1].steps)) if turns else BEGINNING

    @property
    def size(self) -> int:
        """Tokens of what was said so far: what a fold left, else the newest request and its answer; 0 before the first.

        As the provider counted them, where it did.
        """
        usage = self.newest_usage
        counted = usage.input + usage.output if usage and usage.input else self.ledger.used if self.ledger else 0
        return self.folded or counted

    def whole(self, result: ToolResult) -> str:
        """The text of a result as its tool gave it, before it was shortened for the model."""
        return self.originals.get(result.handle, result.text)

    @property
    def newest_usage(self) -> Usage | None:
        """What the provider counted for the newest reply; None where it did not, and before the first."""
        steps = self.conversation.turns[-1].steps if self.conversation.turns else ()
        return steps[-1].reply.usage if steps else None

    def asked(self, words: str, gathered: tuple[Section, ...]) -> State:
        """The session once the user has said these words; what was ``gathered`` for them rides along."""
        turns = (*self.conversation.turns, Turn(words, gathered))
        return replace(self, conversation=replace(self.conversation, turns=turns), running=True, queued=())
