"""Checking that an expression of find, sed or awk only reads, and which files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set
from ctxe.safety.shell.words import Word

Paths = tuple[str, ...]

FIND_TESTS = word_set(
    "-amin -anewer -atime -cmin -cnewer -ctime -fstype -gid -group -iname -inum -ipath -iregex -iwholename -links"
    " -maxdepth -mindepth -mmin -mtime -name -newer -newermt -path -perm -printf -regex -regextype -samefile -size"
    " -type -uid -used -user -wholename -xtype"
)
FIND_WORDS = word_set(
    "! ( ) , -H -L -P -a -and -d -daystart -depth -empty -executable -false -follow -ls -mount -nogroup -noleaf -not"
    " -nouser -o -or -print -print0 -prune -quit -readable -true -writable -xdev"
)


def _loose(word: Word) -> bool:
    """Whether the shell could replace this word by an option."""
    return not word.known or (word.glob and word.text[:1] in "*?[")


def find(rest: Sequence[Word]) -> Paths | None:
    """The folders that find searches; None when it may do more than test and print names."""
    paths: list[str] = []
    expression = False
    words = iter(rest)
    for word in words:
        if _loose(word):
            return None
        if word.text in FIND_TESTS:
            value = next(words, None)
            # a name put in place of a glob may be an action, such as -delete
            if value is None or not value.known or value.glob:
                return None
            expression = True
        elif word.text in FIND_WORDS:
            expression = expression or word.text not in {"-H", "-L", "-P"}
        elif expression or word.text.startswith("-"):
            return None
        else:
            paths.append(word.text)
    return tuple(paths) or (".",)


# versions of sed differ on whether a slash in brackets ends the regex, so a script in which it matters is not accepted
_BRACKETS = r"(?<!\\)(?:\\\\)*\[\^?\]?[^\]]*"
_REGEX = r"(?:[^/\\\n]|\\[^\n])*"
_ADDRESS = rf"(?:\d+|\$|/{_REGEX}/)"
_PLACE = rf"(?:{_ADDRESS}(?:,(?:\+?\d+|\$|/{_REGEX}/))?!?)?"
_TEXT = r"(?:(?!(?P=mark))[^\\\n]|\\[^\n])*"
# the flags w and e of s are missing: they write files and run programs
_CHANGE = rf"s(?P<mark>[/|#,:]){_TEXT}(?P=mark){_TEXT}(?P=mark)[gpI0-9]*"
_COMMAND = pattern(rf"[ \t]*{_PLACE}[ \t]*(?:[pdq=]|{_CHANGE})[ \t]*")
SED_FLAGS = word_set("-n -E -r -nE -nr -En -rn --quiet --silent --regexp-extended")


def sed(rest: Sequence[Word]) -> Paths | None:
    """The files that sed reads; None unless it only prints, deletes and replaces (not ``w``, ``e``, ``r``, ``-i``)."""
    scripts, operands = list[str](), list[str]()
    words = iter(rest)
    for word in words:
        if _loose(word):
            return None
        if word.text in {"-e", "-ne", "--expression"}:
            scripts.append(next(words, Word("w")).text)
        elif word.text.startswith("-") and word.text != "-":
            if word.text not in SED_FLAGS:
                return None
        else:
            operands.append(word.text)
    if not scripts:
        scripts, operands = operands[:1], operands[1:]
    return tuple(operands) if scripts and all(map(_prints, scripts)) else None


def _prints(script: str) -> bool:
    """Whether a sed script consists of harmless commands."""
    marks = {"/", *re.findall(r"s([|#,:])", script)}
    if any(re.search(_BRACKETS + re.escape(mark), script) for mark in marks):
        return False
    position = 0
    while (command := _COMMAND.match(script, position)) is not None:
        position = command.end()
        if not script[position:].strip(" \t;\n"):
            return True
        if script[position] not in ";\n":
            return False
        position += 1
    return False


PRINTF_FORMAT = pattern(r"(?:[^%]|%%|%-?[0-9]{0,4}[sbq])*", re.S)
"""Formats that print texts only: ``%n`` assigns a variable, and some shells calculate what is given for a number."""


def printf(rest: Sequence[Word]) -> Paths | None:
    """The globs among the words that printf prints; None for ``-v`` and formats that may do more."""
    fine = rest and not rest[0].text.startswith("-") and not rest[0].glob and PRINTF_FORMAT.fullmatch(rest[0].text)
    return tuple(word.text for word in rest[1:] if word.glob) if fine and all(word.known for word in rest) else None


AWK_CALLS = word_set(
    "and atan2 cos exp for gsub if index int length log match or print printf rand return sin split sprintf sqrt srand"
    " strftime sub substr systime tolower toupper while"
)
_AWK_ACTS = pattern(
    r"(?<!\|)(?:\|\|)*\|(?!\|)|[@`]"
    r"|\b(?:system|getline|close|fflush|function|func|ARGV|ARGC|ENVIRON|PROCINFO|SYMTAB|FUNCTAB)\b"
)
_AWK_WRITES = pattern(r">(?!=)")
_AWK_CALL = pattern(r"([A-Za-z_]\w*)\s*\(")


def awk(rest: Sequence[Word]) -> Paths | None:
    """The files that awk reads; None for a program with pipes, redirections, other files or own functions.

    Strings and regexes in the program are searched, too, since only awk can tell a regex from a division.
    """
    operands = list[str]()
    words = iter(rest)
    for word in words:
        if _loose(word):
            return None
        if word.text == "-F":
            next(words, None)
        elif not word.text.startswith("-"):
            operands.append(word.text)
        elif not re.fullmatch(r"-F[^\w/-]{1,4}|-F\\?[a-z]", word.text):
            return None
    if not operands or any("=" in operand for operand in operands[1:]):
        return None
    return tuple(operands[1:]) if _only_reads(operands[0]) else None


def _only_reads(program: str) -> bool:
    """Whether an awk program starts and writes nothing. Before its first ``print`` a ``>`` compares."""
    if _AWK_ACTS.search(program) or not set(_AWK_CALL.findall(program)) <= AWK_CALLS:
        return False
    printed = program.find("print")
    return printed < 0 or _AWK_WRITES.search(program, printed) is None
