"""Conversations generated from a seed, and the invariants of every fold; for hypothesis and `scripts/torture`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, FoldRoom
from ctxe.context.fold import fold, next_fold, request_size
from ctxe.context.known_lines import visible_cores
from ctxe.context.restore import PREFIX, likely_edited_lines
from ctxe.context.survey import Survey
from ctxe.context.trim import handle_of
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk
from tests.property.telling import Teller
from tests.support.counting import count_words

NAMES = ("parseHeader", "MAX_SIZE", "src/frame.py", "src/deep/reader.py", "total_count", "the", "of", "x")
FILES = ("src/frame.py", "src/deep/reader.py", "README.md")
MORE = "\n".join(f"def function_{n}(): return MAX_SIZE" for n in range(12))


def shown(result: ToolResult) -> str:
    return result.text


def key(place: Position) -> tuple[int, int]:
    return place.turn, place.step


@dataclass(frozen=True, slots=True)
class Scale:
    """Upper limits of a session's size; ``huge`` is the fraction of its texts that are many times longer."""

    lines: int = 25
    steps: int = 7
    turns: int = 4
    huge: float = 0.0


USUAL = Scale()


class Maker(Teller):
    """Generates sessions from a seed, a thousand times faster than drawing every word by hypothesis."""

    def __init__(self, seed: int, scale: Scale = USUAL) -> None:
        super().__init__(seed, NAMES, scale.lines, scale.huge)
        self.scale = scale

    def call(self, identity: str) -> tuple[ToolCall, ToolResult]:
        path = self.random.choice(FILES)
        kind = self.random.choice(("read", "edit", "bash", "update_todo", "broken"))
        arguments = {
            "read": {"path": path},
            "edit": {"path": path, "old_string": self.line(), "new_string": self.text() if kind == "edit" else ""},
            "bash": {"command": self.line()},
            "update_todo": {"items": [self.line()]},
        }.get(kind)
        asked = json.dumps(arguments) if arguments else "{not json " + self.line()
        return ToolCall(identity, kind, asked), ToolResult(identity, self.text(), self.random.random() < 0.8)

    def step(self, number: int) -> Step:
        pairs = [self.call(f"c{number}.{n}") for n in range(self.random.randint(0, 3))]
        return Step(Reply(self.line(), tuple(c for c, _ in pairs)), tuple(r for _, r in pairs))

    def conversation(self) -> Conversation:
        turns, number = [], 0
        for _ in range(self.random.randint(1, self.scale.turns)):
            size = self.random.randint(0, self.scale.steps)
            turns.append(Turn(self.text(), (), tuple(self.step(number + n) for n in range(size))))
            number += size
        return Conversation(tuple(turns))


def begun(talk: Conversation, steps: int) -> Conversation:
    """The conversation after its first ``steps`` steps."""
    turns, left = list[Turn](), steps
    for turn in talk.turns:
        turns.append(replace(turn, steps=turn.steps[:left]))
        left -= len(turn.steps)
        if left <= 0:
            break
    return Conversation(tuple(turns))


def sound(talk: Conversation, room: FoldRoom, policy: FoldPolicy, also: tuple[Chunk, ...]) -> Fold:
    """The fold of a conversation, checked against the invariants of every fold."""
    made = fold(talk, room, policy, count_words, also=also)
    assert fold(replace(talk, fold=made), room, policy, count_words, also=also) == made
    if steps := list(talk.steps()):
        place, newest = steps[-1]
        assert key(made.upto) <= key(place)
        assert not any(result.call_id in made.masks for result in newest.results) or policy.decay_after == 0
    if made.upto != Position(0, 0):
        assert_words_and_pins_stand(talk, made, also)
    return made


def assert_words_and_pins_stand(talk: Conversation, made: Fold, also: tuple[Chunk, ...]) -> None:
    """Every pin whole, every message of the user whole or by its handle."""
    assert set(also) <= set(made.record)
    kept = [chunk.text for chunk in made.record]
    handles = "\n".join(kept)
    last = made.upto.turn if made.upto.step else made.upto.turn - 1
    for turn in talk.turns[: last + 1]:
        assert turn.words in kept or f"recall {handle_of(turn.words)}" in handles


