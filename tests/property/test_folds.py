"""What holds of every fold, on generated sessions: see CONTEXT in docs/folds.md."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, Room
from ctxe.context.fold import fold, next_fold, size_of
from ctxe.context.restore import PREFIX, restored
from ctxe.context.seen import standing, unrepeated
from ctxe.context.survey import Survey
from ctxe.context.trim import Kind, handle_of, trim
from ctxe.domain.conversation import Conversation, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk

settings.register_profile("folds", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")), deadline=None)
settings.load_profile("folds")


def words(text: str) -> int:
    return len(text.split())


def shown(result: ToolResult) -> str:
    return result.text


NAMES = ("parseHeader", "MAX_SIZE", "src/frame.py", "src/deep/reader.py", "total_count", "the", "of", "x")
FILES = ("src/frame.py", "src/deep/reader.py", "README.md")


class Maker:
    """Makes sessions out of one number: a thousand times faster than drawing every word."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def line(self) -> str:
        return " ".join(self.random.choices(NAMES, k=self.random.randint(0, 6)))

    def body(self) -> str:
        return "\n".join(self.line() for _ in range(self.random.randint(0, 25)))

    def call(self, identity: str) -> tuple[ToolCall, ToolResult]:
        path = self.random.choice(FILES)
        kind, arguments = self.random.choice(
            (
                ("read", json.dumps({"path": path})),
                ("edit", json.dumps({"path": path, "old_string": self.line(), "new_string": self.body()})),
                ("bash", json.dumps({"command": self.line()})),
                ("update_todo", json.dumps({"items": [self.line()]})),
                ("broken", "{not json " + self.line()),
            )
        )
        return ToolCall(identity, kind, arguments), ToolResult(identity, self.body(), self.random.random() < 0.8)

    def step(self, number: int) -> Step:
        pairs = [self.call(f"c{number}.{n}") for n in range(self.random.randint(0, 3))]
        return Step(Reply(self.line(), tuple(c for c, _ in pairs)), tuple(r for _, r in pairs))

    def conversation(self) -> Conversation:
        turns, number = [], 0
        for _ in range(self.random.randint(1, 4)):
            size = self.random.randint(0, 7)
            turns.append(Turn(self.body(), (), tuple(self.step(number + n) for n in range(size))))
            number += size
        return Conversation(tuple(turns))


seeds = st.integers(0, 2**48).map(Maker)


def conversations() -> st.SearchStrategy[Conversation]:
    return seeds.map(Maker.conversation)


bodies = seeds.map(Maker.body)
lines = seeds.map(Maker.line)
rooms = st.builds(Room, st.integers(0, 3_000), st.integers(0, 200))
policies = st.builds(
    FoldPolicy,
    at=st.floats(0.1, 1.0),
    to=st.floats(0.0, 0.9),
    keep_recent=st.integers(0, 4),
    record_share=st.floats(0.0, 1.0),
    decay_after=st.integers(0, 3),
    window=st.integers(0, 5),
)
budgets = st.integers(50, 2_500).map(lambda window: Budget(window, 0))
pins = st.lists(lines.map(lambda text: Chunk("pin", f"[pin] {text}")), max_size=2).map(tuple)


def key(place: Position) -> tuple[int, int]:
    return place.turn, place.step


@given(conversations(), rooms, policies, pins)
def test_a_fold_is_deterministic_and_idempotent(
    talk: Conversation, room: Room, policy: FoldPolicy, also: tuple[Chunk, ...]
) -> None:
    made = fold(talk, room, policy, words, also=also)
    assert fold(talk, room, policy, words, also=also) == made
    assert fold(replace(talk, fold=made), room, policy, words, also=also) == made
    assert fold(talk, room, policy, words, also=also, survey=Survey().read(talk, shown)) == made


def begun(talk: Conversation, steps: int) -> Conversation:
    """The conversation as it was after its first so many steps."""
    turns, left = list[Turn](), steps
    for turn in talk.turns:
        turns.append(replace(turn, steps=turn.steps[:left]))
        left -= len(turn.steps)
        if left <= 0:
            break
    return Conversation(tuple(turns))


@given(conversations(), rooms, policies, pins, st.integers(1, 20))
def test_a_fold_on_a_fold_is_idempotent_and_leaves_its_record_or_chooses_anew(
    talk: Conversation, room: Room, policy: FoldPolicy, also: tuple[Chunk, ...], steps: int
) -> None:
    first = fold(begun(talk, steps), room, policy, words, also=also)
    second = fold(replace(talk, fold=first), room, policy, words, also=also)
    assert fold(replace(talk, fold=second), room, policy, words, also=also) == second
    was, now = ([chunk for chunk in made.record if chunk not in also] for made in (first, second))
    parts = [chunk for chunk in now if chunk.id == "record"]
    assert len(parts) <= 1 or now[: len(was)] == was
    assert sum(words(chunk.text) for chunk in parts) <= max(0, room.target(policy) - room.standing)


