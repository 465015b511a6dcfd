"""Failures that are nobody's lesson the first time: a look at what is not there, a program written for one call."""

from __future__ import annotations

import re

from ctxe.knowledge.failures.calls import only_looks, runs_something

_SILENT = re.compile(r"exit code \d+")
_FOR_ONE_CALL = re.compile(
    r"(?<!<)<<-?\s*['\"]?\w|\b(?:python[\d.]*|node|bun|deno|ruby|perl|php|(?:ba|z|da)?sh)(?:\s+eval)?\s+-(?:[a-z]*c|e|r)\s"
)
_MESSAGE = re.compile(r"\$\(cat\s+<<.*", re.DOTALL)
"""A text that is only passed on, such as the message of a commit."""
_AT_THAT_MOMENT = re.compile(
    r"could not apply|Automatic merge failed|\bCONFLICT\b|Not possible to fast-forward|would be overwritten by"
    r"|nothing to commit|have diverged|\[rejected\]|\bcd: |timed out after|unmerged files|parse error near"
    r"|unexpected EOF while looking|no matches found:",
    re.IGNORECASE,
)
"""What is so for a moment, or was mistyped, and no property of the project."""


def slipped(command: str, error: str, *, tests: bool = False) -> bool:
    """Whether a failed command (as it was run) says nothing to a later session, unless it happens again.

    ``error`` is what is kept of it; ``tests``: it named failing tests.
    """
    if tests:
        return False
    bare = _MESSAGE.sub("", command)
    looks = only_looks(command) and not runs_something(command)
    once = bool(_FOR_ONE_CALL.search(bare)) or bare.strip().count("\n") > 1
    return looks or once or bool(_SILENT.fullmatch(error) or _AT_THAT_MOMENT.search(error))
