"""Files named in text: the user's ``@path``, put into the request whole, and ``path:line`` in delegates' answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ctxe.context.tokens import Count, picture_tokens
from ctxe.domain.conversation import Conversation
from ctxe.domain.errors import ToolError
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import Picture
from ctxe.domain.section import Chunk, Omission, Priority, Section
from ctxe.project.window.pictures import picture_chunk

NAMED = "named files"
"""Name of the section that holds these files."""
WHY = "you named it"
_MENTION = pattern(r"(?<![\w@])@(?!https?://)((?:[\w.+-]+/)*[\w.+-]*\w)")
_ADDRESS = pattern(r":[A-Za-z][\w+.-]*:\S")
_PLACE = pattern(r"(?<![\w./-])(?=[\w+-]*[./])((?:[\w.+-]+/)*[\w.+-]*\w):\d+")


def mentioned_paths(words: str) -> tuple[str, ...]:
    """The paths after ``@`` in a text, each once, in order. Mail addresses and ``@server:address`` do not count."""
    found = (match[1] for match in _MENTION.finditer(words) if not _ADDRESS.match(words, match.end()))
    return tuple(dict.fromkeys(found))


def delegate_places(conversation: Conversation) -> tuple[str, ...]:
    """The paths of ``path:line`` in delegates' answers, each once, in order; plans and memory use them too."""
    found: dict[str, None] = {}
    for _, step in conversation.steps():
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if call.name == "delegate" and result.ok:
                found.update(dict.fromkeys(_PLACE.findall(result.text)))
    return tuple(found)


def named_files(
    paths: Iterable[str],
    room: int,
    show: Callable[[str], tuple[str, str]],
    count: Count,
    picture: Callable[[str, Sequence[Picture]], Picture | None] = lambda *_: None,
) -> Section:
    """A section of whole files in the order named, at most ``room`` tokens; files that cannot be shown are left out.

    ``show`` gives a file's numbered lines and content hash, ``picture`` the picture in a file or None. Both raise
    ToolError for a file that is outside the root, secret or unreadable.
    """
    chunks: list[Chunk] = []
    left: list[Omission] = []
    for path in paths:
        try:
            seen = picture(path, [one.picture for one in chunks if one.picture])
            made = picture_chunk(seen, WHY, path) if seen else _shown(path, *show(path))
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


def _shown(path: str, text: str, digest: str) -> Chunk:
    return Chunk(path, text, WHY, "full", path, digest)
