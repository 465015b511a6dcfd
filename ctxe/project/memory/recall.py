"""Brings back what left the context window: by its handle, or by a search over the session and the memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.memory import fresh_ranker

if TYPE_CHECKING:
    from ctxe.knowledge.recall.ranker import Ranker
    from ctxe.project import Project

MOST = 4
"""Most texts in a search result."""
LINES = 14
"""Lines of each."""
PIECE = 4_000
"""Characters per piece of a long text: a hit deep in a log is found as easily as one at its start."""


@dataclass(frozen=True, slots=True)
class RecallSearch:
    """Searches this session and the project's memory."""

    project: Project
    state: Callable[[], State]
    ranker: Callable[[], Ranker] = field(default_factory=lambda: cache(fresh_ranker))

    def __call__(self, handle: str, query: str) -> str:
        """The whole text under a handle, or the parts that best match the query; empty when there is nothing."""
        if handle:
            name, _, heading = handle.strip().partition("#")
            whole = self._page(name) or (self.state().originals.get(name, "") if heading else "")
            if whole:
                return _section_of(whole, heading) if heading else whole
            name = handle.strip()
            return self.state().originals.get(name, "") or self._result(name) or self._named(name) or self._entry(name)
        return "\n\n".join(self._best_matches(query))

    def _page(self, address: str) -> str:
        """The whole text of a page, by the URL under which the user asked for it."""
        if "://" not in address:
            return ""
        from ctxe.context.headings import pages_of

        found = pages_of(self.state().conversation).get(address)
        return self.state().originals.get(found.of[:8], found.text) if found else ""

    def _result(self, call_id: str) -> str:
        """The whole result of a call, by the call's id. If a provider used the id twice, the newest counts."""
        for _, step in reversed(list(self.state().conversation.steps())):
            for result in step.results:
                if result.call_id == call_id:
                    return self.state().full_text(result)
        return ""

    def _named(self, name: str) -> str:
        """What a record names: a step (``s12``) with its calls and whole results, or uncut words by their hash."""
        from ctxe.context.trim import handle_of

        state = self.state()
        if not (name[:1] == "s" and name[1:].isdecimal()):
            return next((words for words in _words(state) if handle_of(words) == name), "")
        number, parts = int(name[1:]), list[str]()
        for _, step in itertools.islice(state.conversation.steps(), max(number - 1, 0), number):
            parts += [step.reply.text] if step.reply.text else []
            for call, result in zip(step.reply.calls, step.results, strict=True):
                parts.append(f"{call.name} {call.arguments}\n{state.full_text(result)}")
        return "\n\n".join(parts)

    def _entry(self, name: str) -> str:
        """A memory entry by its id, whole."""
        if not self.project.config.memory.enabled:
            return ""
        found = [entry for entry in self.project.store.entries() if entry.id == name]
        return "".join(f"{entry.kind} {entry.id} ({entry.status}): {entry.title}\n\n{entry.text}" for entry in found)

    def _best_matches(self, query: str) -> Iterator[str]:
        """The best matches in this session and in memory, each with its best lines."""
        from ctxe.knowledge.entries.links import holding
        from ctxe.knowledge.recall.query import Query
        from ctxe.lexical.words import terms

        entries = self.project.store.entries() if self.project.config.memory.enabled else ()
        asked = Query(query)
        found = self.ranker().ranked(asked, [*self._said_and_done()])
        found += self.project.ranker.ranked(asked, entries, holding(entries))
        wanted = set(terms(query))
        best: dict[str, str] = {}
        for one in sorted(found, key=lambda one: -one.score):
            entry = one.entry
            if len(best) == MOST:
                break
            if entry.path:
                best.setdefault(f"{entry.kind} {entry.id}", _best_lines(_entry_text(entry), wanted))
            else:
                best.setdefault(entry.title, _best_lines(entry.text, wanted))
        yield from (f"[{name}]\n{text}" for name, text in best.items())

    def _said_and_done(self) -> Iterator[Entry]:
        """The texts of this session as log entries, long ones in pieces; the title says where a text comes from."""
        for name, text in self._texts():
            for place, piece in enumerate(_pieces(text)):
                yield Entry(f"{name} {place}", "log", name, session="now", text=piece)

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Every searchable text of this session with its name."""
        state = self.state()
        from ctxe.context.headings import pages_of

        for address, chunk in pages_of(state.conversation).items():
            yield f"page, recall {address}", state.originals.get(chunk.of[:8], chunk.text)
        for turn_number, turn in enumerate(state.conversation.turns, start=1):
            yield f"words of turn {turn_number}", turn.words
            for number, step in enumerate(turn.steps, start=1):
                if step.reply.text:
                    yield f"answer {turn_number}.{number}", step.reply.text
                for call, result in zip(step.reply.calls, step.results, strict=True):
                    whole = state.full_text(result)
                    name = f"{call.name} {turn_number}.{number}" + (
                        f", recall {result.handle}" if result.handle else ""
                    )
                    yield name, f"{call.arguments}\n{whole}"


def _section_of(text: str, heading: str) -> str:
    """The part of a page under a heading, or a list of its headings."""
    from ctxe.context.headings import part_under, parts_of

    titles = [f"{'#' * part.level} {part.title}" for part in parts_of(text.split("\n")) if part.level]
    listed = "\n".join(titles) or "(none)"
    return part_under(text, heading) or f"[no heading is like {heading!r}; there are]\n{listed}"


def _words(state: State) -> Iterator[str]:
    """Everything said without a tool: the words of user and model, and notes after steps."""
    yield from (turn.words for turn in state.conversation.turns)
    for _, step in state.conversation.steps():
        yield step.reply.text
        yield from (note.text for note in step.notes)


def _entry_text(entry: Entry) -> str:
    return "\n".join(part for part in (entry.title, entry.text, entry.error, entry.fix) if part)


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces of at most PIECE characters, cut at line ends if possible."""
    while len(text) > PIECE:
        cut = text.rfind("\n", 1, PIECE) + 1 or PIECE
        yield text[:cut]
        text = text[cut:]
    yield text


def recall_text(project: Project, state: State, words: str) -> str:
    """For the user: the whole text under a handle, else the best matches of the words; empty when there is nothing."""
    recalling = RecallSearch(project, lambda: state)
    return recalling(words, "") or recalling("", words)


def recall_text_of(project: Project, path: Path, words: str) -> str:
    """The same for a past session, by its log. Raises SessionError."""
    from ctxe.agent.log import read_events
    from ctxe.agent.transitions import rebuild

    return recall_text(project, rebuild(read_events(path)[0]), words)


def _best_lines(text: str, wanted: set[str]) -> str:
    """The lines where most of the wanted words stand close together."""
    from ctxe.lexical.words import terms

    lines = text.splitlines()
    if len(lines) <= LINES:
        return text.strip()
    hits = [len(wanted.intersection(terms(line))) for line in lines]
    best = max(range(len(lines) - LINES + 1), key=lambda start: sum(hits[start : start + LINES]))
    return "\n".join(line[:400] for line in lines[best : best + LINES])
