"""The parts of a request in wire order: one piece per chunk, tool, user message or step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ctxe.context.long_messages import shorten_message
from ctxe.context.tokens import JOIN, MESSAGE, Count, block_tokens, picture_tokens, schema_tokens
from ctxe.domain.conversation import Fold, Step, ToolResult, Turn
from ctxe.domain.model import Block, Carry, Image, Message, Request, Text, ToolSchema
from ctxe.domain.section import Chunk, Placement, Priority, Section, Tier, digest
from ctxe.domain.value import dataclass, replace

HEADING = "(heading)"
NO_ANSWER = "(no answer)"

RECORD = "record"
"""Id of the chunks of a fold that are parts of the running record."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One ledger row and what it puts on the wire: a tool, system text, or blocks of a message.

    ``joins`` means that the blocks continue the message of the piece before. A step's reply and results are one piece,
    so that no cut can separate them.
    """

    section: str
    chunk: str
    priority: Priority
    placement: Placement
    tokens: int
    digest: str
    why: str = ""
    tier: Tier = "full"
    tool: ToolSchema | None = None
    text: str = ""
    messages: tuple[Message, ...] = ()
    joins: bool = False


def tool_piece(schema: ToolSchema, count: Count) -> Piece:
    """The piece of one tool's schema."""
    tokens = schema_tokens(schema, count)
    mark = digest(f"{schema.name}\0{schema.description}\0{schema.parameters!r}")
    return Piece("tools", schema.name, Priority.TOOLS, "tools", tokens, mark, "core tool", tool=schema)


def section_pieces(section: Section, count: Count) -> tuple[Piece, ...]:
    """The heading and chunks of a section, whether it stands in the system prompt or is sent with the user's words.

    The system prompt proper has no heading.
    """
    head = Chunk(HEADING, f"# {section.name}", "names the section")
    chunks = (head, *section.chunks) if section.chunks and section.priority is not Priority.SYSTEM else section.chunks
    return tuple(_chunk_piece(section, chunk, count) for chunk in chunks)


def _chunk_piece(section: Section, chunk: Chunk, count: Count) -> Piece:
    # Most APIs send the system prompt as a message of its own.
    tokens = count(chunk.text) + JOIN + (MESSAGE if section.priority is Priority.SYSTEM else 0)
    tokens += picture_tokens(chunk.picture, count)
    shown: tuple[Block, ...] = (Text(chunk.text), Image(chunk.picture)) if chunk.picture else (Text(chunk.text),)
    in_message = section.placement != "system"
    return Piece(
        section.name,
        chunk.id,
        section.priority,
        section.placement,
        tokens,
        chunk.digest,
        chunk.why,
        chunk.tier,
        text="" if in_message else chunk.text,
        messages=(Message("user", shown),) if in_message else (),
        joins=in_message,
    )


def record_pieces(fold: Fold, count: Count) -> tuple[Piece, ...]:
    """The chunks that replace everything before the fold: one user message."""
    section = Section("record", Priority.TASK, fold.record, "past")
    pieces = [_chunk_piece(section, chunk, count) for chunk in fold.record]
    if pieces:
        pieces[0] = replace(pieces[0], joins=False, tokens=pieces[0].tokens + MESSAGE)
    return tuple(pieces)


def turn_pieces(turn: Turn, number: int, count: Count, *, running: bool) -> tuple[tuple[Piece, ...], Piece]:
    """The pieces gathered for a turn, and the piece of the user's words; all are one message, the words last."""
    older = Priority.RECENT
    gathered = [piece for section in turn.gathered for piece in section_pieces(section, count)]
    if not running:
        gathered = [replace(piece, priority=older) for piece in gathered]
    text = shorten_message(turn.words)
    words = Piece(
        "task" if running else "conversation",
        f"turn {number}",
        Priority.TASK if running else older,
        "conversation",
        count(text) + MESSAGE,
        digest(turn.words),
        "the user's words" if text is turn.words else "the user's words; what is left out is had by its handle",
        messages=(Message("user", (Text(text),)),),
        joins=bool(gathered),
    )
    if gathered:
        gathered[0] = replace(gathered[0], joins=False)
    return tuple(gathered), words


