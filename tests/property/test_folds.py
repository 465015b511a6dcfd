"""What holds of every fold, on generated sessions: see docs/folds.md."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, FoldRoom
from ctxe.context.fold import fold
from ctxe.context.known_lines import KnownLines, replace_known_lines
from ctxe.context.survey import Survey
from ctxe.context.trim import Kind, handle_of, trim
from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk
from tests.property import folding
from tests.property.folding import Maker, shown, sound
from tests.support.counting import count_words

settings.register_profile("folds", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")), deadline=None)
settings.load_profile("folds")

seeds = st.integers(0, 2**48).map(Maker)
conversations = seeds.map(Maker.conversation)
bodies = seeds.map(Maker.text)
lines = seeds.map(Maker.line)
rooms = st.builds(FoldRoom, st.integers(0, 3_000), st.integers(0, 200))
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


@given(conversations, rooms, policies, pins)
def test_every_fold_is_sound_and_deterministic(
    talk: Conversation, room: FoldRoom, policy: FoldPolicy, also: tuple[Chunk, ...]
) -> None:
    made = sound(talk, room, policy, also)
    assert fold(talk, room, policy, count_words, also=also) == made
    assert fold(talk, room, policy, count_words, also=also, survey=lambda: Survey().update(talk, shown)) == made


@given(conversations, rooms, policies, pins, st.integers(1, 20))
def test_folding_again_is_idempotent_and_keeps_or_rebuilds_the_record(
    talk: Conversation, room: FoldRoom, policy: FoldPolicy, also: tuple[Chunk, ...], steps: int
) -> None:
    folding.assert_a_fold_on_a_fold_is_sound(talk, room, policy, also, steps)


@given(conversations, budgets, policies)
def test_a_fold_never_grows_the_request_and_keeps_every_original(
    talk: Conversation, budget: Budget, policy: FoldPolicy
) -> None:
    folding.assert_a_fold_never_grows(talk, budget, policy)


@given(conversations, budgets, pins)
def test_ten_folds_in_a_row_keep_every_pin_and_the_first_words(
    talk: Conversation, budget: Budget, also: tuple[Chunk, ...]
) -> None:
    folding.assert_ten_folds_keep(talk, budget, also)


@given(conversations, budgets)
def test_restored_lines_were_hidden_and_are_verbatim(talk: Conversation, budget: Budget) -> None:
    folding.assert_what_is_shown_again_is_verbatim(talk, budget)


@given(bodies, st.sampled_from(("read", "shell", "search", "other")), st.integers(0, 60))
def test_trimmed_output_fits_the_limit_or_names_its_handle(text: str, kind: Kind, limit: int) -> None:
    done = trim(text, kind, limit, count_words)
    assert count_words(done.text) <= max(limit, 6)
    assert done.is_cut == (f"recall {handle_of(text)}" in done.text)
    if not done.is_cut and kind == "read":
        assert done.text == text


@given(bodies, st.frozensets(lines))
def test_unknown_lines_are_always_shown(text: str, known: frozenset[str]) -> None:
    standing = KnownLines()
    standing.add(sorted(known))
    told = replace_known_lines(text, standing, "abc").split("\n")
    assert [line for line in text.split("\n") if line.strip() not in known] == [
        line for line in told if line.strip() not in known and not line.endswith("recall abc]")
    ]