def assert_a_fold_on_a_fold_is_sound(
    talk: Conversation, room: FoldRoom, policy: FoldPolicy, also: tuple[Chunk, ...], steps: int
) -> None:
    """A second fold, after so many steps had one, is idempotent, within its room, and adds a part or begins anew."""
    first = fold(begun(talk, steps), room, policy, count_words, also=also)
    second = sound(replace(talk, fold=first), room, policy, also)
    was, now = ([chunk for chunk in made.record if chunk not in also] for made in (first, second))
    parts = [chunk for chunk in now if chunk.id == "record"]
    assert len(parts) <= 1 or now[: len(was)] == was
    assert sum(count_words(chunk.text) for chunk in parts) <= max(0, room.target(policy) - room.standing)


def assert_a_fold_never_grows(talk: Conversation, budget: Budget, policy: FoldPolicy) -> None:
    """A fold shrinks the request by the stated amount, keeps every original, and is not due again."""
    made = next_fold(Frame(), talk, budget, count_words, policy)
    if made is None:
        return
    folded = replace(talk, fold=made)
    assert (
        made.tokens_after
        == request_size(Frame(), folded, count_words)
        < made.tokens_before
        == request_size(Frame(), talk, count_words)
    )
    assert folded.turns == talk.turns
    assert next_fold(Frame(), folded, budget, count_words, policy) is None


def assert_ten_folds_keep(talk: Conversation, budget: Budget, also: tuple[Chunk, ...]) -> None:
    """Every pin and the first words remain after ten folds in a row."""
    grown, survey = talk, Survey()
    for n in range(10):
        call = ToolCall(f"more{n}", "read", '{"path": "src/frame.py"}')
        step = Step(Reply("", (call,)), (ToolResult(call.id, f"line_{n} of it\n{MORE}"),))
        *before, last = grown.turns
        grown = replace(grown, turns=(*before, replace(last, steps=(*last.steps, step))))
        seen = partial(survey.update, grown, shown)
        made = next_fold(Frame(), grown, budget, count_words, FoldPolicy(), cause="request", also=also, survey=seen)
        grown = replace(grown, fold=made) if made else grown
    if grown.fold:
        kept = [chunk.text for chunk in grown.fold.record]
        assert all(pin.text in kept for pin in also)
        first = talk.turns[0].words
        assert first in kept or f"recall {handle_of(first)}" in kept[0]


def with_an_edit(talk: Conversation) -> Conversation:
    """The same, with a file edited in the newest step."""
    call = ToolCall("last", "edit", json.dumps({"path": FILES[0], "old_string": "a", "new_string": "b"}))
    *before, last = talk.turns
    step = Step(Reply("", (call,)), (ToolResult(call.id, "edited"),))
    return replace(talk, turns=(*before, replace(last, steps=(*last.steps, step))))


def assert_what_is_shown_again_is_verbatim(talk: Conversation, budget: Budget) -> None:
    """Lines restored after a fold come from the originals and were not in the folded request."""
    talk = with_an_edit(talk)
    made = next_fold(Frame(), talk, budget, count_words, FoldPolicy(), cause="request")
    folded = replace(talk, fold=made)
    originals = {line for _, step in talk.steps() for r in step.results for line in r.text.splitlines()}
    originals |= {line for _, step in talk.steps() for c in step.reply.calls for line in json_lines(c.arguments)}
    for chunk in likely_edited_lines(folded, Survey().update(folded, shown), budget.usable, lambda: budget.usable):
        assert chunk.id.startswith(PREFIX)
        told = chunk.text.split("\n")[1:]
        assert set(told) <= originals
        assert not visible_cores(folded) & {line.strip() for line in told}


def json_lines(arguments: str) -> list[str]:
    """The lines of all texts in a call's arguments."""
    try:
        decoded = json.loads(arguments)
    except ValueError:
        return []
    return [line for value in decoded.values() if isinstance(value, str) for line in value.splitlines()]
