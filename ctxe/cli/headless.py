"""One question without a person at the keyboard: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Literal, get_args

from ctxe.domain.conversation import Outcome
from ctxe.domain.events import Kept, TurnFinished

if TYPE_CHECKING:
    from ctxe.project.live import Live
    from ctxe.terminal.screen import Screen

Format = Literal["text", "json", "stream-json"]
EXIT: dict[Outcome, int] = {"answered": 0, "step limit": 9, "cost limit": 8, "interrupted": 130, "failed": 1}


def run(live: Live, words: str, form: Format, screen: Screen) -> int:
    """One turn; the exit code of the process. Raises CtxeError."""
    from ctxe.terminal.render import Renderer

    finished: TurnFinished | None = None
    with Renderer(screen) if form == "text" else contextlib.nullcontext() as shown:
        for event in live.turn(words):
            if isinstance(event, TurnFinished):
                finished = event
            if shown is not None:
                shown.show(event)
            elif form == "stream-json" and isinstance(event, get_args(Kept)):
                _line(screen, live, event)
    if form != "text" and finished is not None:
        screen.say(json.dumps(result(live, finished), ensure_ascii=False))
    return EXIT[finished.outcome] if finished else 1


def result(live: Live, finished: TurnFinished) -> dict[str, Any]:
    """The closing record of a one-shot: outcome, the answer's text, usage and money."""
    usage = finished.usage
    steps = live.session.state.turn.steps
    return {
        "type": "result",
        "session": live.session.id,
        "outcome": finished.outcome,
        "text": steps[-1].reply.text if steps else "",
        "why": finished.why,
        "model": live.model.id,
        "steps": len(steps),
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cache_read": usage.cache_read,
            "cache_write": usage.cache_write,
        },
        "usd": finished.usd,
        "seconds": round(finished.seconds, 3),
    }


def _line(screen: Screen, live: Live, event: Kept) -> None:
    from ctxe.project.sessions import record_of

    screen.say(json.dumps({"n": live.session.log.count, **record_of(event)}, ensure_ascii=False))
