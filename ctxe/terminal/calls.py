"""A call of a tool as lines that stay on the screen: what it is, what came of it, and its diff or output, bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.events import ToolFinished
from ctxe.domain.pattern import pattern
from ctxe.terminal import figures
from ctxe.terminal.style import Line, Span, glyph, line, lines

DIFF_LINES, OUTPUT_LINES, ERROR_LINES, QUIET_LINES, OWN_LINES = 40, 12, 8, 4, 40
"""Rows shown of a diff, of what a tool shows, of what went wrong, of a command that went well, of one of the user's."""
REPEATED = pattern(r"^\[(\d+) lines as they stand above; recall \S+\]$", re.MULTILINE)
"""What stands in a result for lines that the model has before it (context/seen.py)."""
SPARE = 3
"""Lines of a result that was all seen before which say little: its head, and what stands at the seams."""


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


def bounded(rows: Sequence[Line], most: int, unicode: bool, *, end: bool = False) -> list[Line]:
    """At most ``most`` rows and a line that counts the others; ``end`` keeps the last rows instead of the first."""
    if len(rows) <= most + 1:
        return list(rows)
    note = line((f"{glyph('rest', unicode)} {len(rows) - most:,} more lines", "dim"))
    return [note, *rows[-most:]] if end else [*rows[:most], note]


def output(
    text: str, unicode: bool, most: int = OUTPUT_LINES, *, end: bool = False, style: str = "", full: str = ""
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
    return bounded(lines(text, style), most, unicode, end=end)


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
    if event.tool == "run_command" and "job" in facts:
        words.append(f"job {facts['job']}")
    if isinstance(tests := facts.get("tests"), dict):
        counts = ((tests.get(name), word) for name, word in (("passed", "passed"), ("failures", "failed")))
        words += [f"{count} {word}" for count, word in counts if count]
    if isinstance(asked := facts.get("delegate"), dict):
        words += _took(asked)
    words += _sizes(event) if "page" not in facts else _page(event)
    if event.seconds >= 1:
        words.append(figures.seconds(event.seconds))
    return f" {glyph('dot', unicode)} ".join(words)


def _page(event: ToolFinished) -> list[str]:
    """How much of a page came, and how much of it the model is given."""
    facts, text = event.facts, event.result.text
    told = (
        f"{figures.size(facts['tokens'])} tokens"
        if "tokens" in facts
        else f"about {figures.size(len(text) / 4)} tokens"
    )
    arrow = f"{figures.data(facts.get('bytes', 0))}, {told}"
    hidden = ["invisible characters removed"] * any("invisible" in str(one) for one in facts.get("hidden", ()))
    return [arrow, *(["the parts that matter"] if event.result.handle else []), *hidden]


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
        printed = (event.full or text).count("\n") + ("job" not in facts)  # below it stands how the job is
        words += [figures.plural(printed, "line")] if printed else []
    if event.result.handle:
        runs = [int(count) for count in REPEATED.findall(text)]
        seen, whole, told = sum(runs), event.full.count("\n") + 1, text.count("\n") + 1 - len(runs)
        some = f"{seen:,} of them" if words else figures.plural(seen, "line")  # a command's head tells of no lines
        words += [f"{some} in view already" if told > SPARE else "in view already, not sent again"] * bool(runs)
        words += ["shortened for the model"] * (seen + told < whole or not event.full)
    return words


def tool_finished(event: ToolFinished, unicode: bool, shown: str = "") -> list[Line]:
    """The call and what came of it; ``shown`` is a preview that stands on the screen already and is not repeated."""
    well = event.result.ok and not event.facts.get("exit_code")
    head = call_head(event.tool, event.title, well, unicode, _call_facts(event, unicode))
    if event.display and event.display != shown:
        body = output(event.display, unicode, end="exit_code" in event.facts)
    elif event.facts.get("by") == "user":
        body = output(event.result.text, unicode, OWN_LINES, end=True, full=event.full)
    elif not event.result.ok or event.facts.get("exit_code"):
        style = "" if "exit_code" in event.facts else "bad"
        body = output(event.result.text, unicode, ERROR_LINES, end=True, style=style, full=event.full)
    elif "exit_code" in event.facts:
        body = output(event.result.text, unicode, QUIET_LINES, end=True, style="dim", full=event.full)
    elif "delegate" in event.facts:
        body = output(event.result.text, unicode, QUIET_LINES, style="dim", full=event.full)
    else:
        body = lines(event.result.text)[:OUTPUT_LINES] if "todo" in event.facts else []
    return [head, *(line("  ", *row) for row in body)]
