"""Web pages that the user asks for by ``/web ADDRESS`` or ``@https://…``; each is shown like a named file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.state import State
from ctxe.context.tokens import Count
from ctxe.domain.conversation import ToolCall
from ctxe.domain.errors import ToolError
from ctxe.domain.events import Event, Notice, Queued, ToolFinished
from ctxe.domain.section import Chunk, digest
from ctxe.domain.value import dataclass, replace
from ctxe.project.session.calls import by_user, user_dispatcher
from ctxe.project.window.web_pages import ASKED

if TYPE_CHECKING:
    from ctxe.project.window.kit import Kit
    from ctxe.tools.web.fetch import Web


@dataclass(frozen=True, slots=True)
class Pages:
    """Reads web pages for a session. ``runs`` runs its calls, ``state`` gives its state, ``number`` numbers calls."""

    web: Callable[[], Web]
    kit: Kit
    runs: Dispatcher
    count: Count
    state: Callable[[], State]
    number: Callable[[], int]

    def read_named(self, words: str) -> Iterator[Event]:
        """Read the pages that words name behind ``@``; for a bare URL, tell the model how it could read the page."""
        if "://" not in words:
            return
        from ctxe.safety.addresses import mentioned_addresses, mentions_url

        asked = mentioned_addresses(words)
        for address in asked:
            yield from self.read(address, words.replace(f"@{address}", " "))
        if not asked and "use" in self.kit.tools and mentions_url(words):
            from ctxe.tools.use_page import HINT

            yield Queued((Chunk("web", HINT, "your words name an address"),))

    def read(self, address: str, about: str = "") -> Iterator[Event]:
        """Read one page for the user, shown and logged like a call of the model, and queue it for the next words.

        A page that is unchanged and still in the request is not queued again; one that cannot be read becomes a line.
        """
        from ctxe.tools.use_page import for_user

        try:
            tool, arguments = for_user(self.web(), address, about)
        except ToolError as error:
            yield Notice(f"not read: {self.kit.clean(str(error))}", "warning")
            return
        runs = user_dispatcher(self.runs, tool)
        for event in runs(ToolCall(f"user_{self.number()}", "use", arguments)):
            yield from self._finished(event) if isinstance(event, ToolFinished) else (event,)

    def _finished(self, event: ToolFinished) -> Iterator[Event]:
        """The end of the call, and the page as a chunk for the next words."""
        page = str(event.facts.get("page", ""))
        if not page:
            yield event
            return
        text, cut = event.result.text, bool(event.result.handle)
        of, before = digest(event.full or text), _in_request(self.state(), page)
        yield by_user(replace(event, facts={**event.facts, "tokens": self.count(text)}))
        yield from (Notice(one, "warning") for one in event.facts.get("hidden", ()))
        if before and before.of == of and (before.text == text or not cut):
            yield Notice(f"{page} is unchanged and is in the request already")
            return
        text = f"[ctxe: this page was read again; what stands above of it may be outdated]\n{text}" if before else text
        yield Queued((Chunk(page, text, ASKED, "region" if cut else "full", of=of),))


def _in_request(state: State, page: str) -> Chunk | None:
    """The chunk of a page that the next request holds already: queued, or sent since the last fold."""
    conversation = state.conversation
    turns = conversation.turns[conversation.upto.turn + (conversation.upto.step > 0) :]
    chunks = [chunk for turn in turns for section in turn.gathered for chunk in section.chunks]
    return next((one for one in reversed([*chunks, *state.queued]) if one.id == page), None)