def step_piece(
    step: Step, name: str, count: Count, fold: Fold | None, priority: Priority, *, own: bool = True
) -> Piece:
    """One step as the model sees it with ``fold`` applied: reply, results (masked where the fold says so), notes.

    Without ``own``, the model's provider-specific blocks are not sent; the content hash includes them either way.
    """
    masked = fold is not None and any(result.call_id in fold.masks for result in step.results)
    messages, mark = _messages_of(_with_masks(step, fold) if fold and fold.masks else step)
    if step.reply.carry and not own:
        messages = (_without_carry(messages[0]), *messages[1:])
    # After tool results, most APIs send a note as a message of its own.
    tokens = MESSAGE * (1 + len(step.notes))
    tokens += sum(block_tokens(block, count) for message in messages for block in message.blocks)
    why = "newest step" if priority is Priority.TASK else "masked by the fold" if masked else "recent step"
    return Piece("conversation", name, priority, "conversation", tokens, mark, why, messages=messages)


# Every request holds every step again, and hashing a whole window takes longer than the rest of composing it.
@lru_cache(maxsize=4096)
def _messages_of(step: Step) -> tuple[tuple[Message, ...], str]:
    """The messages of a step and their content hash."""
    messages = tuple(_step_messages(step))
    return messages, digest("\0".join(repr(message) for message in messages))


def _step_messages(step: Step) -> Iterator[Message]:
    reply = step.reply
    blocks: list[Block] = [Carry(reply.carry, reply.model)] if reply.carry else []
    if reply.text:
        blocks.append(Text(reply.text))
    blocks += reply.calls
    if not blocks:
        blocks.append(Text(NO_ANSWER))
    yield Message("assistant", tuple(blocks))
    back: list[Block] = [*step.results, *(Text(note.text) for note in step.notes)]
    if back:
        yield Message("user", tuple(back))


def _without_carry(message: Message) -> Message:
    blocks = tuple(block for block in message.blocks if not isinstance(block, Carry))
    return Message(message.role, blocks or (Text(NO_ANSWER),))


def _with_masks(step: Step, fold: Fold) -> Step:
    """The step with results replaced by the fold's masks."""
    return replace(step, results=tuple(_masked(result, fold.masks.get(result.call_id)) for result in step.results))


def _masked(result: ToolResult, mask: str | None) -> ToolResult:
    return result if mask is None else replace(result, text=mask, picture=None)


def request_of(pieces: Sequence[Piece], max_output: int, session: str, effort: str = "") -> Request:
    """Build the request from pieces in wire order; consecutive system pieces of a section form one block."""
    tools = tuple(piece.tool for piece in pieces if piece.tool is not None)
    system: dict[str, list[str]] = {}
    messages: list[Message] = []
    for piece in pieces:
        if piece.placement == "system":
            system.setdefault(piece.section, []).append(piece.text)
        elif piece.joins and messages and messages[-1].role == piece.messages[0].role:
            joined = messages[-1].blocks + piece.messages[0].blocks
            messages[-1:] = [Message(messages[-1].role, joined), *piece.messages[1:]]
        else:
            messages += piece.messages
    texts = tuple("\n\n".join(texts) for texts in system.values())
    return Request(tools, texts, tuple(messages), max_output, session, _settled(pieces), effort)


def _settled(pieces: Sequence[Piece]) -> int:
    """Blocks at the start of the conversation that the next fold may keep: up to the last part of the record."""
    folded = [piece.chunk for piece in pieces if piece.section == "record"]
    return max((n for n, chunk in enumerate(folded, start=1) if chunk == RECORD), default=0)


def marks(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """Content hashes of pieces in wire order: two requests share a prefix as far as these agree."""
    return tuple(piece.digest for piece in pieces)
