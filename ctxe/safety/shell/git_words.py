"""Finding git's subcommand after the options of git itself."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.lexical.tables import word_set

VALUED = word_set("-c -C --git-dir --work-tree --namespace --exec-path --super-prefix --config-env --attr-source")
"""Options of git itself whose value may be the next word."""


def own_options(words: Sequence[str]) -> int:
    """How many of the words after ``git`` are options of git itself and their values."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in VALUED else 1
    return min(index, len(words))


def git_verb(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The subcommand among the words after ``git``, and the words after it; empty when there is none."""
    index = own_options(words)
    return (words[index], words[index + 1 :]) if index < len(words) else ("", ())
