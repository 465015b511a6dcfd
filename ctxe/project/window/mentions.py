"""Files that the user's words name: ``@path`` mentions, put before the model as they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ctxe.context.tokens import Count, picture_tokens
from ctxe.domain.errors import ToolError
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import Picture
from ctxe.domain.section import Chunk, Omission, Priority, Section
from ctxe.project.window.pictured import pictured

NAMED = "named files"
"""The section that holds them."""
_MENTION = pattern(r"(?<![\w@])@(?!https?://)((?:[\w.+-]+/)*[\w.+-]*\w)")
_ADDRESS = pattern(r":[A-Za-z][\w+.-]*:\S")


def mentioned(words: str) -> tuple[str, ...]:
    """The paths after ``@`` in a text, each once, in order; a mail address is none, nor ``@server:address``."""
    found = (match[1] for match in _MENTION.finditer(words) if not _ADDRESS.match(words, match.end()))
    return tuple(dict.fromkeys(found))


def named_files(
    paths: Iterable[str],
    room: int,
    show: Callable[[str], tuple[str, str]],
    count: Count,
    why: str = "you named it",
    picture: Callable[[str, Sequence[Picture]], Picture | None] = lambda *_: None,
) -> Section:
    """A section of whole files in the order named, at most ``room`` tokens; what is not a readable file is left out.

    ``show`` gives a file's numbered lines and its content hash; it raises ToolError (outside the root, secret, binary),
    as does ``picture``, which gives the one that a file is.
    """
    chunks: list[Chunk] = []
    left: list[Omission] = []
    for path in paths:
        try:
            seen = picture(path, [one.picture for one in chunks if one.picture])
            made = pictured(seen, why, path) if seen else _shown(path, why, *show(path))
        except ToolError as error:
            left.append(Omission(path, 0, str(error)))
            continue
        tokens = count(made.text) + picture_tokens(made.picture, count)
        if tokens > room:
            left.append(Omission(path, tokens, "too large to be put in whole: read the part you need"))
            continue
        room -= tokens
        chunks.append(made)
    return Section(NAMED, Priority.INJECTED, tuple(chunks), "task", None, tuple(left))


def _shown(path: str, why: str, text: str, digest: str) -> Chunk:
    return Chunk(path, text, why, "full", path, digest)
