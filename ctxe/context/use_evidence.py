"""Which injected context was used later: its file edited or read, or something in it named.

Only what ctxe chose for a task counts (memories, planned files, restored lines): rules and instructions always apply,
and a file that the user named was not ctxe's choice. A use is evidence, not proof: context that influenced an answer
without being named counts as unused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ctxe.context.lines import names_in
from ctxe.context.restore import PREFIX
from ctxe.domain.conversation import Conversation, Step, Turn
from ctxe.domain.past import Injected, LaterUse
from ctxe.domain.pattern import pattern
from ctxe.domain.section import Chunk, Priority
from ctxe.domain.value import dataclass, field

NOT_GUESSED = ("named files", "pages", "changes")
CHOSEN = (Priority.MEMORY, Priority.INJECTED)
_WORD = pattern(r"[\w./@+\-]+")


@dataclass(slots=True)
class UseEvidence:
    """What the model did and wrote from some step on: files it edited and read, and every word and name it wrote."""

    edited: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def add(self, step: Step) -> None:
        """Add one step. Steps are taken newest first."""
        for result in step.results:
            for touch in result.touches:
                (self.read if touch.operation == "read" else self.edited).add(touch.path)
        for text in (step.reply.text, *(call.arguments for call in step.reply.calls)):
            self.words.update(word.strip(".-/") for word in _WORD.findall(text))
            self.names.update(names_in(text))


def injected_chunks(conversation: Conversation, tokens: Mapping[str, int]) -> tuple[Injected, ...]:
    """Every chunk chosen for the user's words, in order, with its later use.

    ``tokens`` maps the content hashes of chunks to the tokens they took; a chunk without an entry was never sent.
    """
    by_turn = [(t, turn, list(_chosen(turn))) for t, turn in enumerate(conversation.turns, start=1)]
    shared = Counter(name for _, _, chunks in by_turn for _, _, chunk in chunks for name in set(names_in(chunk.text)))
    evidence, found = UseEvidence(), list[Injected]()
    for t, turn, chunks in reversed(by_turn):
        own = {name for name, times in shared.items() if times == 1} - set(names_in(turn.words))
        later = len(turn.steps)
        for after, section, chunk in reversed(chunks):
            for step in reversed(turn.steps[after:later]):
                evidence.add(step)
            later = min(later, after)
            if chunk.digest in tokens:
                found.append(Injected(section, chunk.id, tokens[chunk.digest], t, _way(chunk, evidence, own)))
        for step in reversed(turn.steps[:later]):
            evidence.add(step)
    return tuple(reversed(found))


def _chosen(turn: Turn) -> Iterator[tuple[int, str, Chunk]]:
    """(number of steps before it in the turn, section, chunk) of everything injected unasked."""
    for section in turn.gathered:
        if section.priority in CHOSEN and section.name not in NOT_GUESSED and section.share != "instructions":
            yield from ((0, section.name, chunk) for chunk in section.chunks)
    for number, step in enumerate(turn.steps, start=1):
        yield from ((number, "notes", note) for note in step.notes if note.id.startswith(PREFIX))


def _way(chunk: Chunk, evidence: UseEvidence, own: set[str]) -> LaterUse:
    """How a chunk was used: its file edited or read, or its id, its path or a name in it named.

    Only names in ``own`` count: those that a single chunk has and the user did not write.
    """
    if chunk.path in evidence.edited:
        return "edited"
    if chunk.path in evidence.read:
        return "read"
    tail = "/".join(chunk.path.split("/")[-2:])
    last = tail.rpartition("/")[2] if not tail.endswith(("__init__.py", "index.ts", "index.js", "mod.rs")) else ""
    if evidence.words & ({chunk.id, chunk.path, tail, last} - {""}):
        return "named"
    return "named" if evidence.names & own & set(names_in(chunk.text)) else ""
