"""Asks every source of a session for its sections and composes the next request from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.context.assemble import Assembled, Frame, assemble, pack
from ctxe.context.budget import Budget
from ctxe.context.conversation_pieces import conversation_pieces
from ctxe.context.tokens import Count
from ctxe.domain.conversation import BEGINNING, Usage
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Model, ToolSchema
from ctxe.domain.section import Chunk, Priority, Section, ShareName, Source, Task
from ctxe.domain.value import dataclass, replace
from ctxe.project.models import Counter
from ctxe.project.window.mentions import NAMED, delegate_places, mentioned_paths
from ctxe.project.window.web_pages import queued_sections

if TYPE_CHECKING:
    from ctxe.knowledge.rules.instructions import Instructions

STANDING_ORDER: dict[str, int] = {"instructions": 0, "skills": 1, "memory": 2}


@dataclass(frozen=True, slots=True)
class SessionSources:
    """The sources of a session with the budget shares of their sections, and its fixed parts: rules and schemas.

    ``named`` makes a section of the files that the user's words mention. ``surroundings`` tells where the session runs
    (platform, branch, date), ``changes`` what changed in files since the model saw them. ``clean`` is applied to every
    text from outside. ``going`` reports background work in words (empty: none). ``instructions`` is one of the sources;
    it is held separately for the notices it has for the user.
    """

    rules: Section
    schemas: tuple[ToolSchema, ...]
    sources: tuple[tuple[ShareName, Source], ...]
    named: Callable[[Sequence[str], int], Section]
    surroundings: Callable[[], Section]
    changes: Callable[[State, Budget], Sequence[Section]]
    clean: Callable[[str], str]
    going: Callable[[], str]
    instructions: Instructions


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes the requests of one session for one model. Token counts do not change within an epoch."""

    offers: SessionSources
    model: Model
    budget: Budget
    counter: Counter
    session: str

    @property
    def count(self) -> Count:
        """The token counter of the session's model, for texts and pictures."""
        return self.counter.count

    def standing(self, state: State) -> tuple[Section, ...]:
        """The sections before the conversation, most stable first: rules, instructions, skills, memory."""
        offered = [s for s in self._offered(task_of("", state), _files_in_use(state)) if s.placement == "system"]
        offered.sort(key=lambda section: STANDING_ORDER.get(section.share or "", 9))
        return (self.offers.rules, *offered)

    def gather(self, words: str, state: State, *, ahead: bool = False) -> tuple[Section, ...]:
        """Sections to send with the user's words, within their shares and without chunks that the request holds.

        ``ahead``: the user has not sent the words yet. No host is asked then, since that costs money: no embeddings, no
        second look of a model at the plan.
        """
        held = (set(state.marks) or set(_standing_marks(state))).union(_open_failures(state))
        paths = dict.fromkeys(
            [*task_of(words, state).named, *(path for path, choice in state.files if choice != "drop")]
        )
        named = self.offers.named(tuple(paths), self.budget.room("files"))
        entered = (*_files_in_use(state), *paths)
        standing = (path for section in state.standing or () for path in _full_files(section))
        task = replace(task_of(words, state), sent_whole=(*_files_of(named), *standing), is_preview=ahead)
        sections = [s for s in self._offered(task, entered) if s.placement == "task"]
        sections.append(named)
        sections += queued_sections(state.queued)
        fresh = [*(_without_held(section, held) for section in sections), *self._surroundings(state, held)]
        found = tuple(s for s in pack(fresh, self.budget, self.count) if s.chunks or s.left_out)
        return (*found, *map(self.cleaned, self.offers.changes(state.with_new_turn(words, found), self.budget)))

    def _surroundings(self, state: State, held: set[str]) -> list[Section]:
        """Where the session runs: with its first words, after a fold, and when branch or day have changed."""
        now = self.offers.surroundings()
        shown = [one.chunks for turn in state.conversation.turns for one in turn.gathered if one.name == now.name]
        current = shown[-1:] == [now.chunks] and held.issuperset(chunk.digest for chunk in now.chunks)
        return [] if current else [now]

    def compose(self, state: State) -> Assembled:
        """The next request of a session. Raises BudgetError."""
        previous = state.marks or state.previous_marks
        made = assemble(self.frame(state), state.conversation, self.budget, self.count, previous)
        return made if state.marks else replace(made, ledger=replace(made.ledger, broke=""))

    def preview(self, words: str, state: State) -> Ledger:
        """The ledger of the request that these words would send. Raises BudgetError."""
        if state.standing is None:
            state = replace(state, standing=self.standing(state), since=state.end)
        state = replace(state, originals=dict(state.originals))
        return self.compose(state.with_new_turn(words, self.gather(words, state, ahead=True))).ledger

    def learn(self, ledger: Ledger, usage: Usage) -> None:
        """Correct the token estimate by the provider's count, for models without a public tokenizer."""
        if self.counter.estimate:
            self.counter.estimate.learn(ledger.used, usage.input)

    def settle(self) -> None:
        """At the start of an epoch, count with what the estimate has learnt so far."""
        if self.counter.estimate:
            self.counter.estimate.settle()

    def save(self) -> None:
        """Save token counts and estimates for other sessions."""
        self.settle()
        self.counter.counts.save()

    def frame(self, state: State) -> Frame:
        """The fixed part of a request.

        A bound model's thinking blocks are valid only behind the prefix they were produced with; hosts refuse them
        after a fold or a change of rules. So they are sent back only from the start of the epoch on.
        """
        return Frame(
            self.offers.schemas,
            state.standing or (),
            self.model.id,
            self.model.exact,
            min(self.model.max_output, self.budget.reserve),
            self.session,
            self.model.effort,
            state.since if self.model.bound else BEGINNING,
        )

    def _offered(self, task: Task, entered: Sequence[str]) -> list[Section]:
        """The sections of every source, in source order.

        Instructions are asked last, since they depend on the files that other sources bring.
        """
        found: dict[int, list[Section]] = {}
        ask = sorted(enumerate(self.offers.sources), key=lambda pair: pair[1][0] == "instructions")
        for place, (share, source) in ask:
            if share == "instructions":
                brought = [path for sections in found.values() for one in sections for path in _files_of(one)]
                task = replace(task, files=tuple(dict.fromkeys((*task.files, *entered, *brought))))
            found[place] = [self.cleaned(section) for section in source.offer(task, self.budget.room(share))]
            task = replace(
                task, sent_whole=(*task.sent_whole, *(path for one in found[place] for path in _full_files(one)))
            )
        return [section for place in sorted(found) for section in found[place]]

    def cleaned(self, section: Section) -> Section:
        """The section without keys and invisible characters, whichever source it comes from."""
        return replace(section, chunks=tuple(replace(one, text=self.offers.clean(one.text)) for one in section.chunks))


