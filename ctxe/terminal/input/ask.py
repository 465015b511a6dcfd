"""The approval question before an action: exactly what would run, where, and why the user is asked.

``Asker`` is an Approver: ``Asker(screen, root, prompt, renderer.paused)(action, ask) -> Allow | Deny | Revise``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ctxe.domain.tool import Action, Allow, Answer, Ask, Deny, Revise, Risk
from ctxe.safety.display import exact
from ctxe.terminal.calls import diff_line
from ctxe.terminal.input.prompt import Prompt
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, Span, fold, glyph, line, width, wrap

REWRITABLE = ("command", "content", "new", "replacement", "text", "body")
"""Arguments that the user may rewrite, the likeliest first."""
RISKS = {Risk.READ: "reads", Risk.WRITE: "writes", Risk.EXECUTE: "runs", Risk.NETWORK: "uses the network"}
EDITS = "all edits"
"""The answer that allows this edit and all later ones."""
AROUND = 9  # rows of the question besides the preview, so that the window shows all of it at once
FEWEST, MOST = 6, 60  # rows of the preview, whatever the window's height


class Asker:
    """Asks at the terminal. ``paused`` keeps all other output off it; it takes the preview that was shown.

    ``edits`` returns a function that allows all edits of the session, or None where that must not be offered.
    """

    def __init__(
        self,
        screen: Screen,
        root: Path,
        prompt: Prompt,
        paused: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self.screen, self.root, self.prompt, self.paused = screen, root, prompt, paused
        self.edits: Callable[[], Callable[[], None] | None] = lambda: None

    def __call__(self, action: Action, ask: Ask) -> Answer:
        """The user's answer. Without a terminal, an answer or further input it is no. Raises KeyboardInterrupt."""
        if not self.screen.keyboard:
            return Deny("there is no terminal to ask at")
        if action.preview_kind == "markdown":
            from ctxe.terminal.input.plan import ask_approval

            with self.paused(action.preview):
                return ask_approval(action, self.screen, self.prompt)
        all_edits = self.edits() if ask.rule.startswith("edit:") else None
        with self.paused(action.preview):
            self._print(question_lines(action, ask, self.root, self._room(), self.screen))
            every = f" {'Shift-Tab ' * self.prompt.full}{EDITS}" if all_edits else ""
            label = f"{answer_keys(action, ask)}{every}:"
            while True:
                typed = self.prompt.line(
                    label, at_once="yaev" if ask.rule else "yev", shift_tab=EDITS if all_edits else ""
                )
                if all_edits and (typed or "").strip().lower() == EDITS:
                    all_edits()
                    return Allow()
                answer = parse_answer(typed, ask)
                if answer is None and typed is not None:
                    answer = self._further_answer(typed.strip().lower(), action, ask)
                if answer is not None:
                    return answer

    def _further_answer(self, word: str, action: Action, ask: Ask) -> Answer | None:
        """Handle answers that need another step; None asks again."""
        if word in ("e", "edit") and (revised := self._revised(action)) is not None:
            return revised
        if word in ("v", "view"):
            self._print(preview(action, None, self.screen))
            return None
        self._print([line(("y runs it, n (and why) does not, " + further_answers(action, ask), "dim"))])
        return None

    def _revised(self, action: Action) -> Revise | None:
        """The call with one argument rewritten; None if nothing was changed."""
        arguments, name = rewritable_argument(action)
        if not name:
            return None
        before = str(arguments[name])
        after = self.prompt.edit(before, Path(action.paths[0]).suffix if action.paths else ".txt")
        return None if after == before else Revise(json.dumps({**arguments, name: after}, ensure_ascii=False))

    def _room(self) -> int:
        return max(FEWEST, min(MOST, self.screen.size()[1] - AROUND))

    def _print(self, rows: Sequence[Line]) -> None:
        columns = self.screen.size()[0]
        drawn = [self.screen.paint(part) for row in rows for part in fold(row, columns)]
        (self.screen.say if self.screen.terminal else self.screen.tell)("\n".join(drawn))


def parse_answer(typed: str | None, ask: Ask) -> Answer | None:
    """The decision in a typed answer; None if it needs another step or is unclear. End of input means no."""
    if typed is None:
        return Deny("the user gave no answer")
    word, _, rest = typed.strip().partition(" ")
    match word.lower().rstrip(","):
        case "y" | "yes" if not rest:
            return Allow()
        case "a" | "always" if ask.rule and not rest:
            return Allow(ask.rule)
        case "n" | "no":
            return Deny(f"the user said no: {rest.strip()}" if rest.strip() else "the user said no")
    return None


