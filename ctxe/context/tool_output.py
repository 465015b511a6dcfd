"""A tool's output as the model is told it, decided once when it is born: without what stands already, and cut."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ctxe.context.budget import birth_limit
from ctxe.context.headings import parts_about
from ctxe.context.relevance import relevance
from ctxe.context.seen import RUN_CHARS, Standing, unrepeated
from ctxe.context.tokens import Count
from ctxe.context.trim import Kind, Trimmed, handle_of, trim


def shown_output(
    text: str,
    kind: Kind,
    window: int,
    count: Count,
    known: Standing,
    most: int = 0,
    at_work: Callable[[], Collection[str]] = tuple,
    about: str = "",
) -> Trimmed:
    """What is told of an output, and the handle of its whole text where something was left out.

    ``most`` tokens are told of it, where that is less than what its kind may take (0: as its kind); ``at_work`` are the
    names the session works with: where a text is cut, lines near them stay; of a page the parts ``about`` these words.

    Longer runs of lines that stand in the request are told as a number: those of a file wherever they stand, whatever
    their number; those of a command or a search, where a path or a sign in front means something, only as they are.
    What was recalled is wanted as it was.
    """
    handle = handle_of(text)
    limit = birth_limit(kind, window)
    near = parts_about(about) if kind == "page" else relevance(at_work)
    shown = f"{handle}, or {handle}#HEADING for a part" if kind == "page" else handle
    done = trim(_fresh(text, kind, known, handle), kind, min(limit, most or limit), count, shown, near)
    return Trimmed(done.text, handle if done.cut or f"recall {handle}" in done.text else "")


def _fresh(text: str, kind: Kind, known: Standing, handle: str) -> str:
    if len(text) < RUN_CHARS or kind == "recalled":
        return text
    if kind in ("shell", "search"):
        return unrepeated(text, known.lines, handle, str.strip)
    return unrepeated(text, known.cores, handle)
