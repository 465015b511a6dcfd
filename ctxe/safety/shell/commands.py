"""Parsing a shell command line: every simple command in it, however nested, and whether the parse is reliable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.lexical.tables import word_set
from ctxe.safety.shell.words import LONGEST_LINE, Redirect, SimpleCommand, Unsure, Word, program, split
from ctxe.safety.shell.wrappers import (
    LATER,
    MOST_WRAPPER_WORDS,
    SHELLS,
    SPEAKERS,
    carried_from,
    is_computed,
    lines_in,
    reads_its_input,
    starts_directly,
)

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

DEPTH = 4
"""How deep shells inside shells are followed."""
SLOW = (("<<", 100), ("(", 1_000), ("[", 1_000), ("<", 1_500), (">", 1_500), ("a|", 1_500))
"""Texts that tree-sitter parses in more than linear time, and how many take at most half a second (measured)."""
_DATA = pattern(r"<<-?[ \t]*(['\"])(\w+)\1([^\n]*\n)(?:(?![ \t]*\2[ \t]*$)[^\n]*\n)*[ \t]*\2[ \t]*$", re.M)
WORDS = word_set(
    "ansi_c_string arithmetic_expansion brace_expression command_substitution concatenation expansion number"
    " process_substitution raw_string simple_expansion string translated_string word"
)
NOT_WORDS = word_set("variable_assignment file_redirect herestring_redirect")
_ESCAPE = pattern(r"\\(?:\n|(.))")
_IN_QUOTES = pattern(r'\\(?:\n|(["$`\\]))')
_BRACES = pattern(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed command line. ``sure`` holds its simple commands if there is no doubt, else ``doubt`` is the reason.

    ``seen`` holds every simple command found anywhere (loops, substitutions, inner shells, wrappers), rather too many
    than too few: to be used for denying only. ``broken`` tells why even these are unreliable; empty if they are not.
    """

    line: str
    sure: tuple[SimpleCommand, ...] | None
    doubt: str
    seen: tuple[SimpleCommand, ...]
    broken: str = ""


def parse(line: str) -> Parsed:
    """Parse a command line twice, strictly by ``split`` and by tree-sitter: it is sure only when both agree."""
    if len(line) > LONGEST_LINE or _is_slow(line):
        reason = "it is too long to be checked"
        return Parsed(line, None, reason, (), reason)
    commands, broken = _read(line)
    seen, inner_doubt = _with_inner(commands, DEPTH)
    broken = broken or inner_doubt
    try:
        sure = split(line)
    except Unsure as unsure:
        return Parsed(line, None, str(unsure), seen, broken)
    if broken or _shape(sure) != _shape(commands):
        return Parsed(line, None, broken or "it can be read in two ways", seen, broken)
    return Parsed(line, sure, "", seen)


def _is_slow(line: str) -> bool:
    """Whether tree-sitter would take long. The content of a quoted heredoc is a single token for it."""
    code = re.sub(r"[^\s|]\|", "a|", _DATA.sub(r"<<\3", line))
    return any(code.count(mark) > most for mark, most in SLOW)


def _shape(parts: tuple[SimpleCommand, ...]) -> list[object]:
    """The facts on which both parses must agree: words and redirections."""
    words = [part.texts for part in parts if part.words]
    return [words, [(redirect.operator, redirect.target.text) for part in parts for redirect in part.redirects]]


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _read(line: str) -> tuple[tuple[SimpleCommand, ...], str]:
    """The simple commands by tree-sitter, in order, and why they are unreliable, if they are."""
    if any(character not in "\n\t" and not character.isprintable() for character in line):
        return (), "it holds control or invisible characters"
    root = _parser().parse(line.encode("utf-8", "replace")).root_node
    parts: list[SimpleCommand] = []
    stack = [root]
    while stack:
        node = stack.pop()
        _note(node, parts)
        stack.extend(child for child in reversed(node.children) if child.child_count)
    return tuple(parts), "it cannot be parsed" if root.has_error else ""


