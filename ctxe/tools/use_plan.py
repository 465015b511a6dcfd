"""A plan that the model proposes in a session that only reads, by ``use plan``; a person decides whether it is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.pattern import pattern
from ctxe.domain.tool import Action, Risk, ToolOutput, once
from ctxe.safety.display import one_line
from ctxe.tools.arguments import checked
from ctxe.tools.notes import ITEMS, listed
from ctxe.tools.prose import STRING, STRINGS

NAME = "proposal"
"""What permission is decided on; a delegate has a tool called plan."""
SCHEMA = ToolSchema("use plan", "", {"type": "object", "properties": {"text": STRING, "steps": STRINGS}})
LONGEST = 20_000
"""Characters of a plan: what is longer is no plan that a person reads."""
HINT = (
    "[ctxe: this session only reads. Find out what has to be done, then propose it: `use` with name plan, arguments "
    '{"text": "the plan in Markdown", "steps": ["one thing to do", …]}. The user lets it be done, says what to change, '
    "or leaves it there.]"
)
"""What is told beside the first words of a session that only reads."""
ALONE = (
    "[ctxe: this session only reads and nobody is here to approve anything: answer with what you found, or the plan.]"
)
"""The same where nobody can answer."""
_ITEM = pattern(r"^(?:\d{1,3}[.)]|[-*+])\s+(?:\[[ xX]\]\s+)?(\S.*)$", re.M)


def prepare(arguments: Mapping[str, Any], mode: Callable[[], str]) -> Action:
    """The question whether a plan is done; ``mode`` says who decides by then. Raises ToolError."""
    given = checked(SCHEMA, arguments)
    text = given.get("text", "").strip()
    if not text:
        raise ToolError("a plan needs text: what shall be done, in Markdown")
    if len(text) > LONGEST:
        raise ToolError(f"the plan has {len(text):,} characters; say it in {LONGEST:,}")
    steps = [" ".join(step.split()) for step in given.get("steps", []) if step.strip()] or items(text)
    if len(steps) > ITEMS:
        raise ToolError(f"a plan has at most {ITEMS} steps; join some")
    shown = text if all(step in text for step in steps) else f"{text}\n\n" + "\n".join(f"- {step}" for step in steps)
    run = partial(_approved, text, steps, mode)
    return Action(NAME, f"plan: {_title(text)}", Risk.READ, once(run), preview=shown, shows="markdown")


def items(text: str) -> list[str]:
    """The things to do that a plan lists: its numbered items where there are some, else all items at its margin."""
    found = list(_ITEM.finditer(text))
    numbered = [match[1] for match in found if match[0][0].isdigit()]
    return [one.strip().strip("*") for one in numbered or [match[1] for match in found]][:ITEMS]


def _title(text: str) -> str:
    return one_line(next(line for line in text.splitlines() if line.strip()).strip("#* "), 80)


def _approved(text: str, steps: list[str], mode: Callable[[], str]) -> ToolOutput:
    """What the model is told of a yes; the plan and its steps are kept from here on."""
    todo = [(step, "open") for step in steps]
    told = [f"The user approved the plan. This session no longer only reads (approval: {mode()}): do it now."]
    told += ["The todo list holds its steps; keep it with update_todo.", listed(todo)] if todo else []
    facts: dict[str, Any] = {"plan": text}
    if todo:
        facts["todo"] = [{"text": step, "state": state} for step, state in todo]
    return ToolOutput("\n".join(told), facts=facts)
