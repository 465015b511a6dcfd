"""Composing and folding requests, with every count known; what folds save on a long session."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from scripts.benching.measure import ROOT, Figure, timed


def assembling(_work: Path) -> list[Figure]:
    """A request of 128k tokens, composed with every count known."""
    from ctxe.context.assemble import Frame, assemble
    from ctxe.context.budget import Budget
    from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
    from ctxe.storage.counts import Counts
    from ctxe.storage.vocabulary import count

    source = _source()
    counts = Counts("o200k_base", count)
    size = len(source) // 90
    steps = []
    for n in range(90):
        call = ToolCall(f"c{n}", "read_file", json.dumps({"path": f"f{n}.py"}))
        steps.append(
            Step(Reply(f"step {n}", (call,), "tools"), (ToolResult(call.id, source[n * size : (n + 1) * size]),))
        )
    while sum(counts(step.results[0].text) for step in steps) > 120_000:
        steps.pop()
    talk = Conversation((Turn("go", (), tuple(steps)),))
    seconds = timed(lambda: assemble(Frame(), talk, Budget(200_000, 0), counts))
    return [Figure("assemble 128k tokens, warm", seconds, 0.020)]


def folding(_work: Path) -> list[Figure]:
    """Processor time of a fold of 200k tokens whose counts are known, and of the request after one more message."""
    from dataclasses import replace
    from functools import partial

    from ctxe.context.assemble import Frame
    from ctxe.context.budget import Budget
    from ctxe.context.compact import FoldPolicy
    from ctxe.context.fold import next_fold, request_size
    from ctxe.context.survey import Survey
    from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
    from ctxe.storage.counts import Counts
    from ctxe.storage.vocabulary import count

    counts, spent = Counts("o200k_base", count), [0.0]

    def counted(text: str) -> int:
        began = time.process_time()
        tokens = counts(text)
        spent[0] += time.process_time() - began
        return tokens

    source, steps, total = _source() * 2, list[Step](), 0
    while total < 200_000:
        n, text = len(steps), source[len(steps) * 7_000 : (len(steps) + 1) * 7_000]
        call = ToolCall(f"c{n}", "read_file", json.dumps({"path": f"src/f{n}.py"}))
        steps.append(Step(Reply(f"step {n}", (call,), "tools"), (ToolResult(call.id, text),)))
        total += counts(text)
    talk, budget = Conversation((Turn("go", (), tuple(steps)),)), Budget(220_000, 0)
    survey = Survey().update(talk, lambda result: result.text)
    seen = partial(survey.update, talk, lambda result: result.text)

    def fold() -> None:
        spent[0] = 0.0
        next_fold(Frame(), talk, budget, counted, FoldPolicy(), cause="request", survey=seen)

    grown, times = [], []
    for n in range(8):
        began = time.process_time()
        fold()
        times.append(time.process_time() - began - spent[0])
        more = replace(talk, turns=(replace(talk.turns[0], steps=(*steps, Step(Reply(f"{n} is new")))),))
        began = time.process_time()
        request_size(Frame(), more, counts)
        grown.append(time.process_time() - began)
    seconds, again = statistics.median(times[1:]), statistics.median(grown[1:])
    return [
        Figure("fold 200k tokens, beyond counting", seconds, 0.050),
        Figure("count after one message", again, 0.002),
    ]


def session(_work: Path) -> list[Figure]:
    """The cost of two hundred steps at real prices, relative to no cache and to a history that is never folded."""
    from tests.property.billing import billed

    bill = billed()
    return [
        Figure("200 steps, share of no cache", 100 * bill.folded / bill.plain, 7, "%"),
        Figure("200 steps, share of append-only", 100 * bill.folded / bill.grown, 65, "%"),
    ]


def _source() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "ctxe").rglob("*.py")))
