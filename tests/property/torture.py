"""Whole sessions generated from a seed, each checked against every invariant of folds, requests and replay.

Most are small, for what breaks, breaks in small ones too; some are long, and some hold texts that are cut at birth.
For `scripts/torture`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, FoldRoom
from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk
from ctxe.project import Project
from tests.property import folding, replays, requesting


@dataclass(frozen=True, slots=True)
class Kind:
    """Sessions of a size, and the largest window (words) that they are held to."""

    folds: folding.Scale
    replays: replays.Scale
    window: int


SMALL = Kind(folding.Scale(8, 3, 3), replays.Scale(8, 5), 500)
USUAL = Kind(folding.Scale(20, 7, 4, 0.1), replays.Scale(16, 12, 0.03), 2_500)
LONG = Kind(folding.Scale(25, 20, 3, 0.1), replays.Scale(25, 40, 0.15), 10_000)
PART_USUAL, PART_LONG = 0.06, 0.004
"""The fraction of all sessions; the rest are small."""


def tortured(seed: int, project: Project) -> None:
    """One session through every check; ``project`` is any, without memories. Raises AssertionError."""
    dice = Random(seed)
    luck = dice.random()
    kind = LONG if luck < PART_LONG else USUAL if luck < PART_LONG + PART_USUAL else SMALL
    talk = folding.Maker(dice.getrandbits(48), kind.folds).conversation()
    _folds(talk, dice, kind.window)
    _requests(talk, dice, kind.window)
    window = dice.randint(150, kind.window)
    done = replays.served(replays.Maker(dice.getrandbits(48), kind.replays).session(), window)
    replays.assert_rules_are_kept(done, window)
    replays.assert_epochs_only_grow(done)
    replays.assert_handles_restore(done, project)


def _folds(talk: Conversation, dice: Random, window: int) -> None:
    """Two of the checks per session; over all sessions each is run equally often."""
    room, budget = FoldRoom(dice.randint(0, window), dice.randint(0, window // 8)), Budget(dice.randint(50, window), 0)
    lines = [folding.Maker(dice.getrandbits(48)).line() for _ in range(dice.randint(0, 2))]
    also = tuple(Chunk("pin", f"[pin] {line}") for line in lines)
    policy = FoldPolicy(
        at=dice.uniform(0.1, 1.0),
        to=dice.uniform(0.0, 0.9),
        keep_recent=dice.randint(0, 4),
        record_share=dice.random(),
        decay_after=dice.randint(0, 3),
        window=dice.randint(0, 5),
    )
    folding.assert_a_fold_never_grows(talk, budget, policy)
    match dice.randrange(12):
        case 0:
            folding.assert_ten_folds_keep(talk, budget, also)
        case 1 | 2 | 3 | 4:
            folding.assert_what_is_shown_again_is_verbatim(talk, budget)
        case _:
            folding.assert_a_fold_on_a_fold_is_sound(talk, room, policy, also, dice.randint(1, 20))


def _requests(talk: Conversation, dice: Random, window: int) -> None:
    frame = requesting.framed(dice)
    talk = requesting.gathered(talk, dice)
    requesting.assert_request_holds(frame, talk, dice.randint(20, window), dice.randint(1, window // 2))
    requesting.assert_requests_only_grow(frame, talk)
