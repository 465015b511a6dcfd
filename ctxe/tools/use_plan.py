"""Proposing a plan by ``use plan`` in a read-only session; the user decides whether it is carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.pattern import pattern
from ctxe.domain.tool import Action, Risk, ToolOutput, without_progress
from ctxe.safety.display import one_line
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.notes import MOST_ITEMS, todo_lines
from ctxe.tools.schemas import STRING, STRINGS

NAME = "proposal"
"""The name for permission rules; "plan" is the name of a delegate's tool."""
SCHEMA = ToolSchema("use plan", "", {"type": "object", "properties": {"text": STRING, "steps": STRINGS}})
LONGEST_PLAN = 20_000
"""Most characters of a plan: nobody would read a longer one."""
HINT = (
    "[ctxe: this session only reads. Find out what has to be done, then propose it: `use` with name plan, arguments "
    '{"text": "the plan in Markdown", "steps": ["one thing to do", …]}. The user approves it, asks for changes, '
    "or declines.]"
)
"""A note to the model beside the first message of a read-only session."""
NOBODY_HERE = (
    "[ctxe: this session only reads and nobody is here to approve anything: answer with your findings or the plan.]"
)
"""The same when nobody can answer."""
_ITEM = pattern(r"^(?:\d{1,3}[.)]|[-*+])\s+(?:\[[ xX]\]\s+)?(\S.*)$", re.M)


def prepare(arguments: Mapping[str, Any], mode: Callable[[], str]) -> Action:
    """The action that asks the user to approve a plan; ``mode`` gives the approval mode then. Raises ToolError."""
    parsed = parse_arguments(SCHEMA, arguments)
    text = parsed.get("text", "").strip()
    if not text:
        raise ToolError("a plan needs text: the work to do, in Markdown")
    if len(text) > LONGEST_PLAN:
        raise ToolError(f"the plan has {len(text):,} characters; say it in {LONGEST_PLAN:,}")
    steps = [" ".join(step.split()) for step in parsed.get("steps", []) if step.strip()] or items(text)
    if len(steps) > MOST_ITEMS:
        raise ToolError(f"a plan has at most {MOST_ITEMS} steps; join some")
    shown = text if all(step in text for step in steps) else f"{text}\n\n" + "\n".join(f"- {step}" for step in steps)
    run = partial(_approve, text, steps, mode)
    return Action(
        NAME, f"plan: {_title(text)}", Risk.READ, without_progress(run), preview=shown, preview_kind="markdown"
    )


def items(text: str) -> list[str]:
    """The steps that a plan lists: its numbered items, or else all its unindented list items."""
    matches = list(_ITEM.finditer(text))
    numbered = [match[1] for match in matches if match[0][0].isdigit()]
    return [item.strip().strip("*") for item in numbered or [match[1] for match in matches]][:MOST_ITEMS]


def _title(text: str) -> str:
    return one_line(next(line for line in text.splitlines() if line.strip()).strip("#* "), 80)


def _approve(text: str, steps: list[str], mode: Callable[[], str]) -> ToolOutput:
    """The result of a yes; its facts hold the plan and its steps, which are kept from now on."""
    todo = [(step, "open") for step in steps]
    paragraphs = [f"The user approved the plan. This session no longer only reads (approval: {mode()}): do it now."]
    paragraphs += ["The todo list holds its steps; keep it with update_todo.", todo_lines(todo)] if todo else []
    facts: dict[str, Any] = {"plan": text}
    if todo:
        facts["todo"] = [{"text": step, "state": state} for step, state in todo]
    return ToolOutput("\n".join(paragraphs), facts=facts)
