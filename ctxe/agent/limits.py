"""When a turn must end, and when the model is told that it repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ctxe.agent.state import State
from ctxe.domain.conversation import Step, Usage
from ctxe.domain.model import Prices
from ctxe.domain.section import Chunk
from ctxe.domain.tool import ANSWERED
from ctxe.domain.value import dataclass

REPEATS = 3
"""The same call with the same result this often in one turn is a circle, not a retry."""
HOPELESS = 8
"""Steps in a row with one and the same call that end the turn, if it always fails, or if neither replies nor results
change. The model was told at the third and did not react.
"""
WAIT = ("run_command", "use")
"""Tools that a model may call repeatedly because it waits for something."""
WARN_AT = 0.8
SHOWN = 200
"""Characters of a call's arguments shown in a note."""
Made = tuple[str, str, str]
"""A call as (tool, arguments, result)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Model calls a turn may take, and dollars a session may cost (0: no limit)."""

    steps: int = 100
    usd: float = 0.0

    def cost_limit_reason(self, state: State, prices: Prices | None) -> str:
        """Why the cost limit ends the turn: reached, or the next request would exceed it; empty when neither.

        The next request is estimated at its least cost: all of the newest request read from the cache, and no answer.
        """
        if not self.usd:
            return ""
        if state.usd >= self.usd:
            return f"${self.usd:.2f} for this session are spent"
        used = state.ledger.used if state.ledger else 0
        least = prices.cost(Usage(used, cache_read=used)) if prices else 0.0
        if state.usd + least > self.usd:
            left = f"${self.usd - state.usd:.4f} of ${self.usd:.2f} are left"
            return f"{left}, and the next request takes ${least:.4f} at least"
        return ""

    def cost_warning(self, before: float, after: float) -> str:
        """A line for the user when a step raised the cost from ``before`` to ``after``, across 80 % of the limit."""
        if self.usd and before < WARN_AT * self.usd <= after < self.usd:
            return f"${after:.4f} of ${self.usd:.2f} spent"
        return ""


def circle_note(state: State) -> Chunk | None:
    """A note for the model when it repeats itself: the same call with the same result, or two calls in alternation.

    Sent once per circle, listing the calls. A call that was answered instead of run counts with its last real result.
    """
    steps = state.turn.steps
    if not steps or not steps[-1].results:
        return None
    made = list(_made(steps))
    newest = len(steps[-1].results)
    seen = Counter(made[: len(made) - newest])
    for one in made[-newest:]:
        seen[one] += 1
        if seen[one] == REPEATS:
            fact = f"{one[0]} was called {REPEATS} times with the same arguments and gave the same result"
            return _note(f"circle {one[0]}", fact, [one], "the same call three times")
    last = made[-2 * REPEATS - 1 :]
    if _alternate(last[-2 * REPEATS :]) and not _alternate(last[: 2 * REPEATS] if len(last) > 2 * REPEATS else []):
        fact = f"the same two calls were made in turns, {REPEATS} times each"
        return _note("circle of two", fact, last[-2:], "two calls in turns")
    return None


def stuck_reason(state: State) -> str:
    """Why a circle that the model was told of ends the turn; empty when it does not."""
    last = state.turn.steps[-HOPELESS:]
    calls = {tuple((call.name, call.arguments) for call in step.reply.calls) for step in last}
    if len(last) < HOPELESS or len(calls) > 1 or not last[-1].reply.calls:
        return ""
    names = dict.fromkeys(call.name for call in last[-1].reply.calls)
    failing = not any(result.ok for step in last for result in step.results)
    same = len({(step.reply.text, *(result.text for result in step.results)) for step in last}) == 1
    if not failing and (not same or names.keys() & WAIT):
        return ""
    return f"the model made the same {'failing ' * failing}call {HOPELESS} times in a row ({', '.join(names)})"


def _made(steps: Sequence[Step]) -> Iterator[Made]:
    """Calls with their results, in order."""
    held: dict[tuple[str, str], str] = {}
    for step in steps:
        for call, result in zip(step.reply.calls, step.results, strict=True):
            key = (call.name, call.arguments)
            if not result.text.startswith(ANSWERED):
                held[key] = result.text
            yield (*key, held.get(key, result.text))


def _alternate(made: Sequence[Made]) -> bool:
    """True for two different calls that alternate REPEATS times."""
    calls = [one[:2] for one in made]
    whole = len(calls) == 2 * REPEATS
    return whole and calls[0] != calls[1] and calls == calls[:2] * REPEATS


def _note(name: str, fact: str, calls: Sequence[Made], why: str) -> Chunk:
    listed = "\n".join(f"- {tool} {' '.join(arguments.split())[:SHOWN]}" for tool, arguments, _ in calls)
    text = f"[ctxe: {fact}. Do something else, or say what is in the way. Called so far:]\n{listed}"
    return Chunk(name, text, why)
