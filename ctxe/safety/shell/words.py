"""Parsing the part of the shell language that we are sure of: plain commands joined by ``&& || | ;``.

Anything else raises ``Unsure`` and is asked about. Semantics by the Bash Reference Manual 5.2, sections 3.1.2
(quoting), 3.2 (commands) and 3.6 (redirections), for a non-interactive shell without aliases.
"""

from __future__ import annotations

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.lexical.tables import word_set

MOST = 100_000
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
    if len(line) > MOST:
        raise Unsure("it is too long to be checked")
    odd = next((c for c in line if c not in "\n\t" and not c.isprintable()), None)
    if odd is not None:
        raise Unsure(f"it holds the character U+{ord(odd):04X}")
    parts: list[SimpleCommand] = []
    words: list[Word] = []
    redirects: list[Redirect] = []
    assigned: list[str] = []
    at = 0
    while True:
        while (blank := _BLANK.match(line, at)) is not None:
            at = blank.end()
        join = _JOIN.match(line, at)
        if join is None and at < len(line):
            at = _take(line, at, words, redirects, assigned)
            continue
        if words or redirects or assigned:
            joined = join.group() if join else ""
            parts.append(SimpleCommand(tuple(words), tuple(redirects), tuple(assigned), joined, at))
            words, redirects, assigned = [], [], []
        elif join is not None and join.group() != "\n":
            raise Unsure(f"a command is missing before {join.group()}")
        if join is None:
            break
        at = join.end()
    if parts and parts[-1].joined in ("&&", "||", "|"):
        raise Unsure("a command is missing at the end")
    return tuple(parts)


def _take(line: str, at: int, words: list[Word], redirects: list[Redirect], assigned: list[str]) -> int:
    """Read one redirection, assignment or word. Returns the position after it."""
    if (redirect := _REDIRECT.match(line, at)) is not None:
        start = redirect.end()
        while line[start : start + 1] in (" ", "\t"):
            start += 1
        target, at = _word(line, start)
        redirects.append(Redirect(redirect.group(1), target))
        return at
    if not words and (name := _ASSIGNED.match(line, at)) is not None:
        value_at = name.end()
        ends = value_at == len(line) or line[value_at] in " \t\n;|&"
        _, at = (None, value_at) if ends else _word(line, value_at)
        assigned.append(name.group().rstrip("+=").partition("[")[0])
        return at
    word, at = _word(line, at)
    if not words and word.text == "[" and word.plain:
        word = Word("[")
    if not words and (not word.plain or word.text in RESERVED or word.glob):
        raise Unsure(f"the command {word.text!r} is quoted, computed or a keyword")
    words.append(word)
    return at


def _word(line: str, at: int) -> tuple[Word, int]:
    """The word at a position, and the position after it."""
    start, pieces, glob, plain = at, list[str](), False, True
    while at < len(line) and line[at] not in " \t\n;|&<>":
        for shape in (_PLAIN, _RAW, _QUOTED, _ESCAPED, _BRACED, _TILDE, _BANG):
            if (found := shape.match(line, at)) is not None:
                pieces.append(found.group(1) if shape.groups else found.group())
                plain = plain and shape in (_PLAIN, _BRACED, _TILDE, _BANG)
                at = found.end()
                break
        else:
            if line[at] not in "*?[]" and not (line[at].isalnum() and not line[at].isascii()):
                raise Unsure(f"it holds {SPELLED.get(line[at], repr(line[at]))}")
            glob = glob or line[at] in "*?["
            pieces.append(line[at])
            at += 1
    if at == start:
        raise Unsure(f"it holds {SPELLED.get(line[at : at + 1], 'an unusual ' + repr(line[at : at + 1]))}")
    if line[start] == "=":
        raise Unsure("a word begins with =")
    if line[at : at + 1] in ("<", ">") and (
        (line[at - 1].isdigit() and line[start:at].isdigit()) or line[at - 1] == "}"
    ):
        raise Unsure("a stream is named in an unusual way")
    return Word("".join(pieces), glob, plain=plain), at
