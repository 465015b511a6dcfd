"""Plays a long session through the real folds and bills it, for tests and the benchmark."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from ctxe.context.budget import Budget
from ctxe.context.cost import request_usd
from ctxe.domain.conversation import Reply, ToolCall, Usage
from ctxe.domain.model import Block, Prices, Text
from ctxe.project.window.replaying import Replayed

REAL = Prices(3.0, 15.0, 0.30, 3.75)
"""US dollars per million tokens, as Anthropic bills."""
STEPS, HEAD, GROWTH, WINDOW = 200, 6_000, 1_200, 200_000


def tokens(text: str) -> int:
    return (len(text) + 3) // 4


def source(n: int) -> str:
    """A file of about ``GROWTH`` tokens in which every line is another."""
    dice = random.Random(n)
    lines = (f"    value_{n}_{k} = compute_{dice.randrange(10**6)}(total_{k}, limit_{n})" for k in range(90))
    return "\n".join(["def function():", *lines])


def size_of(block: Block) -> int:
    return 4 + tokens(getattr(block, "text", "") or getattr(block, "arguments", ""))


@dataclass(slots=True)
class Bill:
    """Dollars for the input of all requests so far: through the folds, whole with a cache, whole without one."""

    folded: float = 0.0
    grown: float = 0.0
    plain: float = 0.0
    folds: int = 0
    before: tuple[Block, ...] = ()
    whole: int = 0

    def take(self, blocks: tuple[Block, ...], added: int) -> None:
        """One request; what it has in common with the one before is read from the cache."""
        shared = next(
            (n for n, (a, b) in enumerate(zip(blocks, self.before, strict=False)) if a != b), len(self.before)
        )
        self.folds += shared < len(self.before)
        sizes = [size_of(block) for block in blocks]
        self.folded += request_usd(sum(sizes), sum(sizes[:shared]), REAL)
        self.grown += request_usd(self.whole + added, self.whole, REAL)
        self.whole += added
        self.plain += REAL.cost(Usage(self.whole))
        self.before = blocks


def billed() -> Bill:
    replayed, bill = Replayed(Budget(WINDOW, 4_096), tokens), Bill(whole=HEAD)
    rules = "rule " * (HEAD * 4 // 5)
    replayed.instruct(rules)
    replayed.say("make every function faster")
    for n in range(STEPS):
        call, text = ToolCall(f"c{n}", "read_file", json.dumps({"path": f"src/module_{n}.py"})), source(n)
        replayed.step(Reply(f"Now module {n}.", (call,)), {call.id: text})
        messages = replayed.request().request.messages
        blocks = (Text(rules), *(block for message in messages for block in message.blocks))
        bill.take(blocks, 8 + tokens(call.arguments) + tokens(text))
    return bill