@given(conversations(), rooms, policies)
def test_the_newest_step_stays_whole(talk: Conversation, room: Room, policy: FoldPolicy) -> None:
    made = fold(talk, room, policy, words)
    places = [place for place, _ in talk.steps()]
    if places:
        assert key(made.upto) <= key(places[-1])
        newest = list(talk.steps())[-1][1]
        assert not any(result.call_id in made.masks for result in newest.results) or policy.decay_after == 0


@given(conversations(), rooms, policies, pins)
def test_words_and_pins_survive_or_name_their_handle(
    talk: Conversation, room: Room, policy: FoldPolicy, also: tuple[Chunk, ...]
) -> None:
    made = fold(talk, room, policy, words, also=also)
    if made.upto == Position(0, 0):
        return
    assert set(also) <= set(made.record)
    kept = [chunk.text for chunk in made.record]
    handles = "\n".join(kept)
    last = made.upto.turn if made.upto.step else made.upto.turn - 1
    for turn in talk.turns[: last + 1]:
        assert turn.words in kept or f"recall {handle_of(turn.words)}" in handles


@given(conversations(), budgets, policies)
def test_a_fold_never_grows_and_leaves_every_original_where_it_was(
    talk: Conversation, budget: Budget, policy: FoldPolicy
) -> None:
    made = next_fold(Frame(), talk, budget, words, policy)
    if made is None:
        return
    folded = replace(talk, fold=made)
    assert made.tokens_after == size_of(Frame(), folded, words) < made.tokens_before == size_of(Frame(), talk, words)
    assert folded.turns == talk.turns
    assert next_fold(Frame(), folded, budget, words, policy) is None


@given(conversations(), budgets, pins)
def test_ten_folds_in_a_row_keep_every_pin_and_the_first_words(
    talk: Conversation, budget: Budget, also: tuple[Chunk, ...]
) -> None:
    grown, survey = talk, Survey()
    for n in range(10):
        call = ToolCall(f"more{n}", "read", '{"path": "src/frame.py"}')
        step = Step(Reply("", (call,)), (ToolResult(call.id, f"line_{n} of it\n" * 20),))
        *before, last = grown.turns
        grown = replace(grown, turns=(*before, replace(last, steps=(*last.steps, step))))
        made = next_fold(Frame(), grown, budget, words, FoldPolicy(), cause="request", also=also, survey=survey)
        grown = replace(grown, fold=made) if made else grown
    if grown.fold:
        kept = [chunk.text for chunk in grown.fold.record]
        assert all(pin.text in kept for pin in also)
        first = talk.turns[0].words
        assert first in kept or f"recall {handle_of(first)}" in kept[0]


@given(conversations(), budgets)
def test_what_is_shown_again_was_hidden_and_is_verbatim(talk: Conversation, budget: Budget) -> None:
    made = next_fold(Frame(), talk, budget, words, FoldPolicy(), cause="request")
    folded = replace(talk, fold=made)
    originals = {line for _, step in talk.steps() for r in step.results for line in r.text.splitlines()}
    originals |= {line for _, step in talk.steps() for c in step.reply.calls for line in json_lines(c.arguments)}
    for chunk in restored(folded, Survey().read(folded, shown), budget.usable):
        assert chunk.id.startswith(PREFIX)
        told = chunk.text.split("\n")[1:]
        assert set(told) <= originals
        assert not standing(folded) & {line.strip() for line in told}


def json_lines(arguments: str) -> list[str]:
    try:
        decoded = json.loads(arguments)
    except ValueError:
        return []
    return [line for value in decoded.values() if isinstance(value, str) for line in value.splitlines()]


@given(bodies, st.sampled_from(("read", "shell", "search", "other")), st.integers(0, 60))
def test_trimming_keeps_the_limit_or_names_the_handle(text: str, kind: Kind, limit: int) -> None:
    done = trim(text, kind, limit, words)
    assert words(done.text) <= max(limit, 6)
    assert done.cut == (f"recall {handle_of(text)}" in done.text)
    if not done.cut and kind == "read":
        assert done.text == text


@given(bodies, st.frozensets(lines))
def test_what_is_not_known_is_always_told(text: str, known: frozenset[str]) -> None:
    told = unrepeated(text, known, "abc").split("\n")
    assert [line for line in text.split("\n") if line.strip() not in known] == [
        line for line in told if line.strip() not in known and not line.endswith("recall abc]")
    ]
