"""What is typed while the model works: kept apart from questions, displayed, and sent between two steps."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence

from ctxe.domain.pattern import pattern
from ctxe.terminal.figures import plural
from ctxe.terminal.style import Line, cells, clean, clip, glyph, line

SHOWN = 3  # queued lines that are listed above the one being typed
_KEY = pattern(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b[^\x1b\[O]"  # a function key, or a letter with Alt (ECMA-48, xterm)
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])",
    re.DOTALL,
)
_BEGUN = pattern(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
UP = ("\x1b[A", "\x1bOA")
SHIFT_TAB, CTRL_B = "\x1b[Z", "\x02"
NEWLINE = ("\n", "\x1b\r", "\x1b\n")
COMMANDS = ("/", "!", "#")


class TypeAhead:
    """``queued`` was entered, oldest first: words wait for the end of the step, commands for the end of the turn.

    ``text`` is the unfinished line, ``cycle`` handles Shift-Tab, ``aside`` Ctrl-B.
    """

    def __init__(self) -> None:
        self.cycle: Callable[[], None] = lambda: None
        self.aside: Callable[[], None] = lambda: None
        self.queued: list[str] = []
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Take in bytes that one read returned. Line ends inside them were pasted and submit nothing."""
        typed = self._rest + self._decoder.decode(data)
        begun = _BEGUN.search(typed)
        self._rest = typed[begun.start() :] if begun else ""
        typed = typed[: begun.start()] if begun else typed
        if "\r" in typed.rstrip("\r\n"):
            typed = typed.replace("\r\n", "\n").replace("\r", "\n")
        for key in _KEY.finditer(typed):
            self._press(key.group(), key["text"] is not None)

    def escaped(self) -> bool:
        """Whether Escape was pressed by itself. To be called when nothing has followed it for a while."""
        alone = self._rest == "\x1b"
        self._rest = "" if alone else self._rest
        return alone

    def take(self, whole: bool) -> tuple[str, str]:
        """What is sent next, and the initial text of the line once nothing is queued.

        After a turn that was stopped or failed (not ``whole``) nothing is sent: everything goes back into the line.
        """
        if not whole:
            self.text = "\n".join(part for part in (*self.queued, self.text) if part)
            self.queued.clear()
        if self.queued:
            return self._take_next(), ""
        text, self.text = self.text, ""
        return "", text

    def take_words(self) -> str:
        """The words entered before the first slash command, joined; they may be sent while the model works."""
        return self._take_next() if self.queued and not self.queued[0].startswith(COMMANDS) else ""

    def rows(self, columns: int, unicode: bool) -> list[Line]:
        """One row for each queued line and for the one being typed, whose end stays visible."""
        if not (self.queued or self.text):
            return []
        notes = [f"  queued: {words}" for words in self.queued[-SHOWN:]]
        if notes:
            commands = any(words.startswith(COMMANDS) for words in self.queued)
            when = "after the turn" if commands else "told after this step"
            notes[-1] += f" {glyph('dot', unicode)} {when}, {'↑' if unicode else 'Up'} takes it back"
        found = [clip(line((note, "dim")), columns, unicode) for note in notes]
        above, _, last = self.text.rstrip("\n").rpartition("\n")
        shown = (f"[{plural(above.count(chr(10)) + 1, 'line')}] " if above else "") + clean(last)
        ends = f" {glyph('dot', unicode)} Enter sends it" if "\n" in self.text else ""
        room, cut = max(1, columns - 4), ""
        while cells(cut + shown) > room:
            cut, shown = glyph("rest", unicode), shown[max(1, len(shown) - room) :]
        row = line((f"{glyph('user', unicode)} ", "accent"), (cut, "dim"), shown, (ends, "dim"))
        return [*found, clip(row, columns, unicode)]

    def _press(self, key: str, letters: bool) -> None:
        """Handle one key, or a run of printable characters."""
        if letters:
            self.text += key
        elif key in NEWLINE:
            self.text += "\n" if self.text else ""
        elif key == "\t":
            self.text += "    "
        elif key == "\r":
            self._enter()
        elif key in ("\x7f", "\x08"):
            self.text = self.text[:-1]
        elif key == "\x17":
            self.text = re.sub(r"\S*\s*\Z", "", self.text)
        elif key == "\x15":
            self.text = ""
        elif key == CTRL_B:
            self.aside()
        elif key == SHIFT_TAB:
            self.cycle()
        elif key in UP and self.queued and not self.text:
            self.text = self.queued.pop()
        elif key == "\x04" and not self.text:
            self.queued.append("/exit")

    def _enter(self) -> None:
        if self.text.endswith("\\"):
            self.text = self.text[:-1] + "\n"
        elif self.text.strip():
            self.queued.append(self.text)
            self.text = ""

    def _take_next(self) -> str:
        """A single command, or all words up to the next command, which belong together."""
        queued: Sequence[str] = self.queued
        count = 1
        if not queued[0].startswith(COMMANDS):
            count = next((at for at, words in enumerate(queued) if words.startswith(COMMANDS)), len(queued))
        first, self.queued = "\n".join(queued[:count]), list(queued[count:])
        return first
