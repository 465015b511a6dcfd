"""Delegates of a session: one question, a conversation of its own with tools that read, its own model and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.log import Log
from ctxe.agent.session import Session
from ctxe.data import read_text
from ctxe.domain.errors import ToolError
from ctxe.domain.events import FileChosen
from ctxe.domain.tool import Action, Answer, Ask, Deny, Progress, ToolOutput
from ctxe.domain.value import dataclass, replace
from ctxe.project.clock import now
from ctxe.project.memory.keeping import keeping
from ctxe.project.models import choose
from ctxe.project.planning.plan_lines import found
from ctxe.project.session.errand import Errand
from ctxe.project.session.permit import Permit
from ctxe.project.session.ports import Learning, ports_for
from ctxe.project.sessions import delegates
from ctxe.project.window.compose import Composer, rules_section
from ctxe.project.window.folds import folds, trimmer
from ctxe.project.window.kit import Kit, kit_for
from ctxe.project.window.sources import composer
from ctxe.tools.plan import plan

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.purse import Purse

Number = TypeVar("Number", int, float)
READS = ("read_file", "list_files", "search", "recall")
"""What a delegate may do beside ``plan``: nothing that changes anything or that a person is asked about."""
WORDS = 0.6
"""Words that a token of prose makes, about."""
UNASKED = "a delegate asks nobody; say in your answer what you would have needed"


@dataclass(frozen=True, slots=True)
class Delegating:
    """Answers what the model of a session delegates; several questions of one reply one after the other.

    ``tools`` are the only ones the session offers (empty: all). ``asking`` is the session, ``purse`` its money.
    """

    project: Project
    permit: Permit
    tools: tuple[str, ...]
    asking: Callable[[], Session]
    purse: Callable[[], Purse]

    def __call__(self, task: str, files: Sequence[str]) -> Iterator[Progress | ToolOutput]:
        """What is done for a question, then its answer. Raises ToolError without money, ConfigError without a model."""
        if self.purse().empty:
            raise ToolError("the money for this session is spent: answer with what you have")
        project = narrowed(self.project, self._model(), self.purse().left)
        name, folder = delegates(project.place.sessions, self.asking().id)
        log = Log.create(folder, name, project.root.name, now, parent=self.asking().id)
        session, composed = self._opened(project, log)
        for path in files:
            for _ in session.emit(FileChosen(path, "read-only")):
                pass
        errand = Errand(session, project.config.delegate.answer_tokens, self.purse().pay)
        try:
            yield from errand.run(task)
        finally:
            composed.save()

    def _model(self) -> str:
        settings = self.project.config
        return settings.delegate.model or settings.model.cheap or self.asking().ports.provider.model.id

    def _opened(self, project: Project, log: Log) -> tuple[Session, Composer]:
        """The conversation: loop, sources and folds are those of any session; rules, tools and limits are its own."""
        name = log.path.stem
        only = tuple(tool for tool in READS if not self.tools or tool in self.tools)
        kit = kit_for(project, keeping(project, name), state=lambda: session.state, only=READS)
        tools = {tool: kit.tools[tool] for tool in only}
        tools |= {} if self.tools else {"plan": plan(lambda task: found(project, task, kit.purse))}
        kit = replace(kit, tools=tools)
        composed = _composer(project, kit, name, lambda: session.state.files)
        steps = project.config.budget.max_steps
        folding = folds(project, composed)
        policy = replace(folding.policy, calls=lambda done: float(max(0, steps - done)))
        trim = trimmer(composed.budget.window, composed.count, lambda: session.state)
        runs = Dispatcher(kit.tools, self.permit.decide, _unasked, trim, kit.clean)
        ports = ports_for(project, replace(folding, policy=policy), runs, kit)
        session = Session(name, log, ports, listeners=(Learning(lambda: composed),))
        return session, composed


def narrowed(project: Project, model: str, left: float) -> Project:
    """The project as a delegate has it: its own model, window and limits, and no delegates of its own.

    ``left`` are the dollars that the session has left (0: no limit).
    """
    config, own = project.config, project.config.delegate
    budget = replace(
        config.budget,
        window=_least(own.window, config.budget.window),
        max_cost=_least(own.max_cost, left),
        max_steps=min(own.max_steps, config.budget.max_steps),
    )
    settings = replace(
        config, budget=budget, model=replace(config.model, name=model, effort=""), delegate=replace(own, enabled=False)
    )
    return replace(project, loaded=replace(project.loaded, config=settings))


def _composer(project: Project, kit: Kit, name: str, chosen: Callable[[], Sequence[tuple[str, str]]]) -> Composer:
    """What composes its requests: with the rules of a delegate, everything else as for any session."""
    words = round(project.config.delegate.answer_tokens * WORDS, -1)
    rules = read_text("delegate.md").replace("{words}", f"{words:.0f}")
    composed = composer(project, choose(project), kit, name, chosen)
    return replace(composed, offers=replace(composed.offers, rules=rules_section(rules)))


def _least(one: Number, other: Number) -> Number:
    """The lower of two limits; 0 is none."""
    return min(one, other) if one and other else one or other


def _unasked(_action: Action, _ask: Ask) -> Answer:
    return Deny(UNASKED)
