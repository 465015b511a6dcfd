"""Making outside text harmless: no control sequence reaches the terminal, no invisible character reaches a model."""

from __future__ import annotations

import re
import unicodedata

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass

# ECMA-48: CSI parameters, intermediates and final; then strings (OSC, DCS, SOS, PM, APC) up to their terminator. An
# unterminated one of more than its limit stays visible; otherwise one byte could hide the rest of a text.
_SEQUENCE = pattern(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x00-\x06\x08-\x1f\x7f\x80-\x9f]{0,4096}?(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x00-\x08\x0e-\x1f\x7f\x80-\x9f]{0,65536}?(?:\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,3}[0-~]|\x1b[0-Z\\^-~]"
)
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_HIDDEN_RUN = pattern(f"[{_HIDDEN}]+")
_UNSAFE_RUN = pattern(f"[{_CONTROL}]+|[{_HIDDEN}]+")
_EXACT_RUN = pattern(f"[{_CONTROL}{_BLANKS}]+|[{_HIDDEN}]+| {{17,}}|(?:[ \t]*\n){{4,}}")
# scripts that need joiners: Arabic and related ones, Indic ones, Khmer, Mongolian, Tibetan (Unicode 17, chapter 23.2)
_JOINED = pattern("[\u0600-\u08ff\u0900-\u0fff\u1000-\u109f\u1780-\u18aa\ua840-\ua8ff\ufb50-\ufdff\ufe70-\ufefc]")
_RIGHT_TO_LEFT = pattern("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_UNSPACED = pattern("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_MONGOLIAN = pattern("[\u1820-\u18aa]")
_MARKS = "\u200e\u200f\u061c"
_FLAGS = tuple("".join(chr(0xE0000 + ord(c)) for c in f"gb{part}") + "\U000e007f" for part in ("eng", "sct", "wls"))
_EMOJI_TEXT = "‼⁉〰ℹ"


@dataclass(frozen=True, slots=True)
class Hidden:
    """Invisible characters that were removed from one line; ``says`` is the ASCII text that tag characters spelled."""

    line: int
    count: int
    points: tuple[str, ...]
    says: str = ""


def strip_sequences(text: str) -> str:
    """The text without complete terminal control sequences (colours, titles, links, cursor moves)."""
    return _SEQUENCE.sub("", text) if "\x1b" in text or not text.isascii() else text


def visible(text: str) -> str:
    r"""The text for a terminal: control sequences removed, other control and invisible characters spelled out.

    Of the control characters only \n and \t stay, and no line is added; \r\n becomes \n. Joined emoji and right-to-left
    languages are unchanged. For text that a person is asked to approve use ``exact``.
    """
    text = strip_sequences(text.replace("\r\n", "\n") if "\r" in text else text)
    return _UNSAFE_RUN.sub(_spelled, text)


def one_line(text: str, room: int = 200) -> str:
    """``visible`` on a single line of at most ``room`` characters."""
    line = " ".join(visible(text[: room * 4]).split())
    return line if len(line) <= room else line[: max(room - 1, 0)] + "…"


def exact(text: str) -> str:
    """The text with every unusual character spelled out and long runs of blanks counted.

    For questions: a command must not be hidden by blanks or scrolled out of sight.
    """
    return _EXACT_RUN.sub(_counted, text)


def strip_invisible(text: str) -> tuple[str, tuple[Hidden, ...]]:
    """The text without characters that a person cannot see, and where they were (lines from 1).

    Joined emoji, flags and marks that right-to-left and joining scripts need stay. A leading byte order mark is removed
    without being reported. For all text that goes to a model from files, memory, skills and tools.
    """
    text = text.removeprefix("\ufeff")
    if text.isascii() or not _HIDDEN_RUN.search(text):
        return text, ()
    pieces: list[str] = []
    runs_by_line: dict[int, list[str]] = {}
    line, copied = 1, 0
    for run in _HIDDEN_RUN.finditer(text):
        line += text.count("\n", copied, run.start())
        pieces.append(text[copied : run.start()])
        copied = run.end()
        if _belongs(run):
            pieces.append(run.group())
        else:
            runs_by_line.setdefault(line, []).append(run.group())
    pieces.append(text[copied:])
    return "".join(pieces), tuple(_finding(line, "".join(runs)) for line, runs in runs_by_line.items())


def _finding(line: int, run: str) -> Hidden:
    tags = "".join(chr(ord(character) - 0xE0000) for character in run[:400] if 0xE0020 <= ord(character) <= 0xE007E)
    return Hidden(line, len(run), tuple(f"U+{ord(character):04X}" for character in sorted(set(run))[:8]), tags[:80])


def _spelled(run: re.Match[str]) -> str:
    """A run of unsafe characters as ‹U+XXXX›, repetitions counted."""
    if _belongs(run):
        return run.group()
    return "".join(map(_spell_same, re.finditer(r"(.)\1*", run.group(), re.S)))


def _spell_same(run: re.Match[str]) -> str:
    name, times = f"U+{ord(run[1]):04X}", len(run[0])
    return f"‹{name}›" * times if times < 4 else f"‹{name} ×{times}›"


def _counted(run: re.Match[str]) -> str:
    if run.group().isspace() and set(run.group()) <= set(" \t\n"):
        lines = run.group().count("\n")
        return f"‹{lines} line ends›\n" if lines else f"‹{len(run.group())} spaces›"
    return _spelled(run)


def _belongs(match: re.Match[str]) -> bool:
    """Whether a run of invisible characters is needed to write the text around it."""
    run, text = match.group(), match.string
    before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
    if run in _MARKS:
        return bool(_RIGHT_TO_LEFT.search(text, max(match.start() - 40, 0), match.end() + 40))
    if run in ("\ufe0e", "\ufe0f"):
        return _is_symbol(before) or (before in "0123456789#*" and after == "\u20e3" and before != "")
    if run in ("\u200d", "\ufe0f\u200d"):
        joins_emoji = _is_symbol(before) and _is_symbol(after)
        return joins_emoji or (run == "\u200d" and bool(_JOINED.match(before)))
    if run == "\u200c":
        return bool(_JOINED.match(before))
    if run in "\u180b\u180c\u180d\u180f\u200b":
        return bool((_UNSPACED if run == "\u200b" else _MONGOLIAN).match(before))
    return before == "\U0001f3f4" and run in _FLAGS


def _is_symbol(character: str) -> bool:
    """Whether a character is an emoji or can be shown as one, which ASCII symbols (a backtick, a bar) never are."""
    return character > "\x7f" and (character in _EMOJI_TEXT or unicodedata.category(character) in {"So", "Sm", "Sk"})
