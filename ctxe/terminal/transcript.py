"""What happened, as lines that stay on the screen: the same for a live session, a pipe and an old session's log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

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
    ToolFinished,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Waiting
from ctxe.domain.section import Priority, Section
from ctxe.terminal import figures
from ctxe.terminal.style import Line, Span, clean, glyph, line, lines

DIFF_LINES, OUTPUT_LINES, ERROR_LINES, QUIET_LINES = 40, 12, 8, 4
"""Rows shown of a diff, of what a tool shows, of what went wrong, of a command that went well."""
REPEATED = re.compile(r"^\[(\d+) lines as they stand above; recall \S+\]$", re.MULTILINE)
"""What stands in a result for lines that the model has before it (context/seen.py)."""
SPARE = 3
"""Lines of a result that was all seen before which say little: its head, and what stands at the seams."""
UNCOUNTED = ("failed", "steered")
"""Outcomes of a turn that no account follows: it has none of use, or the next words go on with it."""
LEVELS = {"info": "dim", "warning": "warn", "error": "bad"}


def is_diff(text: str) -> bool:
    """True for a unified diff, with or without file headers."""
    return bool(re.match(r"(?:diff --git |--- |@@ -)", text)) and "@@ -" in text


def diff_line(row: str) -> Span:
    """One row of a unified diff in its colour."""
    if row.startswith(("+++ ", "--- ", "diff --git ", "index ")):
        return row, "dim"
    if row.startswith("@@"):
        return row, "accent"
    return row, {"+": "add", "-": "remove"}.get(row[:1], "")


def bounded(rows: Sequence[Line], most: int, unicode: bool, end: bool = False) -> list[Line]:
    """At most ``most`` rows and a line that counts the others; ``end`` keeps the last rows instead of the first."""
    if len(rows) <= most + 1:
        return list(rows)
    note = line((f"{glyph('rest', unicode)} {len(rows) - most:,} more lines", "dim"))
    return [note, *rows[-most:]] if end else [*rows[:most], note]


def output(
    text: str, unicode: bool, most: int = OUTPUT_LINES, end: bool = False, style: str = "", full: str = ""
) -> list[Line]:
    """Outside text, bounded: a diff in colours and from its start, anything else as it stands.

    ``full`` is what the text was before it was shortened: its lines are counted.
    """
    if is_diff(text):
        return bounded([line(diff_line(row)) for row in text.splitlines()], max(most, DIFF_LINES), unicode)
    text = text.strip("\n") or text
    count = (full.strip("\n") or text).count("\n") + 1
    if end and count > most + 1:  # of many lines only those that are shown are looked at
        rest = line((f"{glyph('rest', unicode)} {count - most:,} more lines", "dim"))
        return [rest, *lines("\n".join(text.rsplit("\n", most)[-most:]), style)]
    return bounded(lines(text, style), most, unicode, end)


def call_head(tool: str, title: str, ok: bool | None, unicode: bool, facts: str = "") -> Line:
    """``● read src/a.py 1-80 · 80 lines``: the call's title, or its tool's name without one; ``ok`` None: it runs."""
    style = {True: "good", False: "bad", None: "accent"}[ok]
    verb, blank, rest = (title or tool).partition(" ")
    return line(
        (glyph("call", unicode) + " ", style),
        (verb, "strong"),
        blank + rest,
        (f" {glyph('dot', unicode)} {facts}" if facts else "", "dim"),
    )


def _call_facts(event: ToolFinished, unicode: bool) -> str:
    """What is worth a few words: exit code, tests, how much the model was given, and how long it took."""
    facts, words = event.facts, []
    if facts.get("exit_code"):
        words.append(f"exit {facts['exit_code']}")
    if isinstance(tests := facts.get("tests"), dict):
        counts = ((tests.get(name), word) for name, word in (("passed", "passed"), ("failures", "failed")))
        words += [f"{count} {word}" for count, word in counts if count]
    if isinstance(asked := facts.get("delegate"), dict):
        words += _took(asked)
    words += _sizes(event)
    if event.seconds >= 1:
        words.append(figures.seconds(event.seconds))
    return f" {glyph('dot', unicode)} ".join(words)


def _took(asked: Mapping[str, Any]) -> list[str]:
    """What a delegate read for its answer, at what price, and which one it was."""
    reads = [figures.plural(asked["reads"], "read")] if asked.get("reads") else []
    money = [figures.money(asked["usd"])] if asked.get("usd") is not None else []
    return [*reads, f"{figures.size(asked.get('tokens', 0))} tokens", *money, str(asked.get("session", ""))]


def _sizes(event: ToolFinished) -> list[str]:
    """How much there was, and what of it the model was not told: what stands in its view already, what was cut."""
    facts, text = event.facts, event.result.text
    words: list[str] = []
    if "matches" in facts:
        files = f" in {figures.plural(facts['files'], 'file')}" if facts["matches"] else ""
        words.append(f"{figures.plural(facts['matches'], 'match', 'matches')}{files}" if files else "no match")
    elif "lines" in facts or "files" in facts:
        words.append(figures.plural(*((facts["lines"], "line") if "lines" in facts else (facts["files"], "file"))))
    elif event.result.ok and not event.display and not facts.keys() & {"exit_code", "delegate"} and text:
        words.append(figures.plural((event.full or text).count("\n") + 1, "line"))
    if event.result.handle:
        runs = [int(count) for count in REPEATED.findall(text)]
        seen, whole, told = sum(runs), event.full.count("\n") + 1, text.count("\n") + 1 - len(runs)
        words += [f"{seen:,} of them in view already" if told > SPARE else "in view already, not sent again"] * bool(
            runs
        )
        words += ["shortened for the model"] * (seen + told < whole or not event.full)
    return words


def tool_finished(event: ToolFinished, unicode: bool, shown: str = "") -> list[Line]:
    """The call and what came of it; ``shown`` is a preview that stands on the screen already and is not repeated."""
    well = event.result.ok and not event.facts.get("exit_code")
    head = call_head(event.tool, event.title, well, unicode, _call_facts(event, unicode))
    if event.display and event.display != shown:
        body = output(event.display, unicode, end="exit_code" in event.facts)
    elif not event.result.ok or event.facts.get("exit_code"):
        style = "" if "exit_code" in event.facts else "bad"
        body = output(event.result.text, unicode, ERROR_LINES, True, style, event.full)
    elif "exit_code" in event.facts:
        body = output(event.result.text, unicode, QUIET_LINES, True, "dim", event.full)
    elif "delegate" in event.facts:
        body = output(event.result.text, unicode, QUIET_LINES, False, "dim", event.full)
    else:
        body = lines(event.result.text)[:OUTPUT_LINES] if "todo" in event.facts else []
    return [head, *(line("  ", *row) for row in body)]


def said(words: str, unicode: bool, told: bool = False) -> list[Line]:
    """The user's own words, marked as such; ``told`` while the model works."""
    rows = words.strip("\n").split("\n")
    mark = glyph("user", unicode)
    shown = [
        line((f"{mark if first else ' '} ", "accent"), (row, "strong"))
        for first, row in zip([True, *[False] * len(rows)], rows, strict=False)
    ]
    return [*shown[:-1], (*shown[-1], *line((f" {glyph('dot', unicode)} told", "dim")))] if told else shown


