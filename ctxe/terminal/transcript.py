"""Events as lines that stay on the screen: the same in a live session, on a pipe and from an old log."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.domain.conversation import Usage
from ctxe.domain.events import (
    Consulted,
    EffortChosen,
    Event,
    Folded,
    ModelChosen,
    Noted,
    Notice,
    Pinned,
    Recorded,
    Summarized,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Waiting
from ctxe.domain.section import Priority, Section
from ctxe.domain.value import replace
from ctxe.terminal import figures
from ctxe.terminal.style import Line, Span, clean, glyph, line

UNCOUNTED = ("failed", "steered")
"""Outcomes after which no status line is printed: the turn has no usage, or the next words continue it."""
LEVELS = {"info": "dim", "warning": "warn", "error": "bad"}


def user_lines(words: str, unicode: bool, *, steering: bool = False) -> list[Line]:
    """The user's words, marked as such. ``steering``: they were sent while the model worked."""
    rows = words.strip("\n").split("\n")
    mark = glyph("user", unicode)
    shown = [
        line((f"{mark if first else ' '} ", "accent"), (row, "strong"))
        for first, row in zip([True, *[False] * len(rows)], rows, strict=False)
    ]
    return [*shown[:-1], (*shown[-1], *line((f" {glyph('dot', unicode)} told", "dim")))] if steering else shown


def gathered_lines(sections: Sequence[Section], unicode: bool) -> list[Line]:
    """One line about the sections beside the user's words: each with its first chunks and the number of others."""
    parts = []
    for section in sections:
        if section.priority is Priority.TASK:  # the day and the branch are not worth a line
            continue
        names = list(dict.fromkeys(clean(chunk.path or chunk.id) for chunk in section.chunks))
        more = f" +{len(names) - 3}" if len(names) > 3 else ""
        listed = "" if names == [section.name] else f" {', '.join(names[:3])}{more}"
        parts += [f"{section.name}{listed}"] if names else []
        parts += [
            f"no {section.name}, {omission.why}"
            for omission in section.left_out
            if omission.id == f"{section.name}:index"
        ]
    dot = f" {glyph('dot', unicode)} "
    return [line(("gathered for this: " + dot.join(parts), "dim"))] if parts else []


def retry_line(event: Waiting, unicode: bool) -> Line:
    """The line that says why a request is retried."""
    return line((f"{glyph('wait', unicode)} {event.why}: asking again in {figures.seconds(event.seconds)}", "warn"))


def _finished(event: TurnFinished, unicode: bool) -> list[Line]:
    """How a turn ended, unless with an answer."""
    ends = {"interrupted": "interrupted; what arrived is kept", "step limit": "stopped at the step limit"}
    ends |= {"cost limit": "stopped at the cost limit", "failed": "failed", "answered": "", "steered": ""}
    words = ends[event.outcome]
    why = f": {event.why}" if event.why else ""
    return [line((f"{glyph('stop', unicode)} {words}{why}", "warn"))] if words else []


def _folded(event: Folded, unicode: bool) -> list[Line]:
    """The line of a fold: how much smaller the history is, why, and how to undo it."""
    fold, dot = event.fold, glyph("dot", unicode)
    sizes = f"{figures.size(fold.tokens_before)} {glyph('arrow', unicode)} {figures.size(fold.tokens_after)} tokens"
    why = f" {dot} {fold.cause}" if fold.cause else ""
    return [line((f"{glyph('fold', unicode)} folded {sizes}{why} {dot} /uncompact takes it back", "accent"))]


def event_lines(event: Event, unicode: bool) -> list[Line]:
    """The lines that an event leaves on every kind of screen; none if it is drawn elsewhere or not at all."""
    dot = glyph("dot", unicode)
    match event:
        case ModelChosen(model):
            return [line(("model ", "dim"), model)]
        case EffortChosen(effort):
            return [line(("effort ", "dim"), effort or "as the provider has it")]
        case TurnStarted(_, sections):
            return gathered_lines(sections, unicode)
        case Noted(chunks):
            return [
                line((f"told the model: {chunk.id}" + (f" {dot} {chunk.why}" if chunk.why else ""), "dim"))
                for chunk in chunks
            ]
        case Folded():
            return _folded(event, unicode)
        case Summarized(text, steps, model):
            head = line((f"{glyph('fold', unicode)} summary of {steps} steps {dot} {model}", "accent"))
            return [head, *(line((told, "dim")) for told in text.splitlines())]
        case Consulted(session=session) if session:  # the line of its call has the cost
            return []
        case Consulted(why, model, _, usd):
            price = f" {dot} {figures.money(usd)}" if usd is not None else ""
            return [line((f"asked {model} to {why}{price}", "dim"))]
        case Unfolded():
            return [line((f"{glyph('fold', unicode)} the newest fold was taken back", "accent"))]
        case Pinned(text, pinned):
            return [line((f"{'pinned' if pinned else 'no longer pinned'}: ", "accent"), text)]
        case Recorded(kind, id_, title, by, path):
            where = f" {dot} {path}" if path else ""
            what = title.removeprefix(f"{kind} ")  # "failure noted: …" is the title of a failure
            return [
                line((f"{glyph('record', unicode)} {kind} {id_} ", "good"), what, (f" {dot} by {by}{where}", "dim"))
            ]
        case Notice(text, level):
            return [line((text, LEVELS[level]))]
        case TurnFinished():
            return _finished(event, unicode)
    return []


def totals(turns: Sequence[TurnFinished]) -> TurnFinished:
    """The last turn with the totals since Enter: words sent while the model worked started further turns."""
    last = turns[-1]
    return replace(
        last,
        usage=sum((turn.usage for turn in turns), Usage()),
        usd=None if last.usd is None else sum(turn.usd or 0.0 for turn in turns),
        seconds=sum(turn.seconds for turn in turns),
    )


def status_line(ledger: Ledger, event: TurnFinished, held: int, unicode: bool) -> Line:
    """The line after each answer: model, context size and limit, share read from the prompt cache, money, time.

    ``held`` is the present context size in tokens; the other figures are those of the whole turn.
    """
    dot = (f" {glyph('dot', unicode)} ", "dim")
    filled, rest = figures.bar(held, ledger.usable, 8, unicode)
    share = held / ledger.usable if ledger.usable > 0 else 0.0
    style = "bad" if share > 0.9 else "warn" if share > 0.7 else "accent"
    parts: list[Span] = [(ledger.model, "dim"), dot]
    parts += [(f"{figures.size(held)} of {figures.size(ledger.usable)} ", "dim"), (filled, style), (rest, "dim")]
    parts += [(f" {figures.percent(held, ledger.usable)}", "dim")]
    if event.usage.input:
        parts += [dot, (f"cached {figures.percent(event.usage.cache_read, event.usage.input)}", "dim")]
    if event.usd is not None:
        parts += [dot, (figures.money(event.usd), "dim")]
    return line(*parts, dot, (figures.seconds(event.seconds), "dim"))
