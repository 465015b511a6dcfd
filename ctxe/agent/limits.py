"""When a turn must end, and when the model is told that it walks in circles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ctxe.agent.state import State
from ctxe.domain.section import Chunk

REPEATS = 3
"""The same call with the same result this often in one turn is a circle, not a retry."""
WARN_AT = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """Model calls a turn may take, and dollars a session may cost (0: no limit)."""

    steps: int = 100
    usd: float = 0.0

    def spent(self, state: State) -> bool:
        """Is the session's money gone?"""
        return bool(self.usd) and state.usd >= self.usd

    def warns(self, before: float, after: float) -> str:
        """A line for the user when the step that cost ``after - before`` dollars crossed 80 % of the limit."""
        if self.usd and before < WARN_AT * self.usd <= after < self.usd:
            return f"${after:.4f} of ${self.usd:.2f} spent"
        return ""


def circle(state: State) -> Chunk | None:
    """A note for the model when its newest step repeats a call whose result never changes; told once a repetition."""
    steps = state.turn.steps
    if not steps or not steps[-1].results:
        return None
    seen = Counter(
        (call.name, call.arguments, result.text)
        for step in steps
        for call, result in zip(step.reply.calls, step.results, strict=True)
    )
    newest = zip(steps[-1].reply.calls, steps[-1].results, strict=True)
    for call, result in newest:
        if seen[call.name, call.arguments, result.text] == REPEATS:
            text = (
                f"[ctxe: {call.name} was called {REPEATS} times with the same arguments and gave the same result. "
                "Do something else, or say what is in the way.]"
            )
            return Chunk(f"circle {call.name}", text, "the same call three times")
    return None
