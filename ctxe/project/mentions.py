"""Files that the user's words name: ``@path`` mentions, put before the model as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.domain.section import Chunk, Omission, Priority, Section

_MENTION = re.compile(r"(?<![\w@])@((?:[\w.+-]+/)*[\w.+-]*\w)")


def mentioned(words: str) -> tuple[str, ...]:
    """The paths after ``@`` in a text, each once, in order; a mail address is none."""
    return tuple(dict.fromkeys(_MENTION.findall(words)))


def numbered(text: str, first: int = 1) -> str:
    """Lines with their numbers, as read_file shows them."""
    return "\n".join(f"{number}\t{line}" for number, line in enumerate(text.splitlines(), start=first))


def named_files(
    paths: Iterable[str], room: int, read: Callable[[str], str], count: Callable[[str], int], why: str = "you named it"
) -> Section:
    """A section of whole files in the order named, at most ``room`` tokens; what is not a readable file is left out.

    ``read`` gives a file's text by its path and raises ToolError (outside the root, secret, binary, missing).
    """
    chunks: list[Chunk] = []
    left: list[Omission] = []
    for path in paths:
        try:
            text = f"## {path}\n{numbered(read(path))}"
        except ToolError as error:
            left.append(Omission(path, 0, str(error)))
            continue
        tokens = count(text)
        if tokens > room:
            left.append(Omission(path, tokens, "too large to be put in whole: read the part you need"))
            continue
        room -= tokens
        chunks.append(Chunk(path, text, why, "full", Path(path).as_posix()))
    return Section("named files", Priority.INJECTED, tuple(chunks), "task", None, tuple(left))
