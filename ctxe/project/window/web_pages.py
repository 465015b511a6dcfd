"""Web pages that the user asked for, as a section beside the files that the user named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctxe.context.headings import pages_of
from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk, Priority, Section

PAGES = "pages"
"""Name of the section that holds these pages."""
ASKED = "you asked for this page"


def queued_sections(queued: Sequence[Chunk]) -> list[Section]:
    """Sections for chunks that wait for the user's words: pages at the priority of files, others at that of words."""
    pages = tuple(chunk for chunk in queued if "://" in chunk.id)  # the id of a page is its URL
    others = tuple(chunk for chunk in queued if "://" not in chunk.id)
    made = [Section(PAGES, Priority.INJECTED, pages, "task")] if pages else []
    return [*made, *([Section("asides", Priority.TASK, others, "task")] if others else [])]


def pages_list(conversation: Conversation) -> Iterator[Chunk]:
    """One chunk that lists the URL of every page the user asked for and how to see it again; nothing without pages."""
    if lines := [f"- {address}" for address in pages_of(conversation)]:
        head = "[pages the user asked for; one that stands here no more is shown again by `recall` with its address]"
        yield Chunk("pages", "\n".join([head, *lines]), "each page gave way to a line here")