def _note(node: Node, parts: list[SimpleCommand]) -> None:
    """Add the command, assignment or redirection of a syntax node to ``parts``."""
    match node.type:
        case "command":
            children = [child for child in node.children if child.type not in NOT_WORDS]
            assigned = [child for child in node.children if child.type == "variable_assignment"]
            parts.append(SimpleCommand(tuple(map(_word, children)), (), tuple(map(_name, assigned))))
        case "declaration_command" | "unset_command":
            parts.append(SimpleCommand(tuple(map(_word, node.children))))
        case "test_command":
            parts.append(SimpleCommand(tuple(map(_word, _operands(node)))))
        case "variable_assignment" if node.parent is not None and node.parent.type != "command":
            parts.append(SimpleCommand((), (), (_name(node),)))
        case "file_redirect" | "herestring_redirect" | "heredoc_redirect":
            operator = next(child.type for child in node.children if not child.is_named)
            targets = [_word(child) for child in node.children if child.is_named and child.type in WORDS]
            if operator != "<<":
                parts.append(SimpleCommand((), (Redirect(operator, targets[0] if targets else Word("")),)))
                targets = targets[1:]
            _extend(parts, targets)


def _operands(node: Node) -> Iterator[Node]:
    """The words of a test, whose grammar has them in nested expressions."""
    for child in node.children:
        yield from _operands(child) if child.type.endswith("_expression") else (child,)


def _extend(parts: list[SimpleCommand], words: list[Word]) -> None:
    """Add words after a redirection to the command before it."""
    last = next((index for index in range(len(parts) - 1, -1, -1) if parts[index].words), None)
    if words and last is not None:
        parts[last] = SimpleCommand((*parts[last].words, *words), parts[last].redirects, parts[last].assigned)


def _name(assignment: Node) -> str:
    return _text(assignment).partition("=")[0].rstrip("+").partition("[")[0]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _word(node: Node) -> Word:
    """A syntax node as a word."""
    text = _text(node)
    match node.type:
        case "command_name" if node.child_count == 1:
            return _word(node.children[0])
        case "word" | "number" | "variable_name" | "test_operator" | "extglob_pattern" | "regex":
            unescaped = _ESCAPE.sub(lambda match: match[1] or "", text)
            is_literal = not text.startswith("~") and node.child_count == 0
            return Word(unescaped, any(character in "*?[" for character in text), is_literal, unescaped == text)
        case "raw_string":
            return Word(text[1:-1], plain=False)
        case "string" if all(child.type == "string_content" for child in node.children if child.is_named):
            return Word(_IN_QUOTES.sub(lambda match: match[1] or "", text[1:-1]), plain=False)
        case "concatenation":
            words = [_word(child) for child in node.children]
            is_computed = any(not word.known for word in words) or ("{" in text and _BRACES.search(text) is not None)
            joined = "".join(word.text for word in words)
            return Word(joined, any(word.glob for word in words), not is_computed, all(word.plain for word in words))
        case _:
            return Word(text, known=not node.is_named, plain=False)


def _with_inner(commands: tuple[SimpleCommand, ...], depth: int) -> tuple[tuple[SimpleCommand, ...], str]:
    """The commands with those that they would run in turn, and why these are unreliable, if they are."""
    seen, broken = list(commands), ""
    for part in commands:
        if not part.words:
            continue
        name = program(part.words[0])
        if name == "eval":
            broken = broken or "it evaluates text"
        if name == "" or is_computed(part):
            broken = broken or "the program is computed"
        if name in LATER or (name in SHELLS and reads_its_input(part)):
            broken = broken or f"{name} runs what it reads"
        if start := carried_from(part):
            starts = range(start, min(len(part.words), MOST_WRAPPER_WORDS))
            seen += [SimpleCommand(part.words[i:]) for i in starts if not part.words[i].text.startswith("-")]
        if start or name in SPEAKERS:
            for text in lines_in(part):
                if depth == 0:
                    return tuple(seen), "shells are nested too deep"
                inner, inner_doubt = _read(text)
                deeper, deeper_doubt = _with_inner(inner, depth - 1)
                seen += deeper
                broken = broken or ("" if starts_directly(part) else inner_doubt or deeper_doubt)
    return tuple(seen), broken
