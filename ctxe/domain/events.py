"""Events of a session, as the user sees them and as the log keeps them: a closed union of frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ctxe.domain.conversation import Fold, Outcome, Reply, ToolResult, Usage
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Billed, CallDelta, ReasoningDelta, TextDelta, Waiting
from ctxe.domain.section import Chunk, Section
from ctxe.domain.tool import Progress
from ctxe.domain.value import dataclass, field

Choice = Literal["add", "read-only", "drop"]
"""What the user wants done with a file."""


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """From now on the session uses this model (``provider/name``)."""

    model: str
    type: Literal["model_chosen"] = "model_chosen"


@dataclass(frozen=True, slots=True)
class EffortChosen:
    """From now on the model is asked for this effort; empty: the provider's default."""

    effort: str = ""
    type: Literal["effort_chosen"] = "effort_chosen"


@dataclass(frozen=True, slots=True)
class ModeChosen:
    """From now on the user's approval mode is this one (ask, auto-edit, auto, read-only)."""

    mode: str
    type: Literal["mode_chosen"] = "mode_chosen"


@dataclass(frozen=True, slots=True)
class EpochStarted:
    """From now on these sections precede the conversation, unchanged until the next fold or change of model."""

    sections: tuple[Section, ...]
    type: Literal["epoch_started"] = "epoch_started"


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The user said something; ``gathered`` is sent with the words and is part of history from then on."""

    words: str
    gathered: tuple[Section, ...] = ()
    type: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True, slots=True)
class ContextAssembled:
    """A request is about to be sent, with this ledger."""

    ledger: Ledger
    type: Literal["context_assembled"] = "context_assembled"


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """A whole reply came; its calls have not run yet. ``usd`` is its price, ``seconds`` how long it took."""

    reply: Reply
    usd: float | None = None
    seconds: float = 0.0
    type: Literal["reply_received"] = "reply_received"


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A call was allowed and now runs; ``by`` is who allowed it (rule, user, mode, your settings)."""

    call_id: str
    tool: str
    title: str
    by: str = ""
    type: Literal["tool_started"] = "tool_started"


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A call ended, whether it ran or not. ``full`` is the whole text when the result's was shortened."""

    result: ToolResult
    tool: str = ""
    title: str = ""
    display: str = ""
    full: str = ""
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["tool_finished"] = "tool_finished"


@dataclass(frozen=True, slots=True)
class Noted:
    """The model was told something at the end of the newest step."""

    chunks: tuple[Chunk, ...]
    type: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class StepFinished:
    """The reply and all its results form a step; ``number`` counts from 1 within the turn."""

    number: int
    type: Literal["step_finished"] = "step_finished"


@dataclass(frozen=True, slots=True)
class Folded:
    """History was made smaller."""

    fold: Fold
    type: Literal["folded"] = "folded"


@dataclass(frozen=True, slots=True)
class Unfolded:
    """The newest fold was taken back."""

    type: Literal["unfolded"] = "unfolded"


@dataclass(frozen=True, slots=True)
class Summarized:
    """A model summarised the session up to step ``steps``; the summary replaces nothing."""

    text: str
    steps: int
    model: str = ""
    usage: Usage | None = None
    usd: float | None = None
    type: Literal["summarized"] = "summarized"


@dataclass(frozen=True, slots=True)
class Consulted:
    """A model was asked something beside the conversation (``why``), at this price.

    ``session`` names the delegate that got the reply: its own log says what was asked.
    """

    why: str
    model: str
    usage: Usage | None = None
    usd: float | None = None
    session: str = ""
    type: Literal["consulted"] = "consulted"


@dataclass(frozen=True, slots=True)
class Pinned:
    """The user wants this text in every request; with ``pinned`` False, no longer."""

    text: str
    pinned: bool = True
    type: Literal["pinned"] = "pinned"


@dataclass(frozen=True, slots=True)
class FileChosen:
    """The user wants a file sent with the next words (``add``, ``read-only``), or no longer (``drop``)."""

    path: str
    choice: Choice
    type: Literal["file_chosen"] = "file_chosen"


@dataclass(frozen=True, slots=True)
class Queued:
    """Sent to the model with the user's next words (the output of a command that the user ran)."""

    chunks: tuple[Chunk, ...]
    type: Literal["queued"] = "queued"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something was written to the project memory; ``by`` says who wrote it."""

    kind: Literal["decision", "fact", "preference", "routine", "failure", "log", "proposal"]
    id: str
    title: str
    by: str
    path: str = ""
    type: Literal["recorded"] = "recorded"


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the user that is not an answer of the model."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    type: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The turn ended; usage and price are those of the whole turn."""

    outcome: Outcome
    usage: Usage = Usage()
    usd: float | None = None
    seconds: float = 0.0
    why: str = ""
    type: Literal["turn_finished"] = "turn_finished"


Kept = (
    ModelChosen
    | EffortChosen
    | ModeChosen
    | EpochStarted
    | TurnStarted
    | ContextAssembled
    | ReplyReceived
    | ToolStarted
    | ToolFinished
    | Noted
    | StepFinished
    | Folded
    | Unfolded
    | Summarized
    | Consulted
    | Pinned
    | FileChosen
    | Queued
    | Recorded
    | Notice
    | TurnFinished
)
"""Events that the session log keeps."""

Shown = TextDelta | ReasoningDelta | CallDelta | Billed | Waiting | Progress
"""Events for the screen only."""

Event = Kept | Shown
