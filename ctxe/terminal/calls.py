"""A tool call as lines that stay on the screen: what it was, its result, and its diff or output, bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.events import ToolFinished
from ctxe.domain.pattern import pattern
from ctxe.terminal import figures
from ctxe.terminal.style import Line, Span, glyph, line, lines

DIFF_LINES, OUTPUT_LINES, ERROR_LINES, QUIET_LINES, OWN_LINES = 40, 12, 8, 4, 40
"""Rows shown of a diff, of a tool's output, of an error, of a successful command, of the user's own command."""
REPEATED = pattern(r"^\[(\d+) lines as they stand above; recall \S+\]$", re.MULTILINE)
"""Stands for lines of a result that the model has in view already (context/known_lines.py)."""
OMITTED = " bytes left out …\n"
"""The end of what stands for the middle of a huge output (safety/running/process.py)."""
SPARE = 3
"""Uninformative lines that may remain of a file that was all seen before: its head, and those at the seams."""


def is_diff(text: str) -> bool:
    """Whether the text is a unified diff, with or without file headers."""
    return bool(re.match(r"(?:diff --git |--- |@@ -)", text)) and "@@ -" in text


def diff_line(row: str) -> Span:
    """One row of a unified diff with its style."""
    if row.startswith(("+++ ", "--- ", "diff --git ", "index ")):
        return row, "dim"
    if row.startswith("@@"):
        return row, "accent"
    return row, {"+": "add", "-": "remove"}.get(row[:1], "")


def limit_rows(rows: Sequence[Line], most: int, unicode: bool, *, end: bool = False) -> list[Line]:
    """At most ``most`` rows and a line with the number of the others; ``end`` keeps the last rows, not the first."""
    if len(rows) <= most + 1:
        return list(rows)
    note = line((f"{glyph('rest', unicode)} {len(rows) - most:,} more lines", "dim"))
    return [note, *rows[-most:]] if end else [*rows[:most], note]


def output_lines(
    text: str, unicode: bool, most: int = OUTPUT_LINES, *, end: bool = False, style: str = "", full: str = ""
) -> list[Line]:
    """Outside text, bounded: a diff in colours and from its start, anything else as it is.

    ``full`` is the text before it was shortened: its lines are counted.
    """
    if is_diff(text):
        return limit_rows([line(diff_line(row)) for row in text.splitlines()], max(most, DIFF_LINES), unicode)
    text = text.strip("\n") or text
    count = (full.strip("\n") or text).count("\n") + 1
    if end and count > most + 1:  # only the rows that are shown are split and cleaned
        least = "at least " if OMITTED in full else ""
        rest = line((f"{glyph('rest', unicode)} {least}{count - most:,} more lines", "dim"))
        return [rest, *lines("\n".join(text.rsplit("\n", most)[-most:]), style)]
    return limit_rows(lines(text, style), most, unicode, end=end)


def call_head(tool: str, title: str, ok: bool | None, unicode: bool, facts: str = "") -> Line:
    """``● read src/a.py 1-80 · 80 lines``: the call's title, or else the tool's name. ``ok`` is None while it runs."""
    style = {True: "good", False: "bad", None: "accent"}[ok]
    verb, blank, rest = (title or tool).partition(" ")
    return line(
        (glyph("call", unicode) + " ", style),
        (verb, "strong"),
        blank + rest,
        (f" {glyph('dot', unicode)} {facts}" if facts else "", "dim"),
    )


def _call_facts(event: ToolFinished, unicode: bool) -> str:
    """Key facts of a call: exit code, test counts, how much the model was given, and the time it took."""
    facts, words = event.facts, []
    if facts.get("exit_code"):
        words.append(f"exit {facts['exit_code']}")
    if event.tool == "run_command" and "job" in facts:
        words.append(f"job {facts['job']}")
    if isinstance(tests := facts.get("tests"), dict):
        counts = ((tests.get(name), word) for name, word in (("passed", "passed"), ("failures", "failed")))
        words += [f"{count} {word}" for count, word in counts if count]
    if isinstance(delegate := facts.get("delegate"), dict):
        words += _delegate_facts(delegate)
    words += _size_facts(event) if "page" not in facts else _page_facts(event)
    if event.seconds >= 1:
        words.append(figures.seconds(event.seconds))
    return f" {glyph('dot', unicode)} ".join(words)


def _page_facts(event: ToolFinished) -> list[str]:
    """The size of a web page, and how much of it the model is given."""
    facts, text = event.facts, event.result.text
    tokens = (
        f"{figures.size(facts['tokens'])} tokens"
        if "tokens" in facts
        else f"about {figures.size(len(text) / 4)} tokens"
    )
    arrow = f"{figures.data(facts.get('bytes', 0))}, {tokens}"
    hidden = ["invisible characters removed"] * any("invisible" in str(one) for one in facts.get("hidden", ()))
    return [arrow, *(["the parts that matter"] if event.result.handle else []), *hidden]


def _delegate_facts(delegate: Mapping[str, Any]) -> list[str]:
    """What a delegate read for its answer, its price, and its session."""
    reads = [figures.plural(delegate["reads"], "read")] if delegate.get("reads") else []
    money = [figures.money(delegate["usd"])] if delegate.get("usd") is not None else []
    return [*reads, f"{figures.size(delegate.get('tokens', 0))} tokens", *money, str(delegate.get("session", ""))]


def _size_facts(event: ToolFinished) -> list[str]:
    """The size of the result, and what of it the model was not sent."""
    size = _size(event)
    return [*([size] if size else []), *(_not_sent(event, size) if event.result.handle else [])]


def _size(event: ToolFinished) -> str:
    """The matches, lines or files of the result; empty where that says nothing."""
    facts, text = event.facts, event.result.text
    if "matches" in facts:
        files = f" in {figures.plural(facts['files'], 'file')}" if facts["matches"] else ""
        return f"{figures.plural(facts['matches'], 'match', 'matches')}{files}" if files else "no match"
    if "lines" in facts:
        return figures.plural(facts["lines"], "line")
    if "files" in facts:
        return figures.plural(facts["files"], "file")
    if event.result.ok and not event.display and not facts.keys() & {"exit_code", "delegate"} and text:
        printed = (event.full or text).count("\n") + ("job" not in facts)  # the last line reports the state of the job
        return figures.plural(printed, "line") if printed else ""
    return ""


def _not_sent(event: ToolFinished, size: str) -> list[str]:
    """Which parts the model was not sent: those in view already, and those cut."""
    text, words = event.result.text, []
    runs = [int(count) for count in REPEATED.findall(text)]
    repeated, all_lines, fresh = sum(runs), event.full.count("\n") + 1, text.count("\n") + 1 - len(runs)
    if runs:
        some = f"{repeated:,} of them" if size else figures.plural(repeated, "line")  # a command's head has no count
        spare = 1 if "exit_code" in event.facts else SPARE  # a command's last line says only how it ended
        words.append(f"{some} in view already" if fresh > spare else "in view already, not sent again")
    if repeated + fresh < all_lines or not event.full:
        words.append("shortened for the model")
    return words


def tool_finished(event: ToolFinished, unicode: bool, shown: str = "") -> list[Line]:
    """The call and its result. ``shown`` is a preview that is on the screen already and is not repeated."""
    well = event.result.ok and not event.facts.get("exit_code")
    head = call_head(event.tool, event.title, well, unicode, _call_facts(event, unicode))
    if event.display and event.display != shown:
        body = output_lines(event.display, unicode, end="exit_code" in event.facts)
    elif event.facts.get("by") == "user":
        body = output_lines(event.result.text, unicode, OWN_LINES, end=True, full=event.full)
    elif not event.result.ok or event.facts.get("exit_code"):
        style = "" if "exit_code" in event.facts else "bad"
        body = output_lines(event.result.text, unicode, ERROR_LINES, end=True, style=style, full=event.full)
    elif "exit_code" in event.facts:
        body = output_lines(event.result.text, unicode, QUIET_LINES, end=True, style="dim", full=event.full)
    elif "delegate" in event.facts:
        body = output_lines(event.result.text, unicode, QUIET_LINES, style="dim", full=event.full)
    else:
        body = lines(event.result.text)[:OUTPUT_LINES] if "todo" in event.facts else []
    return [head, *(line("  ", *row) for row in body)]
