"""Whole sessions made out of one number, each held to every invariant of folds and replay; for `scripts/torture`."""

from __future__ import annotations

import json
from random import Random

from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, Room
from ctxe.context.trim import handle_of
from ctxe.domain.section import Chunk
from ctxe.project.window.replaying import Replayed
from ctxe.serve.replay import Service
from tests.property import test_folds as folds
from tests.property import test_replay_holds as replays


def tortured(seed: int) -> None:
    """One session through every check. Raises AssertionError."""
    dice = Random(seed)
    _folds(dice)
    groups, window = replays.Maker(dice.getrandbits(48)).session(), dice.randint(300, 2_500)
    for check in (
        replays.test_every_answer_keeps_the_rules_or_says_why_it_cannot,
        replays.test_within_an_epoch_requests_only_grow,
    ):
        check.hypothesis.inner_test(groups, window)  # type: ignore[attr-defined]
    _handles(groups, window)


def _folds(dice: Random) -> None:
    talk = folds.Maker(dice.getrandbits(48)).conversation()
    room, budget = Room(dice.randint(0, 3_000), dice.randint(0, 200)), Budget(dice.randint(50, 2_500), 0)
    lines = [folds.Maker(dice.getrandbits(48)).line() for _ in range(dice.randint(0, 2))]
    also = tuple(Chunk("pin", f"[pin] {line}") for line in lines)
    policy = FoldPolicy(
        at=dice.uniform(0.1, 1.0),
        to=dice.uniform(0.0, 0.9),
        keep_recent=dice.randint(0, 4),
        record_share=dice.random(),
        decay_after=dice.randint(0, 3),
        window=dice.randint(0, 5),
    )
    for check, arguments in (
        (folds.test_a_fold_is_deterministic_and_idempotent, (talk, room, policy, also)),
        (folds.test_the_newest_step_stays_whole, (talk, room, policy)),
        (folds.test_words_and_pins_survive_or_name_their_handle, (talk, room, policy, also)),
        (folds.test_a_fold_never_grows_and_leaves_every_original_where_it_was, (talk, budget, policy)),
        (folds.test_ten_folds_in_a_row_keep_every_pin_and_the_first_words, (talk, budget, also)),
        (folds.test_what_is_shown_again_was_hidden_and_is_verbatim, (talk, budget)),
        (
            folds.test_a_fold_on_a_fold_is_idempotent_and_leaves_its_record_or_chooses_anew,
            (talk, room, policy, also, dice.randint(1, 20)),
        ),
    ):
        check.hypothesis.inner_test(*arguments)  # type: ignore[attr-defined]


def _handles(groups: list[list[replays.Chat]], window: int) -> None:
    """Whatever was cut at birth is had back byte for byte, by the handle that stands in its place."""
    replayed = Replayed(Budget(window, replays.RESERVE), replays.words)
    service = Service(replayed, replays.words)
    told = [message for group in groups for message in group]
    for message in told:
        service.answer(json.dumps({"op": "add", "message": message}))
    whole = {handle_of(message["content"] or ""): message["content"] for message in told if message["role"] == "tool"}
    for _, step in replayed.conversation.steps():
        for result in step.results:
            if result.handle:
                assert f"recall {result.handle}" in result.text
                assert replayed.original(result) == whole[result.handle]
