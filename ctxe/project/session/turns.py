"""One turn of a session: first what the user's words bring along (pages, resources, pictures), then the agent loop."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from ctxe.agent.event_stream import map_events
from ctxe.context.long_messages import shorten_message
from ctxe.domain.events import Event, Notice
from ctxe.project.session.approval_mode import before_words
from ctxe.project.session.attachments import attach_pictures
from ctxe.project.session.live import Live
from ctxe.project.session.served_window import narrow_window_lines
from ctxe.project.window.pictures import outside_pictures


def turn(live: Live, words: str, more: Callable[[], str] = str, own: str | None = None) -> Iterator[Event]:
    """The events of one turn; ``more`` gives what the user entered meanwhile, between two steps (see Session.turn).

    ``own`` is the user's own part of the words, when a repository or a pipe wrote the rest. Only that part may name
    pictures outside the project, resources of servers and web pages.
    """

    def since() -> Generator[Event, None, str]:
        entered, hidden = live.without_keys(more())
        mode = before_words(live.permit, live.session.state, live.kit.tools) if entered else ()
        yield from (*hidden, *mode, *_pictures(live, entered))
        yield from live.server_requests.read_named(entered)
        yield from live.pages.read_named(entered)
        return entered

    yield from map_events(_fit_window(live), live.session.emit)
    words, hidden = live.without_keys(words)
    if (sent := shorten_message(words)) != words:
        said = f"{len(sent):,} of the {len(words):,} characters you wrote are sent; the model can recall the rest"
        hidden.append(Notice(said, "warning"))
    own_words = words if own is None else own
    mode = before_words(live.permit, live.session.state, live.kit.tools)
    for event in (*hidden, *mode, *live.job_notes.before_words(), *_pictures(live, own_words)):
        yield from live.session.emit(event)
    yield from map_events(live.server_requests.read_named(own_words), live.session.emit)
    yield from map_events(live.pages.read_named(own_words), live.session.emit)
    yield from live.session.turn(words, since)


def _fit_window(live: Live) -> Iterator[Event]:
    """Use the window that the server really runs the model with; a line says so when it is smaller than thought."""
    if live.served_window.lock.locked():
        yield Notice(f"waiting for {live.model.provider} to load {live.model.name}")
    model = live.served_window(live.model)
    if model != live.model:
        live.use_model(model)
        yield from (Notice(line, "warning") for line in narrow_window_lines(live.project, model))


def _pictures(live: Live, words: str) -> list[Event]:
    """Events for pictures outside the project that words name: each is queued, or a line says why it is not shown."""
    return attach_pictures(live.project, live.current_state, outside_pictures(live.project, words))