def gathered(sections: Sequence[Section], unicode: bool) -> list[Line]:
    """One line for what rides with the user's words: each section with its first chunks and the count of the rest."""
    parts = []
    for section in sections:
        if section.priority is Priority.TASK:  # the day and the branch are no news
            continue
        names = list(dict.fromkeys(clean(chunk.path or chunk.id) for chunk in section.chunks))
        more = f" +{len(names) - 3}" if len(names) > 3 else ""
        listed = "" if names == [section.name] else f" {', '.join(names[:3])}{more}"
        parts += [f"{section.name}{listed}"] if names else []
    dot = f" {glyph('dot', unicode)} "
    return [line(("gathered for this: " + dot.join(parts), "dim"))] if parts else []


def waiting(event: Waiting, unicode: bool) -> Line:
    """The line that says why an answer is asked for again."""
    return line((f"{glyph('wait', unicode)} {event.why}: asking again in {figures.seconds(event.seconds)}", "warn"))


def _finished(event: TurnFinished, unicode: bool) -> list[Line]:
    """How a turn ended when it did not end with an answer."""
    ends = {"interrupted": "interrupted; what came is kept", "step limit": "stopped at the step limit"}
    ends |= {"cost limit": "stopped at the cost limit", "failed": "failed", "answered": "", "steered": ""}
    words = ends[event.outcome]
    why = f": {event.why}" if event.why else ""
    return [line((f"{glyph('stop', unicode)} {words}{why}", "warn"))] if words else []


def _folded(event: Folded, unicode: bool) -> list[Line]:
    """A fold: how much smaller the history is, why, and how to take it back."""
    fold, dot = event.fold, glyph("dot", unicode)
    sizes = f"{figures.size(fold.tokens_before)} {glyph('arrow', unicode)} {figures.size(fold.tokens_after)} tokens"
    why = f" {dot} {fold.cause}" if fold.cause else ""
    return [line((f"{glyph('fold', unicode)} folded {sizes}{why} {dot} /uncompact takes it back", "accent"))]


def told(event: Event, unicode: bool) -> list[Line]:
    """The lines that an event leaves on every kind of screen; none for what is drawn elsewhere or not at all."""
    dot = glyph("dot", unicode)
    match event:
        case ModelChosen(model):
            return [line(("model ", "dim"), model)]
        case EffortChosen(effort):
            return [line(("effort ", "dim"), effort or "as the provider has it")]
        case TurnStarted(_, sections):
            return gathered(sections, unicode)
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
        case Consulted(session=session) if session:  # its call says what it took
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
            return [
                line((f"{glyph('record', unicode)} {kind} {id_} ", "good"), title, (f" {dot} by {by}{where}", "dim"))
            ]
        case Notice(text, level):
            return [line((text, LEVELS[level]))]
        case TurnFinished():
            return _finished(event, unicode)
    return []


def status(ledger: Ledger, event: TurnFinished, held: int, unicode: bool) -> Line:
    """The line after each answer: model, tokens of the limit, share read from the cache, money, time.

    ``held`` is what now stands in the context, in tokens; the rest is that of the whole turn.
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
