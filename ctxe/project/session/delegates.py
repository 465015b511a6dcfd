"""Delegates of a session: each answers one question in its own conversation, with read-only tools and own limits."""

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
from ctxe.project.memory.writer import memory_writer
from ctxe.project.models import choose
from ctxe.project.planning.plan_lines import plan_lines
from ctxe.project.session.delegate_run import DelegateRun
from ctxe.project.session.permit import Permit
from ctxe.project.session.ports import TokenCalibration, ports_for
from ctxe.project.sessions import delegates
from ctxe.project.window.compose import Composer, rules_section
from ctxe.project.window.folds import folds, trimmer
from ctxe.project.window.kit import Kit, kit_for
from ctxe.project.window.sources import composer
from ctxe.tools.plan import plan

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.allowance import Allowance

Number = TypeVar("Number", int, float)
READS = ("read_file", "list_files", "search", "recall")
"""Tools of a delegate besides ``plan``: none changes anything or needs approval."""
WORDS = 0.6
"""Words per token of prose, roughly."""
UNASKED = "a delegate asks nobody; say in your answer what you would have needed"


@dataclass(frozen=True, slots=True)
class Delegates:
    """Answers questions that a session's model delegates. Several questions of one reply run one after the other.

    ``tools`` are the only ones that the session offers (empty: all). ``session`` gives the session, ``allowance``
    its money.
    """

    project: Project
    permit: Permit
    tools: tuple[str, ...]
    session: Callable[[], Session]
    allowance: Callable[[], Allowance]

    def __call__(self, task: str, files: Sequence[str]) -> Iterator[Progress | ToolOutput]:
        """Progress while the delegate works, then its answer.

        Raises ToolError when the money is spent, ConfigError without a model.
        """
        if self.allowance().is_spent:
            raise ToolError("the money for this session is spent: answer with what you have")
        project = delegate_project(self.project, self._model(), self.allowance().left)
        name, folder = delegates(project.place.sessions, self.session().id)
        log = Log.create(folder, name, project.root.name, now, parent=self.session().id)
        session, composed = self._open(project, log)
        for path in files:
            for _ in session.emit(FileChosen(path, "read-only")):
                pass
        delegate = DelegateRun(session, project.config.delegate.answer_tokens, self.allowance().charge)
        try:
            yield from delegate.run(task)
        finally:
            composed.save()

    def _model(self) -> str:
        settings = self.project.config
        return settings.delegate.model or settings.model.cheap or self.session().ports.provider.model.id

    def _open(self, project: Project, log: Log) -> tuple[Session, Composer]:
        """The delegate's conversation: the usual loop, sources and folds, but its own rules, tools and limits."""
        name = log.path.stem
        only = tuple(tool for tool in READS if not self.tools or tool in self.tools)
        kit = kit_for(project, memory_writer(project, name), state=lambda: session.state, only=READS)
        tools = {tool: kit.tools[tool] for tool in only}
        tools |= {} if self.tools else {"plan": plan(lambda task: plan_lines(project, task, kit.allowance))}
        kit = replace(kit, tools=tools)
        composed = _composer(project, kit, name, lambda: session.state.files)
        steps = project.config.budget.max_steps
        folding = folds(project, composed)
        policy = replace(folding.policy, calls=lambda done: float(max(0, steps - done)))
        trim = trimmer(composed.budget.window, composed.count, lambda: session.state)
        runs = Dispatcher(kit.tools, self.permit.decide, _deny, trim, kit.clean)
        ports = ports_for(project, replace(folding, policy=policy), runs, kit)
        session = Session(name, log, ports, listeners=(TokenCalibration(lambda: composed),))
        return session, composed


def delegate_project(project: Project, model: str, left: float) -> Project:
    """The project as a delegate uses it: its own model, window and limits, and no delegates of its own.

    ``left`` is the money that the session has left, in dollars (0: no limit).
    """
    config, own = project.config, project.config.delegate
    budget = replace(
        config.budget,
        window=_lower_limit(own.window, config.budget.window),
        max_cost=_lower_limit(own.max_cost, left),
        max_steps=min(own.max_steps, config.budget.max_steps),
    )
    settings = replace(
        config, budget=budget, model=replace(config.model, name=model, effort=""), delegate=replace(own, enabled=False)
    )
    return replace(project, loaded=replace(project.loaded, config=settings))


def _composer(project: Project, kit: Kit, name: str, chosen: Callable[[], Sequence[tuple[str, str]]]) -> Composer:
    """A composer of requests with the rules of a delegate, otherwise as for any session."""
    words = round(project.config.delegate.answer_tokens * WORDS, -1)
    rules = read_text("delegate.md").replace("{words}", f"{words:.0f}")
    composed = composer(project, choose(project), kit, name, chosen)
    return replace(composed, offers=replace(composed.offers, rules=rules_section(rules)))


def _lower_limit(one: Number, other: Number) -> Number:
    """The lower of two limits; 0 means no limit."""
    return min(one, other) if one and other else one or other


def _deny(_action: Action, _ask: Ask) -> Answer:
    return Deny(UNASKED)
