"""When a session's requests are folded, what a fold keeps, what is shown again later, and when the next fold comes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.context.calls import shows_files
from ctxe.context.compact import FoldPolicy
from ctxe.context.cost import Billing
from ctxe.context.focus import SHARE as FOCUS_SHARE
from ctxe.context.focus import focus_chunk, focus_of
from ctxe.context.fold import TODO, fold_room, next_fold
from ctxe.context.forecast import forecast
from ctxe.context.known_lines import VisibleLines
from ctxe.context.lines import Whole
from ctxe.context.lost_lines import settle_references
from ctxe.context.relevance import names_at_work
from ctxe.context.restore import chunks_to_restore
from ctxe.context.survey import Survey
from ctxe.context.tokens import Count
from ctxe.context.tool_output import shown_output
from ctxe.domain.conversation import Fold, Position, ToolResult
from ctxe.domain.past import Forecast
from ctxe.domain.section import Chunk
from ctxe.domain.tool import ToolOutput
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.skills.page import OPENING
from ctxe.project.memory.standing import memory
from ctxe.project.window.compose import Composer
from ctxe.project.window.pace import calls_still_expected
from ctxe.project.window.pictures import pictures_list
from ctxe.project.window.web_pages import pages_list

if TYPE_CHECKING:
    from ctxe.project import Project


@dataclass(frozen=True, slots=True)
class Folds:
    """The folds of one session; ``composer`` composes the requests that they shrink.

    ``survey`` grows with the session, so that each fold reads only the steps since the one before. ``lessons`` gives
    the memory chunks that were recalled before a position.
    """

    composer: Composer
    policy: FoldPolicy
    survey: Survey = field(default_factory=Survey)
    lessons: Callable[[State, Position], Sequence[Chunk]] = lambda _, __: ()

    def fold(self, state: State, cause: str, focus: str = "") -> Fold | None:
        """The fold that the next request needs, or that ``cause`` demands; None when there is none.

        Lines about the words in ``focus`` stay in view. An empty ``focus`` means the focus of the previous fold.
        """
        fold = self._with_lessons(state, cause, focus)
        return fold and settle_references(
            state.conversation, fold, _originals(state), self.composer.budget, self.composer.count
        )

    def _with_lessons(self, state: State, cause: str, focus: str) -> Fold | None:
        """The fold with lessons and focus lines, or with fewer of them where it would free too little."""
        conversation = state.conversation
        fold = self._folded(state, cause)
        if fold is None:
            return None
        lessons = tuple(self.lessons(state, fold.upto))
        kept = self._focused(state, focus or focus_of(conversation), fold)
        if not (lessons or kept):
            return fold
        for also in ((*kept, *lessons), lessons) if lessons else (kept,):
            if made := self._folded(state, cause, *also):
                return made
        # With its lessons the fold would save too little. Without them it is made only after an overflow.
        return None if lessons and cause != "overflow" else fold

    def _focused(self, state: State, focus: str, fold: Fold) -> tuple[Chunk, ...]:
        """The lines of the folded part that are about the words in ``focus``."""
        if not focus:
            return ()
        folded = self._seen(state).before(fold.upto)
        kept = focus_chunk(focus, folded, int(FOCUS_SHARE * self.composer.budget.usable), self.composer.count)
        return (kept,) if kept else ()

    def _folded(self, state: State, cause: str, *kept: Chunk) -> Fold | None:
        return next_fold(
            self.composer.frame(state),
            state.conversation,
            self.composer.budget,
            self.composer.count,
            self.policy,
            cause=cause,
            also=(*kept, *_always_kept(state)),
            survey=partial(self._seen, state),
        )

    def _seen(self, state: State) -> Survey:
        return self.survey.update(state.conversation, _originals(state))

    def restore(self, state: State) -> tuple[Chunk, ...]:
        """Folded lines that the newest step is likely to need, where there is room for them."""
        conversation = state.conversation
        if conversation.fold is None and not state.originals:
            return ()
        composer, frame = self.composer, self.composer.frame(state)
        return chunks_to_restore(
            frame, conversation, composer.budget.usable, composer.count, partial(self._seen, state)
        )

    def forecast(self, state: State, grown: Sequence[int]) -> Forecast | None:
        """When the next fold comes if steps keep adding as many tokens as the latest ones in ``grown``.

        None before the first request.
        """
        if state.ledger is None:
            return None
        composer, conversation, size = self.composer, state.conversation, state.folded_size or state.ledger.used
        room = fold_room(composer.frame(state), conversation, composer.budget.usable, composer.count)
        return forecast(room, conversation, self.policy, size, grown, composer.model.prices)


def folds(project: Project, composer: Composer) -> Folds:
    """The folds of a session, from the settings, the prices of its model and the length of past sessions."""
    fold, target = project.config.fold, project.config.budget.target_tokens
    policy = FoldPolicy(
        fold.at,
        fold.to,
        fold.keep_recent,
        fold.record_share,
        target,
        fold.decay_after,
        fold.window,
        fold.checkpoint_every,
        Billing.of(composer.model.prices),
        calls_still_expected(project.place.sessions, composer.session),
    )
    return Folds(composer, policy, lessons=lambda state, upto: lessons_before(project, composer, state, upto))


def lessons_before(project: Project, composer: Composer, state: State, upto: Position) -> tuple[Chunk, ...]:
    """Memory recalled with turns that are now folded, and failures learnt in this session, in their current wording.

    Each entry is read from the store again, newest turns first, within what is left of memory's share.
    """
    if not project.config.memory.enabled:
        return ()
    from ctxe.knowledge.memory import RECALLED

    turns = state.conversation.turns[: upto.turn + (upto.step > 0)]
    recalled = [s for turn in reversed(turns) for s in turn.gathered if s.name == RECALLED]
    names = dict.fromkeys(chunk.id for section in recalled for chunk in section.chunks)
    spent = sum(composer.count(c.text) for s in state.standing or () if s.share == "memory" for c in s.chunks)
    room = composer.budget.room("memory") - spent
    found = memory(project, composer.count).again(tuple(names), composer.session, room)
    return tuple(replace(chunk, text=composer.offers.clean(chunk.text)) for chunk in found)


def trimmer(window: int, count: Count, state: Callable[[], State]) -> Callable[[ToolOutput], tuple[str, str]]:
    """A function that trims tool output on arrival, by the limit of its kind; gives the text and a handle to the whole.

    Long runs of lines that the model still has in its context are not repeated. Where a text is cut, lines near names
    the session works with are kept.
    """
    known = VisibleLines()

    def at_work() -> Collection[str]:
        return names_at_work(state().conversation, state().pending)

    def cut(output: ToolOutput) -> tuple[str, str]:
        shown = known.update(state().conversation, state().results)
        is_file = shows_files((output.facts or {}).get("command") or "")
        done = shown_output(
            output.text, output.kind, window, count, shown, output.token_limit, at_work, output.about, is_file=is_file
        )
        return done.text, done.handle

    return cut


def _originals(state: State) -> Whole:
    """How a fold reads the full text of a result.

    A skill counts as empty: a fold carries it over or drops it, but keeps no single lines of it.
    """

    def text(result: ToolResult) -> str:
        found = state.full_text(result)
        return "" if found.startswith(OPENING) else found

    return text


def _always_kept(state: State) -> Iterator[Chunk]:
    """Chunks that every fold keeps besides words and record: pins, summary, plan, todo, lists of pictures and pages."""
    for number, pin in enumerate(state.pins, start=1):
        yield Chunk(f"pin {number}", f"[the user pins this] {pin}", "you pinned it")
    if state.summary:
        head = f"[A model's summary up to step {state.summary.steps}; what stands word for word counts more.]"
        yield Chunk("summary", f"{head}\n{state.summary.text}", f"by {state.summary.model}")
    if state.plan:
        yield Chunk("plan", f"[the plan that the user approved]\n{state.plan}", "you approved this plan")
    if state.todo:
        items = "\n".join(f"- [{how}] {what}" for what, how in state.todo)
        yield Chunk(TODO, f"[todo list]\n{items}", "the todo list as it stands")
    yield from pictures_list(state.conversation)
    yield from pages_list(state.conversation)
