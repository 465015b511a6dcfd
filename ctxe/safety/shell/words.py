"""Parsing the part of the shell language that we are sure of: plain commands joined by ``&& || | ;``.

Anything else raises ``Unsure`` and is asked about. Semantics by the Bash Reference Manual 5.2, sections 3.1.2
(quoting), 3.2 (commands) and 3.6 (redirections), for a non-interactive shell without aliases.
"""

from __future__ import annotations

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.lexical.tables import word_set

LONGEST_LINE = 100_000
"""Characters of a command line above which it is asked about."""

SPELLED = {"$": "an expansion", "`": "a substitution", "(": "a subshell", "&": "a background job", "\\": "an escape"}


RESERVED = word_set("! [[ ]] { } case coproc do done elif else esac fi for function if in select then time until while")


class Unsure(Exception):
    """Raised for a line with something that is not supported here; the text tells what."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, without its quotes. ``known`` is False when the shell will compute it.

    ``glob``: the shell may replace it by file names. ``plain``: no part of it was quoted.
    """

    text: str
    glob: bool = False
    known: bool = True
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection: ``operator`` like ``>>`` or ``>&`` without the number of the stream, and its target."""

    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """A simple command: the names it assigns, words, redirections, and the operator that joins the next command.

    ``end`` is the position of that operator in the line.
    """

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    assigned: tuple[str, ...] = ()
    joined: str = ""
    end: int = field(default=0, compare=False)

    @property
    def texts(self) -> tuple[str, ...]:
        """The words as plain texts."""
        return tuple(word.text for word in self.words)


def program(word: Word) -> str:
    """The name of a program without folder and ``.exe``; empty for none."""
    return word.text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


_BLANK = pattern(r"[ \t]+|#[^\n]*")
_JOIN = pattern(r"&&|\|\|(?!\|)|\|(?![|&])|;(?![;&])|\n")
_REDIRECT = pattern(r"(?:[0-9](?=[<>]))?(>>|>&(?=[0-9]+(?:[\s;|&)]|$))|&>(?!>)|>(?![>&|(])|<(?![<>&(]))")
_PLAIN = pattern(r"[A-Za-z0-9_./,:=@%+^\-]+")
_RAW = pattern(r"'([^']*)'")
# in double quotes: no expansion, no history, and a backslash only where the shell keeps it, as in a regex
_QUOTED = pattern(r'"((?:[^"$`\\!]|\\[A-Za-z0-9.|()\[\]{}+*?^/<>\-]|\$(?=["|)])|!(?=[ ="]))*)"')
_ESCAPED = pattern(r"\\([().*?\[\]|+{};,:=@%^~#&<>$! \\])")
_BRACED = pattern(r"\{[A-Za-z0-9_\-]*\}")
# only before a command does it negate, and only an interactive shell looks for history
_BANG = pattern(r"(?<=[ \t])!(?=[ \t])")
_TILDE = pattern(r"(?<=[A-Za-z0-9_.@^/}\-])~(?=[0-9^~.\s:]|$)")
_ASSIGNED = pattern(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=")


def split(line: str) -> tuple[SimpleCommand, ...]:
    """The simple commands of a line. Raises Unsure for anything but plain words, quotes, redirections and joins."""
    if len(line) > LONGEST_LINE:
        raise Unsure("it is too long to be checked")
    unusual = next((character for character in line if character not in "\n\t" and not character.isprintable()), None)
    if unusual is not None:
        raise Unsure(f"it holds the character U+{ord(unusual):04X}")
    parts: list[SimpleCommand] = []
    words: list[Word] = []
    redirects: list[Redirect] = []
    assigned: list[str] = []
    position = 0
    while True:
        while (blank := _BLANK.match(line, position)) is not None:
            position = blank.end()
        join = _JOIN.match(line, position)
        if join is None and position < len(line):
            position = _take(line, position, words, redirects, assigned)
            continue
        if words or redirects or assigned:
            joined = join.group() if join else ""
            parts.append(SimpleCommand(tuple(words), tuple(redirects), tuple(assigned), joined, position))
            words, redirects, assigned = [], [], []
        elif join is not None and join.group() != "\n":
            raise Unsure(f"a command is missing before {join.group()}")
        if join is None:
            break
        position = join.end()
    if parts and parts[-1].joined in ("&&", "||", "|"):
        raise Unsure("a command is missing at the end")
    return tuple(parts)


def _take(line: str, position: int, words: list[Word], redirects: list[Redirect], assigned: list[str]) -> int:
    """Read one redirection, assignment or word. Returns the position after it."""
    if (redirect := _REDIRECT.match(line, position)) is not None:
        start = redirect.end()
        while line[start : start + 1] in (" ", "\t"):
            start += 1
        target, position = _word(line, start)
        redirects.append(Redirect(redirect.group(1), target))
        return position
    if not words and (name := _ASSIGNED.match(line, position)) is not None:
        value_start = name.end()
        ends = value_start == len(line) or line[value_start] in " \t\n;|&"
        _, position = (None, value_start) if ends else _word(line, value_start)
        assigned.append(name.group().rstrip("+=").partition("[")[0])
        return position
    word, position = _word(line, position)
    if not words and word.text == "[" and word.plain:
        word = Word("[")
    if not words and (not word.plain or word.text in RESERVED or word.glob):
        raise Unsure(f"the command {word.text!r} is quoted, computed or a keyword")
    words.append(word)
    return position


def _word(line: str, position: int) -> tuple[Word, int]:
    """The word at a position, and the position after it."""
    start, pieces, glob, plain = position, list[str](), False, True
    while position < len(line) and line[position] not in " \t\n;|&<>":
        for shape in (_PLAIN, _RAW, _QUOTED, _ESCAPED, _BRACED, _TILDE, _BANG):
            if (match := shape.match(line, position)) is not None:
                pieces.append(match.group(1) if shape.groups else match.group())
                plain = plain and shape in (_PLAIN, _BRACED, _TILDE, _BANG)
                position = match.end()
                break
        else:
            if line[position] not in "*?[]" and not (line[position].isalnum() and not line[position].isascii()):
                raise Unsure(f"it holds {SPELLED.get(line[position], repr(line[position]))}")
            glob = glob or line[position] in "*?["
            pieces.append(line[position])
            position += 1
    if position == start:
        character = line[position : position + 1]
        raise Unsure(f"it holds {SPELLED.get(character, 'an unusual ' + repr(character))}")
    if line[start] == "=":
        raise Unsure("a word begins with =")
    if line[position : position + 1] in ("<", ">") and (
        (line[position - 1].isdigit() and line[start:position].isdigit()) or line[position - 1] == "}"
    ):
        raise Unsure("a stream is named in an unusual way")
    return Word("".join(pieces), glob, plain=plain), position
