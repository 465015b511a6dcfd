"""A conversation under a token budget, driven from outside: words, replies and outputs go in, requests come out.

It trims, folds and assembles as a chat does, without a session, a model or a disk: the core of `ctxe replay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ctxe.context.assemble import Assembled, Frame, assemble
from ctxe.context.budget import Budget
from ctxe.context.calls import kind_of, parse_arguments
from ctxe.context.compact import FoldPolicy
from ctxe.context.fold import next_fold
from ctxe.context.known_lines import VisibleLines
from ctxe.context.lost_lines import settle_references
from ctxe.context.relevance import names_at_work
from ctxe.context.restore import chunks_to_restore
from ctxe.context.survey import Survey
from ctxe.context.tokens import Count
from ctxe.context.tool_output import shown_output
from ctxe.domain.conversation import Conversation, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.errors import ConfigError
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.value import replace
from ctxe.storage.vocabulary import count, encoding

RESERVE = 4_096
"""Tokens that ``ctxe replay`` always keeps for the reply: part of its public contract."""
MARGIN = 64
"""Tokens for message framing: texts that join a message in a chat are messages of their own here."""


class Replayed:
    """One conversation that grows; ``request`` folds it when that is due."""

    __slots__ = (
        "_count",
        "_originals",
        "_policy",
        "_standing",
        "_survey",
        "budget",
        "conversation",
        "frame",
    )

    def __init__(self, budget: Budget, count: Count) -> None:
        self.budget = budget
        self.frame, self.conversation = Frame(), Conversation()
        self._count, self._policy = count, FoldPolicy()
        self._originals: dict[str, str] = {}
        self._standing = VisibleLines()
        self._survey = Survey()

    def instruct(self, text: str) -> None:
        """Append to the system prompt."""
        section = Section(f"rules {len(self.frame.sections)}", Priority.SYSTEM, (Chunk("rules", text),), "system")
        self.frame = replace(self.frame, sections=(*self.frame.sections, section))

    def say(self, words: str) -> None:
        """Begin a turn with the user's words."""
        self.conversation = replace(self.conversation, turns=(*self.conversation.turns, Turn(words)))

    def step(self, reply: Reply, texts: dict[str, str]) -> None:
        """Add a reply and its results, trimmed on arrival. ``texts`` holds the full text of each result by call id."""
        results = list[ToolResult]()
        for call in reply.calls:
            results.append(self._told_result(call, texts[call.id], reply, results))
        *before, running = self.conversation.turns
        running = replace(running, steps=(*running.steps, Step(reply, tuple(results))))
        self.conversation = replace(self.conversation, turns=(*before, running))

    def request(self) -> Assembled:
        """The next request, after a fold if one is due. Raises BudgetError."""
        made = next_fold(self.frame, self.conversation, self.budget, self._count, self._policy, survey=self._seen)
        if made is not None:
            made = settle_references(self.conversation, made, self.original, self.budget, self._count)
            self.conversation = replace(self.conversation, fold=made)
        self._bring_back()
        return assemble(self.frame, self.conversation, self.budget, self._count)

    def _bring_back(self) -> None:
        """Show lines again that the newest step is likely to need.

        They are placed before that step, which has not been sent yet, so the sent prefix stays as it is.
        """
        if not self._originals and self.conversation.fold is None:
            return
        place = Position(len(self.conversation.turns) - 1, len(self.conversation.turns[-1].steps) - 2)
        if place.step < 0 or place < self.conversation.upto:
            return
        usable = self.budget.usable
        chunks = chunks_to_restore(self.frame, self.conversation, usable, self._count, self._seen)
        if chunks:
            self.conversation = _with_notes(self.conversation, place, chunks)

    def _seen(self) -> Survey:
        return self._survey.update(self.conversation, self.original)

    def original(self, result: ToolResult) -> str:
        """The full text of a result, as it was given."""
        return self._originals.get(result.call_id, result.text)

    def _told_result(self, call: ToolCall, text: str, reply: Reply, before: Sequence[ToolResult]) -> ToolResult:
        """The tool result as the model gets it, trimmed on arrival; ``before`` are the results above it."""
        asked = parse_arguments(call.arguments)
        kind = kind_of(call.name, asked)
        known = self._standing.update(self.conversation, before)
        at_work = partial(names_at_work, self.conversation, reply)
        done = shown_output(text, kind, self.budget.window, self._count, known, at_work=at_work)
        if done.text != text:
            self._originals[call.id] = text
        return ToolResult(call.id, done.text, handle=done.handle)


def _with_notes(conversation: Conversation, place: Position, chunks: tuple[Chunk, ...]) -> Conversation:
    """The conversation with notes added after the step at ``place``."""
    turn = conversation.turns[place.turn]
    step = turn.steps[place.step]
    step = replace(step, notes=(*step.notes, *chunks))
    turn = replace(turn, steps=(*turn.steps[: place.step], step, *turn.steps[place.step + 1 :]))
    turns = (*conversation.turns[: place.turn], turn, *conversation.turns[place.turn + 1 :])
    return replace(conversation, turns=turns)


def replayed(window: int, vocabulary: str) -> tuple[Replayed, Count]:
    """An empty conversation and its counter, which counts each text once. Raises ConfigError without room for words.

    It loads the whole vocabulary now; otherwise one answer in the middle of the conversation would take half a second.
    """
    if window <= RESERVE + MARGIN:
        raise ConfigError(f"--budget {window} leaves no room beside the {RESERVE:,} tokens of the reply", "give more")
    encoding(vocabulary)
    known: dict[str, int] = {}

    def counted(text: str) -> int:
        size = known.get(text)
        if size is None:
            size = known[text] = count(text, vocabulary)
        return size

    return Replayed(Budget(window, RESERVE + MARGIN), counted), counted
