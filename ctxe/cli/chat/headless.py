"""One turn without a person at the keyboard: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from ctxe.cli.json_output import json_for
from ctxe.domain.conversation import Outcome
from ctxe.domain.errors import CostLimit
from ctxe.domain.events import Event, Kept, TurnFinished
from ctxe.domain.value import replace

if TYPE_CHECKING:
    from ctxe.project.session.live import Live
    from ctxe.terminal.screen import Screen

Format = Literal["text", "json", "stream-json"]
EXIT: dict[Outcome, int] = {
    "answered": 0,
    "step limit": 9,
    "cost limit": CostLimit.exit_code,
    "interrupted": 130,
    "failed": 1,
}


def run(live: Live, words: str, form: Format, screen: Screen, own: str | None = None) -> int:
    """Run one turn and return the process's exit code; JSON forms end with a result even on errors. Raises CtxeError.

    ``own`` is as for ``session.turns.turn``.
    """
    from ctxe.project.session.turns import turn
    from ctxe.terminal.input.interrupt import play
    from ctxe.terminal.render import Renderer

    ends: list[TurnFinished] = []
    with Renderer(screen) if form == "text" else contextlib.nullcontext() as shown:

        def show(event: Event) -> None:
            if isinstance(event, TurnFinished):
                ends.append(event)
                if shown is not None and event.outcome == "failed":
                    event = replace(event, why="")  # the error itself is shown once
            if shown is not None:
                shown.show(event)
            elif form == "stream-json" and isinstance(event, get_args(Kept)):
                _print(screen, _logged(live, event))

        try:
            words, own = _asked(live, words, own, show)
            play(turn(live, words, own=own), show)
        finally:
            if form != "text" and ends:
                _print(screen, result(live, ends[0]))
    return EXIT[ends[0].outcome] if ends else 1


def _asked(live: Live, words: str, own: str | None, show: Callable[[Event], None]) -> tuple[str, str | None]:
    """The words, with ``/SERVER:PROMPT`` at their beginning replaced by the server's text. Raises CtxeError."""
    from ctxe.cli.chat.session import split_words
    from ctxe.cli.chat.slash import split_line
    from ctxe.domain.errors import ConfigError
    from ctxe.project.session import asides
    from ctxe.terminal.input.interrupt import play

    line = (words if own is None else own).strip()
    name, given = split_line(line) if line[:1] == "/" and line[1:].strip() else ("", "")
    if not name or not live.server_requests.is_prompt(name):
        return words, own
    texts: list[str] = []
    play(asides.prompt(live, name, split_words(given), texts.append), show)
    if not texts:
        raise ConfigError(
            f"the prompt /{name} could not be fetched", f"`ctxe mcp test {name.partition(':')[0]}` tries it"
        )
    return texts[0] + words.strip().removeprefix(line), given


def result(live: Live, finished: TurnFinished) -> dict[str, Any]:
    """The last record of a one-shot: outcome, the answer's text, usage and price."""
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
            "cache_write_1h": usage.cache_write_1h,
        },
        "usd": finished.usd,
        "seconds": round(finished.seconds, 3),
    }


def _logged(live: Live, event: Kept) -> dict[str, Any]:
    """The event's line in the log; without number and time when the log could not be written."""
    from ctxe.project.sessions import record_of

    record, newest = record_of(event), live.session.log.newest
    return newest if newest.items() >= record.items() else record


def _print(screen: Screen, record: Mapping[str, Any]) -> None:
    """Print one line of JSON."""
    screen.pass_through(json_for(screen.out, record))
