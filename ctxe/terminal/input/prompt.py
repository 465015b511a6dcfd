"""Reading what a person types: a full input line on a capable terminal, plain lines anywhere else.

``Prompt.read()`` gives the words, or ``Left`` when the person leaves: Ctrl-D or the end of input (code 0), Ctrl-C twice
(code 130). ``line`` and ``ask`` put one short question, ``edit`` lets a text be changed.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass
from ctxe.terminal.input import keyboard
from ctxe.terminal.input.interrupt import INTERRUPTED, current, installed
from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write
from ctxe.terminal.style import clean, glyph

if TYPE_CHECKING:
    from ctxe.terminal.input.inputline import InputLine


@dataclass(frozen=True, slots=True)
class Left:
    """The person left; ``code`` is the exit code that says how."""

    code: int = 0


class Prompt:
    """Where words come from. ``history`` is a private file; ``commands`` are (name, help), or give them.

    ``files`` gives paths for what was typed after @, best first; ``arguments`` the values for a command's name and the
    word that was begun; ``toolbar`` is the row below the line, ``cycle`` what Shift-Tab does.
    ``editor`` is a command (``["vim"]``) for long texts, ``vi`` has its keys in the line, too.
    """

    def __init__(
        self,
        screen: Screen,
        *,
        history: Path | None = None,
        commands: Sequence[tuple[str, str]] | Callable[[], Sequence[tuple[str, str]]] = (),
        files: Callable[[str], Sequence[str]] | None = None,
        arguments: Callable[[str, str], Sequence[str]] | None = None,
        toolbar: Callable[[], str] | None = None,
        cycle: Callable[[], None] | None = None,
        editor: Sequence[str] = (),
        vi: bool = False,
    ) -> None:
        self.screen, self.editor, self.vi = screen, editor, vi
        self.history, self.commands, self.files = history, commands, files
        self.arguments, self.toolbar, self.cycle = arguments, toolbar, cycle
        self.full = screen.live and screen.keyboard
        self.main: InputLine | None = None
        self.short: InputLine | None = None

    def read(self, text: str = "") -> str | Left:
        """The next words of the user; ``text`` stands in the line already (where there is a line)."""
        label = f"{glyph('user', self.screen.unicode)} "
        if not self.full:
            return self._plain(label)
        if self.main is None:
            from ctxe.terminal.input.inputline import InputLine

            self.main = InputLine(
                self.screen, current(), self.history, self.commands, self.files, self.arguments, self.toolbar
            )
            self.main.cycle = self.cycle
            if self.vi:
                self.main.edit_as_vi()
        while True:
            try:
                entered = self.main.read(label, text)
            except KeyboardInterrupt:  # a signal from outside; the key itself is the input line's affair
                if not installed():
                    return Left(INTERRUPTED)
                continue
            return entered if isinstance(entered, str) else Left(entered)

    def keep(self, words: str) -> None:
        """Put words that were not typed into the line among those that ↑ brings back."""
        if self.main is not None:
            self.main.session.history.append_string(words)

    def line(self, question: str, text: str = "", at_once: str = "", shift_tab: str = "") -> str | None:
        """The answer to one question, typed after it was asked; None when there is none (Ctrl-D, end of input).

        A letter of ``at_once`` needs no Enter on a capable terminal, ``shift_tab`` is what that key answers. Raises
        KeyboardInterrupt for Ctrl-C.
        """
        keyboard.flush(self.screen.stdin)
        if not self.full:
            self._show(clean(question) + " ")
            return keyboard.read_line(self.screen.stdin)
        if self.short is None:
            from ctxe.terminal.input.inputline import InputLine

            self.short = InputLine(self.screen, current())
        self.short.shift_tab = shift_tab
        entered = self.short.read(clean(question) + " ", text, fresh=True, at_once=at_once)
        if entered == INTERRUPTED:
            raise KeyboardInterrupt
        return entered if isinstance(entered, str) else None

    def ask(self, question: str, choices: Sequence[str]) -> str:
        """One of ``choices`` (their first letters will do); the last one when there is no answer."""
        while True:
            answer = self.line(question, at_once="".join(choice[:1] for choice in choices))
            if answer is None:
                return choices[-1]
            for choice in choices:
                if answer.strip() and choice.startswith(answer.strip().lower()):
                    return choice

    def pick(self, question: str, options: Sequence[tuple[str, str]]) -> str | None:
        """One of (value, row) by arrows or words; None when none is wanted, or where the terminal cannot offer them."""
        if not self.full:
            return None
        from ctxe.terminal.input.picker import pick

        return pick(self.screen, question, options)

    def edit(self, text: str, suffix: str = ".txt") -> str:
        """The text as the user changed it: in the editor when it has lines and one is set, else in the input line."""
        if self.editor and self.screen.keyboard and "\n" in text:
            return self._in_editor(text, suffix)
        try:
            changed = self.line("change it:", text)
        except KeyboardInterrupt:  # back to the question, which takes a no
            return text
        return text if changed is None else changed

    def _in_editor(self, text: str, suffix: str) -> str:
        """The text after the editor has closed; as it was when the editor failed, which is told."""
        from ctxe.terminal.input.handover import lend

        with tempfile.TemporaryDirectory(prefix="ctxe-") as folder:
            path = Path(folder) / f"edit{suffix}"
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            try:
                code = lend(self.screen, [*self.editor, str(path)], folder)
                if code == 0:
                    return path.read_bytes().decode("utf-8", "surrogateescape")
                self.screen.tell(f"{self.editor[0]} ended with {code}: the text stays as it was")
            except OSError as error:
                self.screen.tell(f"the editor {self.editor[0]} cannot be started: {error.strerror}; set EDITOR")
        return text

    def _plain(self, label: str) -> str | Left:
        """Lines as they come; a backslash at the end of one asks for another."""
        rows: list[str] = []
        while True:
            if self.screen.keyboard:
                self._show(label if not rows else "  ")
            try:
                row = keyboard.read_line(self.screen.stdin)
            except KeyboardInterrupt:
                if not installed():
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
