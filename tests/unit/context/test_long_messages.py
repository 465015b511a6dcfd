"""A user message too long for a request keeps its ends and its errors; the whole is recalled by its handle."""

from __future__ import annotations

from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy
from ctxe.context.fold import next_fold
from ctxe.context.long_messages import MOST_TOLD, shorten_message
from ctxe.context.trim import handle_of
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn

LINES = [f"09:{n % 60:02d} worker {n * 7919} took job {n * 104729}" for n in range(40_000)]
LOG = "\n".join(["what went wrong?", "", *LINES[:20_000], "ERROR: the disk is full", *LINES[20_000:]])


def tokens(text: str) -> int:
    return len(text) // 4


def closely(text: str) -> int:
    """As models count figures: more tokens than four characters each."""
    return len(text) // 3


def test_ordinary_messages_and_pastes_are_unchanged() -> None:
    text = "x" * 4 * MOST_TOLD
    assert shorten_message(text) is text
    talk = Conversation((Turn(text),))
    (message,) = assemble(Frame(), talk, Budget(1_000_000, 0), tokens).request.messages
    assert message.blocks[0].text == text  # type: ignore[union-attr]


def test_a_pasted_log_is_shortened_to_the_question_its_errors_and_a_handle() -> None:
    done = assemble(Frame(), Conversation((Turn(LOG),)), Budget(1_000_000, 0), tokens)
    sent = done.request.messages[0].blocks[0].text  # type: ignore[union-attr]
    assert tokens(LOG) > 6 * MOST_TOLD
    assert tokens(sent) <= MOST_TOLD
    assert done.ledger.used <= MOST_TOLD + 100
    assert sent.startswith("what went wrong?")
    assert "ERROR: the disk is full" in sent
    assert sent.endswith(LINES[-1])
    assert f"recall {handle_of(LOG)}" in sent


def test_a_fold_keeps_a_shortened_message_as_it_was() -> None:
    steps = tuple(
        Step(Reply("", (ToolCall(f"c{n}", "run", "{}"),), "tools"), (ToolResult(f"c{n}", "w " * 40_000),))
        for n in range(9)
    )
    for words in (LOG, LOG[: 4 * MOST_TOLD]):
        talk = Conversation((Turn(words, (), steps),))
        fold = next_fold(Frame(), talk, Budget(1_000_000, 0), closely, FoldPolicy(), cause="request")
        assert fold is not None
        assert fold.record[0].text == shorten_message(words), "byte for byte what stood before the fold"
