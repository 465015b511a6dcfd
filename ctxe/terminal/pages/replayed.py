"""Past sessions: redrawn by the code that first drew them, searched, or exported as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctxe.domain.events import Event, Noted, ReplyReceived, ToolFinished, TurnStarted
from ctxe.safety.display import visible
from ctxe.terminal.render import Renderer
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import line
from ctxe.terminal.tables import draw
from ctxe.terminal.transcript import event_lines

AROUND = 60  # characters shown on either side of a match


def show_events(events: Iterable[Event], screen: Screen) -> None:
    """Draw a session's events as they were drawn live, with the user's words."""
    with Renderer(screen, words=True) as renderer:
        for event in events:
            renderer.show(event)


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    """Every text of an event with its source. These are originals, so folded or shortened text is found too."""
    match event:
        case TurnStarted(words, gathered):
            yield "you", words
            yield from ((chunk.id, chunk.text) for section in gathered for chunk in section.chunks)
        case ReplyReceived(reply):
            yield "answer", reply.text
            yield from ((call.name, call.arguments) for call in reply.calls)
        case ToolFinished(result, tool, title, full=full):
            yield title or tool, full or result.text
        case Noted(chunks):
            yield from ((chunk.id, chunk.text) for chunk in chunks)


def matching_rows(events: Iterable[Event], text: str, screen: Screen) -> list[str]:
    """A row for each line that contains ``text``, ignoring case: turn number, source, and the line around it."""
    found, turn, sought = [], 0, text.casefold()
    for event in events:
        turn += isinstance(event, TurnStarted)
        for what, row in _rows(event):
            at = row.casefold().find(sought)
            if at >= 0:
                part = row[max(0, at - AROUND) : at + len(text) + AROUND].strip()
                found.append(draw([line((f"{turn} ", "dim"), (f"{what}: ", "accent"), part)], screen))
    return found


def _rows(event: Event) -> Iterator[tuple[str, str]]:
    """The lines of an event's texts, each with the source of its text."""
    for what, words in _texts(event):
        yield from ((what, row) for row in words.splitlines())


def to_markdown(events: Iterable[Event]) -> str:
    """A session as a Markdown document: words, answers, calls with their results, and all notices in between."""
    parts: list[str] = []
    for event in events:
        match event:
            case TurnStarted(words):
                parts.append(f"## {' '.join(visible(words).split())[:80]}\n\n{_quoted(words)}")
            case ReplyReceived(reply) if reply.text:
                parts.append(visible(reply.text).strip())
            case ToolFinished(result, tool, title):
                head = f"**{title or tool}**" + ("" if result.ok else " (failed)")
                parts.append(f"{visible(head)}\n\n{_fenced(result.text)}")
            case _:
                parts += [f"*{''.join(piece for piece, _ in row)}*" for row in event_lines(event, unicode=True)]
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"> {row}".rstrip() for row in visible(text).strip().split("\n"))


def _fenced(text: str) -> str:
    """The text in a fence longer than any run of backticks in it."""
    clean, fence = visible(text).rstrip("\n"), "```"
    while fence in clean:
        fence += "`"
    return f"{fence}\n{clean}\n{fence}"
