"""Runs one tool call, from the arguments the model wrote to its result: checked, decided, run, cleaned, trimmed."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from ctxe.context.calls import call_title
from ctxe.domain.closing import closed_at_end
from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.errors import CtxeError, Denied, NotApplied, ToolError
from ctxe.domain.events import Event, ToolFinished, ToolStarted
from ctxe.domain.tool import (
    Action,
    Allow,
    Answer,
    Ask,
    Decision,
    Deny,
    KnownFailure,
    Progress,
    Revise,
    Tool,
    ToolOutput,
)
from ctxe.domain.value import dataclass, field, replace

Trim = Callable[[ToolOutput], tuple[str, str]]
STOPPED = "[the user stopped it here; what it had done by then stays done]"
PIECES = 1_000
"""Newest pieces of output that are kept of an action that is stopped."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """An action that may run, who allowed it, and the arguments with which a person replaced the model's."""

    action: Action
    by: str
    revised: str


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What running a call needs. ``before_run`` is told of an allowed action (undo points).

    ``trim`` gives text and handle. ``approve`` asks a person. ``on_granted`` receives the rule of an "always".
    ``known_failure`` looks up what is remembered of an action before it runs, ``recognise_failure`` of a failure that
    just happened. ``clean`` removes secrets and invisible characters.
    """

    tools: Mapping[str, Tool]
    decide: Callable[[Action], Decision]
    approve: Callable[[Action, Ask], Answer]
    trim: Trim
    clean: Callable[[str], str]
    before_run: Callable[[Action], None] = field(default=lambda _: None)
    on_granted: Callable[[str], None] = field(default=lambda _: None)
    known_failure: Callable[[Action], KnownFailure | None] = field(default=lambda _: None)
    recognise_failure: Callable[[ToolOutput], KnownFailure | None] = field(default=lambda _: None)

    def __call__(self, call: ToolCall) -> Iterator[Event]:
        """Run one call; the last event is always its ToolFinished. Only interrupts and bugs are raised.

        When a running action is interrupted, ToolFinished comes first, with the output so far; then the interrupt is
        raised.
        """
        began, title, running = time.monotonic(), "", False
        pieces: deque[str] = deque(maxlen=PIECES)
        known: KnownFailure | None = None
        try:
            action = self._prepared(call.name, call.arguments)
            title = self.clean(action.title)
            known = self.known_failure(action)
            if known and known.way == "answer":
                yield _answer_from_memory(call, title, known)
                return
            permitted = self._permitted(call, action, known)
            began, title = time.monotonic(), self.clean(permitted.action.title)
            yield ToolStarted(call.id, call.name, title, permitted.by)
            self.before_run(permitted.action)
            running = True
            output = self._cleaned((yield from _run(permitted.action, pieces)))
        except (ToolError, CtxeError) as error:
            yield self._failed(call, title, error, known, time.monotonic() - began)
            return
        except KeyboardInterrupt:
            if running:
                text = f"{''.join(pieces).rstrip()}\n{STOPPED}".lstrip()
                stopped = ToolOutput(text, ok=False, kind="shell", facts={"stopped": True})
                yield self._finished(call, title, self._cleaned(stopped), began)
            raise
        if permitted.revised:
            note = f"[the user changed the arguments to {permitted.revised}]\n"
            yield self._finished(call, title, output, began, note)
        else:
            more = _note_of(self.recognise_failure(output) or (None if output.ok else known))
            yield self._finished(call, title, output, began, more=more)

    def _failed(
        self, call: ToolCall, title: str, error: ToolError | CtxeError, known: KnownFailure | None, seconds: float
    ) -> ToolFinished:
        """The event of a call that did not run or broke off."""
        message = self.clean(str(error))
        result = ToolResult(call.id, message + _note_of(known), ok=False)
        facts: dict[str, Any] = {"unapplied": True} if isinstance(error, NotApplied) else {}
        if isinstance(error, Denied):
            facts, seconds = {"refused": message}, 0.0  # the time a person took to answer does not count
        return ToolFinished(result, call.name, title or call_title(call), seconds=seconds, facts=facts)

    def _cleaned(self, output: ToolOutput) -> ToolOutput:
        """The output without secrets, also in its facts: they are logged, and failure entries are made of them."""
        text, display = self.clean(output.text), self.clean(output.display)
        return replace(output, text=text, display=display, facts=_map_strings(self.clean, output.facts))

    def _finished(
        self, call: ToolCall, title: str, output: ToolOutput, began: float, note: str = "", more: str = ""
    ) -> ToolFinished:
        """The event with the trimmed text for the model and the display for the user."""
        text, handle = self.trim(output)
        return ToolFinished(
            ToolResult(
                call.id, f"{note}{text or '(no output)'}{more}", output.ok, handle, output.touches, output.picture
            ),
            call.name,
            title,
            output.display,
            output.text if handle else "",
            time.monotonic() - began,
            dict(output.facts or {}),
        )

    def _permitted(self, call: ToolCall, action: Action, known: KnownFailure | None) -> Permitted:
        """The action that may run. Raises Denied."""
        decision: Decision | Answer = _with_known(self.decide(action), known)
        by, revised = "rule", ""
        while not isinstance(decision, Allow):
            if isinstance(decision, Deny):
                raise Denied(f"not permitted: {decision.why}")
            if isinstance(decision, Revise):
                revised = decision.arguments
                action = self._prepared(call.name, revised)
                decision = self._recheck(action)
                continue
            decision, by = self.approve(action, decision), "user"
        if by == "user" and decision.rule:
            self.on_granted(decision.rule)
        return Permitted(action, by, revised)

    def _recheck(self, action: Action) -> Decision:
        """Arguments that a person wrote are not asked about again, but a deny still holds."""
        decision = self.decide(action)
        return decision if isinstance(decision, Deny) else Allow()

    def _prepared(self, name: str, arguments: str) -> Action:
        tool = self.tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}; the tools are {', '.join(sorted(self.tools))}")
        return replace(tool.prepare(_decoded(arguments)), arguments=arguments)


def _with_known(decision: Decision, known: KnownFailure | None) -> Decision:
    """The decision with the remembered failure in its question; an Allow becomes a question where it demands one."""
    if known is None or isinstance(decision, Deny) or (isinstance(decision, Allow) and known.way != "ask"):
        return decision
    return replace(decision if isinstance(decision, Ask) else Ask(), known=known.lesson)


def _map_strings(change: Callable[[str], str], value: Any) -> Any:
    """A value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _map_strings(change, inner) for key, inner in value.items()}
    return [_map_strings(change, inner) for inner in value] if isinstance(value, list | tuple) else value


def _answer_from_memory(call: ToolCall, title: str, known: KnownFailure) -> ToolFinished:
    """The result of a call that is answered from memory instead of being run."""
    result = ToolResult(call.id, known.message, ok=False)
    return ToolFinished(result, call.name, title, facts={"repeats": known.signature})


def _note_of(known: KnownFailure | None) -> str:
    return f"\n{known.message}" if known and known.message else ""


def _decoded(arguments: str) -> dict[str, Any]:
    """The arguments as an object. Raises ToolError for anything else: a broken call never runs."""
    try:
        decoded = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the arguments are not valid JSON ({error}); nothing was run") from None
    if not isinstance(decoded, dict):
        raise ToolError("the arguments must be a JSON object; nothing was run")
    return decoded


def _run(action: Action, collected: deque[str]) -> Generator[Event, None, ToolOutput]:
    """Run an action, yielding its progress; ``collected`` gets the pieces of output."""
    output: ToolOutput | None = None
    pieces = action.run()
    with closed_at_end(pieces):
        for item in pieces:
            if isinstance(item, Progress):
                collected.append(item.text)
                yield item
            else:
                output = item
    if output is None:
        raise ToolError("the tool ended without a result")
    return output
