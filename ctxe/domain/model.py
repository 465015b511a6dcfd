"""The interface to a model: the request, the stream that comes back, and what is known of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Usage
from ctxe.domain.picture import Picture
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens. Without a cache price, the provider charges cached tokens as plain input.

    ``cache_write`` is for the usual few minutes, ``cache_write_1h`` for an hour.

    Some providers bill a whole reply at the prices in ``long`` when its input is above ``long_above`` tokens.
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    long: Prices | None = None
    long_above: int = 0
    cache_write_1h: float | None = None

    def cost(self, usage: Usage) -> float:
        """US dollars for one reply; cache reads and writes are billed at their own prices."""
        if self.long is not None and usage.input > self.long_above:
            return self.long.cost(usage)
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        hour = write if self.cache_write_1h is None else self.cache_write_1h
        plain = max(0, usage.input - usage.cache_read - usage.cache_write)
        written = usage.cache_write * write + usage.cache_write_1h * (hour - write)
        return (plain * self.input + usage.cache_read * read + written + usage.output * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the catalog knows it. ``window`` is the most tokens that input and reply may hold together.

    ``efforts`` (see Effort) are those it takes, empty when not known. ``budgeted``: its thinking is limited in tokens.
    ``bound``: its thoughts are valid only after the messages they followed. ``effort`` is what the user asked for,
    empty for the provider's default.
    """

    provider: str
    name: str
    window: int
    max_output: int
    prices: Prices | None = None
    encoding: str = "o200k_base"
    exact: bool = False
    tools: bool = True
    reasoning: bool = False
    images: bool = False
    efforts: tuple[str, ...] = ()
    budgeted: bool = False
    bound: bool = False
    effort: str = ""

    @property
    def id(self) -> str:
        """``provider/name``, as the user writes it."""
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """A tool as the model sees it; ``parameters`` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Carry:
    """A provider's own blocks (JSON text, see Reply.carry), to be returned to the provider that made them."""

    json: str
    model: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a user message; the sender finds its bytes by their hash."""

    picture: Picture


Block = Text | Image | ToolCall | ToolResult | Carry


@dataclass(frozen=True, slots=True)
class Message:
    """One message on the wire; results come first in a user message, carried blocks first in an assistant's."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a model is sent for one reply: tools, system blocks and messages, the stable parts first.

    The first ``settled_blocks`` blocks of the first message may outlast this epoch: they deserve a cache breakpoint.
    ``effort`` is how hard to think (see Model); ``max_output`` limits thoughts and answer together.
    """

    tools: tuple[ToolSchema, ...]
    system: tuple[str, ...]
    messages: tuple[Message, ...]
    max_output: int
    session: str = ""
    settled_blocks: int = 0
    effort: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text of the answer as it streams."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """Text of the model's thinking, where the provider shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A tool call is being written; ``size`` is the characters of arguments so far."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Billed:
    """What the provider has counted so far of an answer that is still streaming; the final count is in the reply.

    ``usd`` is its price where the provider states it: only a gateway itself knows its prices.
    """

    counted: Usage
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The provider could not answer and is asked again after ``seconds``; text already shown is void."""

    seconds: float
    why: str


Delta = TextDelta | ReasoningDelta | CallDelta | Billed | Waiting


class Provider(Protocol):
    """One model behind one endpoint."""

    @property
    def model(self) -> Model:
        """The model that answers."""
        ...

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas as they arrive, then exactly one Reply. Raises ProviderError; closing the iterator ends the stream."""
        ...