def _standing_marks(state: State) -> Iterator[str]:
    """Digests of what the first request of an epoch holds anyway, for instance after a fold or a change of model."""
    parts = conversation_pieces(state.conversation, len)
    yield from (piece.digest for piece in (*parts.record, *parts.older, *parts.gathered, *parts.steps))
    yield from (chunk.digest for section in state.standing or () for chunk in section.chunks)


def task_of(words: str, state: State) -> Task:
    """The task for which sources are asked, made of the user's words and the files that the session works with."""
    conversation = state.conversation
    under_way = bool(conversation.turns) and conversation.turns[-1].outcome == "steered"
    files = tuple(dict.fromkeys((*conversation.touched(), *delegate_places(conversation))))
    return Task(words, files, mentioned_paths(words), under_way)


def _files_in_use(state: State) -> tuple[str, ...]:
    """Files that the user's words named in this session, or that were put into the context window with them."""
    turns = state.conversation.turns
    named = [path for turn in turns for path in mentioned_paths(turn.words)]
    given = [path for turn in turns for section in turn.gathered for path in _files_of(section)]
    return tuple(dict.fromkeys([*named, *given, *(path for path, choice in state.files if choice != "drop")]))


def _files_of(section: Section) -> list[str]:
    """Paths of the files that a section shows; none for a section that shows no files."""
    shows = section.share == "files" or section.name == NAMED
    return [chunk.path for chunk in section.chunks if chunk.path] if shows else []


def _full_files(section: Section) -> list[str]:
    """Paths that a section holds in full, such as instruction files and skills."""
    return [chunk.path for chunk in section.chunks if chunk.path and chunk.tier == "full"]


def _open_failures(state: State) -> Iterator[str]:
    """Ids of the failures that the standing memory section already tells in full, one line each."""
    for chunk in (chunk for section in state.standing or () for chunk in section.chunks if section.name == "memory"):
        if chunk.id == "failures":
            yield from (line.split(" ", 2)[1] for line in chunk.text.splitlines() if line.startswith("- "))


def _without_held(section: Section, held: set[str]) -> Section:
    """The section without chunks that the model already has, by id or by digest."""
    return replace(section, chunks=tuple(one for one in section.chunks if held.isdisjoint((one.id, one.digest))))


def rules_section(text: str) -> Section:
    """The system prompt as a section."""
    return Section("rules", Priority.SYSTEM, (Chunk("rules", text.strip(), "always"),), "system")
