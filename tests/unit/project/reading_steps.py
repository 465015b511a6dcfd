"""Scripted steps that read files, for tests of folds."""

from __future__ import annotations

from ctxe.domain.conversation import Reply, Step, ToolCall, ToolResult


def steps(number: int) -> tuple[Step, ...]:
    """Steps that each show a long output of its own."""
    made = []
    for n in range(number):
        call = ToolCall(f"c{n}", "run_command", f'{{"command": "cat part{n}"}}')
        lines = "\n".join(f"line {k} of part{n} says something else {k * n}" for k in range(400))
        made.append(Step(Reply("", (call,), "tools"), (ToolResult(f"c{n}", lines),)))
    return tuple(made)
