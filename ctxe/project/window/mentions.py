"""Files that the user's words name: ``@path`` mentions, put before the model as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ctxe.context.tokens import Count
from ctxe.domain.errors import ToolError
from ctxe.domain.section import Chunk, Omission, Priority, Section

NAMED = "named files"
"""The section that holds them."""
_MENTION = re.compile(r"(?<![\w@])@((?:[\w.+-]+/)*[\w.+-]*\w)")


def mentioned(words: str) -> tuple[str, ...]:
    """The paths after ``@`` in a text, each once, in order; a mail address is none."""
    return tuple(dict.fromkeys(_MENTION.findall(words)))


def named_files(
    paths: Iterable[str],
    room: int,
    show: Callable[[str], tuple[str, str]],
    count: Count,
    why: str = "you named it",
) -> Section:
    """A section of whole files in the order named, at most ``room`` tokens; what is not a readable file is left out.

    ``show`` gives a file's numbered lines and its content hash; it raises ToolError (outside the root, secret, binary).
    """
    chunks: list[Chunk] = []
    left: list[Omission] = []
    for path in paths:
        try:
            text, digest = show(path)
        except ToolError as error:
            left.append(Omission(path, 0, str(error)))
            continue
        tokens = count(text)
        if tokens > room:
            left.append(Omission(path, tokens, "too large to be put in whole: read the part you need"))
            continue
        room -= tokens
        chunks.append(Chunk(path, text, why, "full", path, digest))
    return Section(NAMED, Priority.INJECTED, tuple(chunks), "task", None, tuple(left))
