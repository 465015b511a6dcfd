"""The input line on a capable terminal; imports prompt-toolkit (120 to 300 ms), so it is imported only when needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from string import ascii_letters, digits

from prompt_toolkit import PromptSession
from prompt_toolkit.cursor_shapes import ModalCursorShapeConfig
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, emacs_mode, has_completions, has_focus, is_searching, vi_insert_mode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from ctxe.terminal.input import keyboard
from ctxe.terminal.input.completion import InputCompleter
from ctxe.terminal.input.completions import NO_COMPLETIONS, Completions
from ctxe.terminal.input.drawing import STYLE, color_depth, create_output
from ctxe.terminal.input.edits import insert_key, insert_newline, submit, submit_key
from ctxe.terminal.input.history import InputHistory
from ctxe.terminal.input.interrupt import INTERRUPTED, Interrupts
from ctxe.terminal.input.pasted import PastedTexts
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import cells, clean, fold, glyph, line

MENU = 8  # rows kept for completions while there can be some
ROOM = 6  # minimum columns for an answer after its label
POURED, SETTLED = 16, 0.5  # waiting keys that typing never reaches; seconds after which an Enter counts as typed

ESCAPE_SECONDS = 0.05  # until Escape counts as a key by itself, not as the start of a sequence: it is pressed often
TWICE_SECONDS = 0.5  # until the next key no longer forms one with Escape: "/" would complete, "f" move a word forward

BEGINNINGS = f"{ascii_letters}{digits}/@!?"
"""First characters of words and commands. On an empty line Escape never combines with them, however fast they
follow."""

OUTPUT, REWIND = "/output", "/rewind"
"""The commands that Ctrl-O and a double Escape enter on an empty line."""


class InputLine:
    """One prompt-toolkit session: ``read`` returns what was entered; Ctrl-C and Ctrl-D end it."""

    def __init__(
        self,
        screen: Screen,
        interrupts: Interrupts,
        history: Path | None = None,
        completions: Completions = NO_COMPLETIONS,
        toolbar: Callable[[], str] | None = None,
    ) -> None:
        self.screen, self.interrupts, self.toolbar = screen, interrupts, toolbar
        self.cycle: Callable[[], None] | None = None
        self.poured_at = -SETTLED
        self.pasted = PastedTexts()
        self.at_once, self.initial, self.shift_tab, self.question = "", "", "", False
        kept: History = InputHistory(history, self.pasted.expand) if history else InMemoryHistory()
        self.session: PromptSession[str | int] = PromptSession(
            multiline=True,
            history=kept,
            completer=InputCompleter(completions),
            complete_in_thread=True,
            complete_while_typing=Condition(self._completing),
            reserve_space_for_menu=MENU,
            key_bindings=self._keys(),
            prompt_continuation=lambda width, number, wraps: " " * width,
            enable_suspend=True,
            enable_open_in_editor=True,
            include_default_pygments_style=False,
            style=STYLE,
            color_depth=color_depth(screen),
            input=create_input(screen.stdin),
            output=create_output(screen),
        )
        self.session.app.ttimeoutlen, self.session.app.timeoutlen = ESCAPE_SECONDS, TWICE_SECONDS

    def read(self, label: str, text: str = "", *, fresh: bool = False, at_once: str = "") -> str | int:
        """What was entered, with pasted text in full; 0 for Ctrl-D, 130 for a double Ctrl-C (in a question: one).

        ``text`` is the initial text, a long one as a placeholder. ``fresh`` marks a question and drops what was typed
        ahead. A letter of ``at_once`` on an empty line is an answer without Enter. Raises KeyboardInterrupt if SIGINT
        comes from outside.
        """
        self.pasted.clear()
        self.at_once, self.initial, self.question = at_once, text, fresh
        roomy = self.screen.size()[1] > 2  # a window of one or two rows has room only for the line itself
        self.session.bottom_toolbar = self._toolbar_text if self.toolbar and roomy else None
        if fresh:
            clear_typeahead(self.session.input)
        try:
            begun = text if fresh else self.pasted.shorten(text)
            entered = self.session.prompt(lambda: self._label(label), default=begun, handle_sigint=False)
        except EOFError:
            return 0
        return self.pasted.expand(entered) if isinstance(entered, str) else entered

    def _label(self, label: str) -> StyleAndTextTuples:
        """The label; above the line if it leaves too little room. A label wider than the window would hide both."""
        columns = self.screen.size()[0]
        if cells(label) + ROOM > max(columns, 2 * ROOM):
            rows = ["".join(text for text, _ in row) for row in fold(line(label.rstrip()), columns)]
            label = "\n".join([*rows, f"{glyph('user', self.screen.unicode)} "])
        return [("class:prompt", label)]

    def edit_as_vi(self) -> None:
        """Switch to vi key bindings, with a cursor shape for each mode."""
        self.session.editing_mode = EditingMode.VI
        self.session.cursor = ModalCursorShapeConfig()

    def _completing(self) -> bool:
        """Whether to complete while typing: only in a command, its first argument, or a mention."""
        before = self.session.default_buffer.document.text_before_cursor
        return bool(re.fullmatch(r"/\S*(?: \S*)?", before) or re.search(r"(?:^|\s)@\S*$", before))

    def _toolbar_text(self) -> StyleAndTextTuples:
        """The toolbar's text, or the hint that a second Ctrl-C leaves."""
        pressed = self.interrupts.clock() - self.interrupts.last < 2 and not self.session.default_buffer.text
        text = "Ctrl-C again leaves" if pressed else self.toolbar() if self.toolbar else ""
        return [("class:bottom-toolbar.text", clean(text))]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        typing = has_focus(DEFAULT_BUFFER) & ~is_searching
        keys.add("enter", filter=typing)(self._entered)
        keys.add("escape", "enter", filter=typing & emacs_mode)(insert_newline)
        keys.add("c-o", filter=typing & Condition(self._idle))(lambda event: event.app.exit(result=OUTPUT))
        rewinds = typing & emacs_mode & Condition(self._idle) & Condition(lambda: self.cycle is not None)
        keys.add("escape", "escape", filter=rewinds)(lambda event: event.app.exit(result=REWIND))
        for begins in BEGINNINGS:
            keys.add("escape", begins, filter=typing & emacs_mode & Condition(self._idle))(insert_key)
        keys.add("c-j", filter=typing)(insert_newline)
        keys.add("c-x", "c-e", filter=typing & emacs_mode)(lambda event: event.current_buffer.open_in_editor())
        keys.add("c-c", filter=typing)(self._pressed)
        keys.add("escape", filter=typing & Condition(lambda: self.question))(self._escaped)
        keys.add("s-tab", filter=typing & Condition(lambda: bool(self.shift_tab)))(self._tabbed)
        keys.add(Keys.Any, filter=typing & (emacs_mode | vi_insert_mode) & Condition(self._many_keys_wait))(
            self._insert_waiting
        )
        keys.add(Keys.Any, filter=typing & Condition(self._is_answer))(submit_key)
        keys.add(Keys.BracketedPaste, filter=typing)(self._paste)
        keys.add("s-tab", filter=typing & ~has_completions & Condition(lambda: self.cycle is not None))(self._cycled)
        return keys

    def _idle(self) -> bool:
        """Whether the line is empty and no question is asked."""
        return not (self.question or self.session.default_buffer.text)

    def _many_keys_wait(self) -> bool:
        """Whether many keys wait to be read, as after a paste that the terminal does not mark."""
        return len(self.session.app.key_processor.input_queue) >= POURED

    def _is_answer(self) -> bool:
        """Whether the key just pressed is an answer by itself."""
        app = self.session.app
        pressed = app.key_processor.key_buffer[-1].data if app.key_processor.key_buffer else ""
        return bool(pressed) and pressed in self.at_once and not self.session.default_buffer.text

    def _pressed(self, event: KeyPressEvent) -> None:
        """Ctrl-C: clear the line.

        On an empty line a second press within two seconds leaves; in a question one press does.
        """
        empty = not event.current_buffer.text
        if (self.interrupts.press() and empty) or self.question:
            event.app.exit(result=INTERRUPTED)
        event.current_buffer.reset()
        self.session.bottom_toolbar = self._toolbar_text
        self.pasted.clear()

    def _escaped(self, event: KeyPressEvent) -> None:
        """Escape in a question: clear what was typed, or else interrupt the work that asks."""
        if event.current_buffer.text not in ("", self.initial):
            event.current_buffer.reset()
            return
        self.interrupts.by_escape = True
        event.app.exit(result=INTERRUPTED)

    def _entered(self, event: KeyPressEvent) -> None:
        """Enter: submit, unless it is a line end of pasted text that the terminal does not mark."""
        behind = event.key_processor.input_queue
        pasted = any(press.data.strip("\r\n") for press in behind) or (
            not behind and (self.interrupts.clock() - self.poured_at < SETTLED or keyboard.has_more(self.screen.stdin))
        )
        (insert_newline if pasted else submit)(event)

    def _tabbed(self, event: KeyPressEvent) -> None:
        event.current_buffer.text = self.shift_tab
        event.current_buffer.validate_and_handle()

    def _cycled(self, event: KeyPressEvent) -> None:
        if self.cycle is not None:
            self.cycle()

    def _paste(self, event: KeyPressEvent) -> None:
        """Insert pasted text; a long one as a placeholder."""
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        event.current_buffer.insert_text(self.pasted.shorten(text))

    def _insert_waiting(self, event: KeyPressEvent) -> None:
        """Insert all waiting characters and line ends at once: one by one a pasted file takes minutes.

        A final line end is handled separately: after a single line that was typed ahead it submits.
        """
        waiting, taken = event.key_processor.input_queue, [event.data]
        while len(waiting) > 1 and (len(waiting[0].key) == 1 or waiting[0].key in (Keys.ControlM, Keys.ControlJ)):
            taken.append(waiting.popleft().data.replace("\r", "\n"))
        if "\n" in taken:
            self.poured_at = self.interrupts.clock()
        event.current_buffer.insert_text("".join(taken))
