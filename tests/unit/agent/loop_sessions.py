"""Makes sessions of real parts around a scripted model, for tests of the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.limits import Limits
from ctxe.agent.log import Log
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.turn import Ports
from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.domain.conversation import Fold
from ctxe.domain.errors import ToolError
from ctxe.domain.events import Event, ToolFinished, TurnFinished
from ctxe.domain.model import Model, Prices, ToolSchema
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.tool import (
    Action,
    Allow,
    Answer,
    Ask,
    Decision,
    Deny,
    Progress,
    Risk,
    Tool,
    ToolOutput,
    without_progress,
)
from ctxe.providers.scripted import Line, Scripted
from tests.support.counting import count_words

MODEL = Model("scripted", "test", 10_000, 1_000, Prices(1.0, 10.0), exact=True)
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "be right"),), "system")


def echo(arguments: Mapping[str, Any]) -> Action:
    if "say" not in arguments:
        raise ToolError("say is missing")
    said = str(arguments["say"])
    if said == "raise":

        def run() -> Iterator[Progress | ToolOutput]:
            yield Progress("…")
            raise KeyboardInterrupt

        return Action("echo", "echo", Risk.READ, run)
    return Action(
        "echo",
        f"echo {said}",
        Risk.EXECUTE,
        without_progress(lambda: ToolOutput(said, facts={"said": said})),
        command=said,
    )


NO_LIMIT = Limits()
ECHO = Tool(ToolSchema("echo", "Say it.", {"type": "object"}), Risk.READ, echo)


def clean(text: str) -> str:
    return text.replace("secret", "[masked]")


def trim(output: ToolOutput) -> tuple[str, str]:
    return (output.text[:20] + "…", "h1") if len(output.text) > 20 else (output.text, "")


def session(
    folder: Path,
    *script: Line,
    decide: Callable[[Action], Decision] = lambda _: Allow(),
    approve: Callable[[Action, Ask], Answer] = lambda _, __: Deny("nobody is here"),
    limits: Limits = NO_LIMIT,
    fold: Callable[[State, str], Fold | None] = lambda _, __: None,
) -> tuple[Session, Scripted]:
    provider = Scripted(script, MODEL, count=count_words)
    dispatcher = Dispatcher({"echo": ECHO}, decide, approve, trim, clean)
    frame = Frame((ECHO.schema,), (RULES,), MODEL.id)
    ports = Ports(
        provider,
        standing=lambda _: (RULES,),
        gather=lambda _, __: (),
        freshen=lambda _: (),
        fold=fold,
        compose=lambda state: assemble(
            replace(frame, sections=state.standing or ()),
            state.conversation,
            Budget(10_000, 100),
            count_words,
            state.marks,
        ),
        dispatch=lambda call, _: dispatcher(call),
        limits=limits,
    )
    log = Log.create(folder, "s1", "demo", lambda: "2026-11-21T10:00:00Z")
    return Session("s1", log, ports), provider


def finished(events: list[Event]) -> TurnFinished:
    (end,) = [event for event in events if isinstance(event, TurnFinished)]
    return end


def results(events: list[Event]) -> list[str]:
    return [event.result.text for event in events if isinstance(event, ToolFinished)]
