"""A tool's output as the model sees it, decided once when it arrives: without lines the request holds, and trimmed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ctxe.context.budget import birth_limit
from ctxe.context.headings import parts_about
from ctxe.context.known_lines import RUN_CHARS, VisibleLines, replace_known_lines
from ctxe.context.relevance import relevance
from ctxe.context.tokens import Count
from ctxe.context.trim import Kind, Trimmed, handle_of, trim


def shown_output(
    text: str,
    kind: Kind,
    window: int,
    count: Count,
    known: VisibleLines,
    most: int = 0,
    at_work: Callable[[], Collection[str]] = tuple,
    about: str = "",
    *,
    is_file: bool = False,
) -> Trimmed:
    """The output as the model sees it, and the handle of the whole text where something was left out.

    ``most`` lowers the token limit of its kind (0: no lower limit). ``at_work`` gives the names the session works with:
    when a text is cut, lines near them are kept. Of a page, the parts that match ``about`` are kept.

    Longer runs of lines that the request holds already (``known``) are replaced by their number. Lines of a file match
    by content, whatever their line number, also when a command put them out (``is_file``). Other lines of a command or
    a search, where a path or a sign in front has a meaning, match only as they are. Recalled text was asked for as it
    was and keeps such runs.
    """
    handle = handle_of(text)
    limit = birth_limit(kind, window)
    near = parts_about(about) if kind == "page" else relevance(at_work)
    shown = f"{handle}, or {handle}#HEADING for a part" if kind == "page" else handle
    fresh = without_known_lines(text, "read" if is_file else kind, known, handle)
    done = trim(fresh, kind, min(limit, most or limit), count, shown, near)
    return Trimmed(done.text, handle if done.is_cut or f"recall {handle}" in done.text else "")


def without_known_lines(text: str, kind: Kind, known: VisibleLines, handle: str) -> str:
    """The output with the longer runs of lines that the request holds replaced by their number; not trimmed."""
    if len(text) < RUN_CHARS or kind == "recalled":
        return text
    if kind in ("shell", "search"):
        return replace_known_lines(text, known.lines, handle, str.strip)
    return replace_known_lines(text, known.cores, handle)
