"""One delegate at work: its progress is shown and its replies are paid for as they come; it ends in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctxe.agent.limits import Limits
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.turn import Ports
from ctxe.domain.closing import closed_at_end
from ctxe.domain.conversation import ToolCall, ToolResult, Usage
from ctxe.domain.errors import CtxeError
from ctxe.domain.events import (
    Consulted,
    ContextAssembled,
    Event,
    Folded,
    ReplyReceived,
    ToolFinished,
    TurnFinished,
)
from ctxe.domain.model import Waiting
from ctxe.domain.section import Section
from ctxe.domain.tool import Progress, ToolOutput
from ctxe.domain.value import dataclass, field, replace
from ctxe.terminal import figures

ENOUGH = "You have no calls left. Answer now with what you have found, and say what is still open."
NONE_LEFT = "not run: you have no calls left, answer in words"
LOOKED = 40
"""Most calls to list when there is no answer."""


@dataclass(slots=True)
class DelegateRun:
    """The conversation of one delegate.

    ``answer_tokens`` is the token limit of its answer; ``pay`` is called with each reply's price. ``reads`` holds the
    titles of its reads, ``window_tokens`` the tokens in its window, which the asking model is spared. ``paid_usage``
    and ``paid_usd`` are what has been paid so far.
    """

    session: Session
    answer_tokens: int
    pay: Callable[[Consulted], None]
    reads: list[str] = field(default_factory=list)
    window_tokens: int = 0
    paid_usage: Usage = Usage()
    paid_usd: float = 0.0
    ended: TurnFinished = field(default_factory=lambda: TurnFinished("failed"))

    def run(self, task: str) -> Iterator[Progress | ToolOutput]:
        """Progress, then the answer. An error of the provider ends this delegate only, not the session."""
        failed = ""
        try:
            yield from self._turn(task)
            if self.ended.outcome == "step limit":
                stopped = replace(self.ended, why=f"{self.session.ports.limits.steps} model calls")
                self.session.ports = _last_reply(self.session.ports)
                yield from self._turn(ENOUGH)
                self.ended = stopped
        except CtxeError as error:
            failed = error.message
        yield self._output(failed)

    def _turn(self, words: str) -> Iterator[Progress]:
        """Run one turn of the delegate; yields a line of progress whenever the screen should change."""
        events = self.session.turn(words)
        try:
            with closed_at_end(events):
                for event in events:
                    line = self._take_in(event)
                    if line is not None:
                        yield Progress(f"\r{line}\n{self.progress_line}" if line else f"\r{self.progress_line}")
        finally:
            self._pay_rest()

    def _pay_rest(self) -> None:
        """Pay for a reply that was cut off, of which no event came."""
        state = self.session.state
        unpaid = state.usage - self.paid_usage
        priced = self.session.ports.provider.model.prices or state.usd
        if unpaid.input or unpaid.output:
            self._pay_for(Consulted("", state.model, unpaid, state.usd - self.paid_usd if priced else None))

    def _take_in(self, event: Event) -> str | None:
        """A line for the screen; empty when only the totals changed, None when nothing did."""
        match event:
            case ToolFinished(result, tool, title):
                if not result.ok:
                    return f"{title or tool}: {result.text.partition(chr(10))[0]}"
                self.reads.append(title or tool)
                return self.reads[-1]
            case ContextAssembled(ledger):
                self.window_tokens = ledger.used
            case ReplyReceived(reply, usd):
                if reply.usage and reply.usage.input:
                    self.window_tokens = reply.usage.input + reply.usage.output
                self._pay_for(Consulted("", self.session.ports.provider.model.id, reply.usage, usd))
                return ""
            case Consulted():
                self._pay_for(event)
                return ""
            case Waiting(seconds, why):
                return f"{why}: asking again in {figures.seconds(seconds)}"
            case Folded(fold):
                return f"folded {figures.size(fold.tokens_before)} to {figures.size(fold.tokens_after)} tokens"
            case TurnFinished():
                self.ended = event
        return None

    def _pay_for(self, bought: Consulted) -> None:
        """Pay for a reply. One without usage is skipped: nothing came of it, so it has no price."""
        name = self.session.id
        if bought.usage:
            self.paid_usage, self.paid_usd = self.paid_usage + bought.usage, self.paid_usd + (bought.usd or 0.0)
            self.pay(replace(bought, why=f"delegate {name.rpartition('-')[2]}", session=name))

    @property
    def progress_line(self) -> str:
        """Reads, tokens and cost so far, for people."""
        priced = self.session.ports.provider.model.prices
        money = [figures.money(self.session.state.usd)] if priced or self.session.state.usd else []
        reads = [figures.plural(len(self.reads), "read")] if self.reads else []
        return ", ".join([*reads, f"{figures.size(self.window_tokens)} tokens", *money])

    def _output(self, failed: str) -> ToolOutput:
        state = self.session.state
        facts = {
            "session": self.session.id,
            "model": state.model,
            "outcome": "failed" if failed else self.ended.outcome,
            "reads": len(self.reads),
            "tokens": self.window_tokens,
            "usd": state.usd if self.session.ports.provider.model.prices or state.usd else None,
        }
        text, ok = self._answer(failed)
        return ToolOutput(text, ok=ok, facts={"delegate": facts}, token_limit=self.answer_tokens)

    def _answer(self, failed: str) -> tuple[str, bool]:
        """The text for the asking model, and whether it is an answer."""
        state, outcome = self.session.state, self.ended.outcome
        last = state.turn.steps[-1].reply.text.strip() if state.conversation.turns and state.turn.steps else ""
        if not failed and outcome == "answered":
            return (last, True) if last else (self._partial_result("the delegate ended without a word"), False)
        if not failed and outcome == "step limit" and last:
            return f"[the delegate was stopped after {self.ended.why}; what it has:]\n{last}", True
        spent = "what it may cost is spent" if outcome == "cost limit" else ""
        why = failed or spent or self.ended.why or outcome
        return self._partial_result(
            f"the delegate was stopped: {why}" if not failed else f"the delegate failed: {why}"
        ), False

    def _partial_result(self, why: str) -> str:
        """The partial result where there is no answer: why, the delegate's words on the way, and what it read."""
        steps = self.session.state.conversation.steps()
        texts = [text for _, step in steps if (text := step.reply.text.strip())]
        looked = [f"it looked at: {'; '.join(self.reads[-LOOKED:])}"] if self.reads else []
        return "\n".join([f"[{why}; so far:]" if texts or looked else f"[{why}]", *texts, *looked])


def _last_reply(ports: Ports) -> Ports:
    """The same ports for one last reply, whose tool calls are refused."""

    def refused(call: ToolCall, _state: State) -> Iterator[Event]:
        yield ToolFinished(ToolResult(call.id, NONE_LEFT, ok=False), call.name)

    def nothing(_words: str, _state: State) -> tuple[Section, ...]:
        return ()

    return replace(ports, limits=Limits(1, ports.limits.usd), dispatch=refused, gather=nothing)
