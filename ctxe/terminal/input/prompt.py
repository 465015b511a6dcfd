"""Reads the user's input: a full input line on a capable terminal, plain lines anywhere else.

``Prompt.read()`` returns the words, or ``Left`` when the user leaves: by Ctrl-D or end of input (code 0), or by Ctrl-C
twice (code 130). ``line`` and ``ask`` ask a short question, ``edit`` lets the user change a text.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass
from ctxe.terminal.input import keyboard
from ctxe.terminal.input.completions import NO_COMPLETIONS, Completions
from ctxe.terminal.input.interrupt import INTERRUPTED, current_interrupts, is_handling_interrupts
from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write
from ctxe.terminal.style import clean, glyph

if TYPE_CHECKING:
    from ctxe.terminal.input.inputline import InputLine


@dataclass(frozen=True, slots=True)
class Left:
    """The user left; ``code`` is the exit code."""

    code: int = 0


class Prompt:
    """The source of the user's input. ``history`` is a private file.

    ``toolbar`` returns the row below the line, ``cycle`` handles Shift-Tab. ``editor`` is a command
    (``["vim"]``) for long texts; ``vi`` selects its keys in the line too.
    """

    def __init__(
        self,
        screen: Screen,
        *,
        history: Path | None = None,
        completions: Completions = NO_COMPLETIONS,
        toolbar: Callable[[], str] | None = None,
        cycle: Callable[[], None] | None = None,
        editor: Sequence[str] = (),
        vi: bool = False,
    ) -> None:
        self.screen, self.editor, self.vi = screen, editor, vi
        self.history, self.completions = history, completions
        self.toolbar, self.cycle = toolbar, cycle
        self.full = screen.live and screen.keyboard
        self.main: InputLine | None = None
        self.short: InputLine | None = None

    def read(self, text: str = "") -> str | Left:
        """The user's next words; ``text`` is the initial text of the line (on a capable terminal)."""
        label = f"{glyph('user', self.screen.unicode)} "
        if not self.full:
            return self._plain(label)
        if self.main is None:
            from ctxe.terminal.input.inputline import InputLine

            self.main = InputLine(self.screen, current_interrupts(), self.history, self.completions, self.toolbar)
            self.main.cycle = self.cycle
            if self.vi:
                self.main.edit_as_vi()
        while True:
            try:
                entered = self.main.read(label, text)
            except KeyboardInterrupt:  # SIGINT from outside; the input line handles the key itself
                if not is_handling_interrupts():
                    return Left(INTERRUPTED)
                continue
            return entered if isinstance(entered, str) else Left(entered)

    def keep(self, words: str) -> None:
        """Add words that were not typed into the line to the history."""
        if self.main is not None:
            self.main.session.history.append_string(words)

    def line(self, question: str, text: str = "", at_once: str = "", shift_tab: str = "") -> str | None:
        """The answer to one question, typed after it was asked; None for Ctrl-D or end of input.

        On a capable terminal a letter of ``at_once`` needs no Enter, and ``shift_tab`` is the answer that this key
        gives. Raises KeyboardInterrupt for Ctrl-C.
        """
        keyboard.flush(self.screen.stdin)
        if not self.full:
            self._show(clean(question) + " ")
            return keyboard.read_line(self.screen.stdin)
        if self.short is None:
            from ctxe.terminal.input.inputline import InputLine

            self.short = InputLine(self.screen, current_interrupts())
        self.short.shift_tab = shift_tab
        entered = self.short.read(clean(question) + " ", text, fresh=True, at_once=at_once)
        if entered == INTERRUPTED:
            raise KeyboardInterrupt
        return entered if isinstance(entered, str) else None

    def ask(self, question: str, choices: Sequence[str]) -> str:
        """One of ``choices`` (first letters suffice); the last one if there is no answer."""
        while True:
            answer = self.line(question, at_once="".join(choice[:1] for choice in choices))
            if answer is None:
                return choices[-1]
            for choice in choices:
                if answer.strip() and choice.startswith(answer.strip().lower()):
                    return choice

    def pick(self, question: str, options: Sequence[tuple[str, str]]) -> str | None:
        """The chosen value of (value, row), by arrows or words; None if declined or if the terminal is not capable."""
        if not self.full:
            return None
        from ctxe.terminal.input.picker import pick

        return pick(self.screen, question, options)

    def edit(self, text: str, suffix: str = ".txt") -> str:
        """The text as changed by the user: several lines in the editor if one is set, otherwise in the input line."""
        if self.editor and self.screen.keyboard and "\n" in text:
            return self._in_editor(text, suffix)
        try:
            changed = self.line("change it:", text)
        except KeyboardInterrupt:  # back to the question, where the user can say no
            return text
        return text if changed is None else changed

    def _in_editor(self, text: str, suffix: str) -> str:
        """The text after the editor was closed; unchanged, with a message, if the editor failed."""
        from ctxe.terminal.input.handover import run_on_terminal

        with tempfile.TemporaryDirectory(prefix="ctxe-") as folder:
            path = Path(folder) / f"edit{suffix}"
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            try:
                code = run_on_terminal(self.screen, [*self.editor, str(path)], folder)
                if code == 0:
                    return path.read_bytes().decode("utf-8", "surrogateescape")
                self.screen.tell(f"{self.editor[0]} ended with {code}: the text stays as it was")
            except OSError as error:
                self.screen.tell(f"the editor {self.editor[0]} cannot be started: {error.strerror}; set EDITOR")
        return text

    def _plain(self, label: str) -> str | Left:
        """Plain lines; a backslash at the end of one continues it on the next."""
        rows: list[str] = []
        while True:
            if self.screen.keyboard:
                self._show(label if not rows else "  ")
            try:
                row = keyboard.read_line(self.screen.stdin)
            except KeyboardInterrupt:
                if not is_handling_interrupts():
                    return Left(INTERRUPTED)
                self._show("\nCtrl-C again leaves\n")
                rows = []
                continue
            if row is None:
                return "\n".join(rows) if rows else Left()
            if not row.endswith("\\"):
                return "\n".join([*rows, row])
            rows.append(row[:-1])

    def _show(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            write(self.screen.out if self.screen.terminal else self.screen.err, text)