def rewritable_argument(action: Action) -> tuple[dict[str, Any], str]:
    """The call's arguments and the name of the one that may be rewritten; "" if there is none."""
    try:
        arguments = json.loads(action.arguments or "{}")
    except ValueError:
        arguments = {}
    if not isinstance(arguments, dict):
        return {}, ""
    if action.command and not arguments:
        arguments = {"command": action.command}
    names = (name for name in REWRITABLE if isinstance(arguments.get(name), str))
    return arguments, next(names, "")


def further_answers(action: Action, ask: Ask) -> str:
    """The answers besides yes and no that are possible here."""
    words = ["a allows it always"] if ask.rule else []
    words += ["e changes it first"] if rewritable_argument(action)[1] else []
    return ", ".join([*words, "v shows all of it"])


def answer_keys(action: Action, ask: Ask) -> str:
    """The possible answers, as displayed in front of the input."""
    words = ["[y]es", "[n]o, why"]
    words += ["[a]lways"] if ask.rule else []
    words += ["[e]dit"] if rewritable_argument(action)[1] else []
    return " ".join(words)


def preview(action: Action, room: int | None, screen: Screen) -> list[Line]:
    """Every character of what would happen, in at most ``room`` rows: the rest is counted, never scrolled away.

    Long runs of spaces and invisible characters are spelled out (``safety.display.exact``).
    """
    columns = screen.size()[0] - 2
    mark = "$ " if action.preview_kind == "command" else ""
    rows: list[Line] = []
    for index, text in enumerate(_spelled(action, columns)):
        span: Span = diff_line(text) if action.preview_kind == "diff" else (text, "strong" if mark else "")
        lead = mark if index == 0 else " " * len(mark)
        rows += wrap(line((lead, "dim"), span), columns)
    if room is not None and len(rows) > room:
        tail = room // 3
        middle = rows[room - tail - 1 : len(rows) - tail]
        count = sum(width(row) for row in middle)
        note = f"{glyph('rest', screen.unicode)} {count:,} more characters in {len(middle):,} rows (v shows all)"
        rows = [*rows[: room - tail - 1], line((note, "warn")), *rows[len(rows) - tail :]]
    return [line("  ", *row) for row in rows]


def _spelled(action: Action, columns: int) -> list[str]:
    """The rows of the preview with invisible characters spelled out. In a diff, indentation is kept.

    It is kept only up to half the window, so that spaces can never push text out of sight.
    """
    text = action.preview or action.command
    if action.preview_kind != "diff":
        return exact(text).rstrip("\n").split("\n")
    indent = re.compile(rf"[-+ ]? {{0,{max(16, columns // 2)}}}(?=[^ ])")
    rows = text.rstrip("\n").split("\n")
    leads = [found.group() if (found := indent.match(row)) else "" for row in rows]
    return [lead + exact(row[len(lead) :]) for lead, row in zip(leads, rows, strict=True)]


def question_lines(action: Action, ask: Ask, root: Path, room: int, screen: Screen) -> list[Line]:
    """Everything the user needs to decide: what, where, why they are asked, and what "always" would allow."""
    title = "run this command" if action.preview_kind == "command" else action.title or action.tool
    verb, blank, rest = title.partition(" ")
    columns = screen.size()[0]
    dot = glyph("dot", screen.unicode)
    head = line(("? ", "warn"), (verb, "strong"), blank + rest, (f" {dot} {action.tool} {RISKS[action.risk]}", "dim"))
    rows = [(), head, *preview(action, room, screen)]
    if action.paths:
        rows += [line(("  writes ", "dim"), str(root / path)) for path in action.paths[:5]]
        rows += [line((f"  and {len(action.paths) - 5:,} more files", "warn"))] if len(action.paths) > 5 else []
    if action.preview_kind == "command":
        rows.append(line(("  in ", "dim"), str(root)))
    if action.is_background:
        rows.append(line(("  it goes on in the background; ", "dim"), "/jobs", (" shows it and stops it", "dim")))
    if ask.why:
        rows += fold(line(("  asked because ", "dim"), (ask.why, "warn")), columns, "    ")
    if ask.known:
        rows += fold(line(("  failed before: ", "bad"), exact(ask.known)), columns, "    ")
    if ask.rule:
        very = action.command and ask.rule == f"line:{action.command}" and "\n" in action.command
        allowed = line(("  always would allow ", "dim"), "this very command" if very else exact(ask.rule))
        rows += fold(allowed, columns, "    ")
    return rows
