"""What a model may do: tools as values, the actions they prepare, and their output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from ctxe.domain.conversation import Touch
from ctxe.domain.model import ToolSchema
from ctxe.domain.picture import Picture
from ctxe.domain.value import dataclass


class Risk(StrEnum):
    """What an action can do outside the session, from least to most."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Progress:
    """Output of a running action as it arrives, shown to the user only."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The output of an action: ``text`` for the model, ``display`` for the user (empty: the same text).

    ``kind`` decides how long text is shortened: reads keep their head, shell output its tail, the rest both; a web page
    keeps the parts under headings that are ``about`` what was looked for. ``facts`` are parsed fields of the run (exit
    code, command …) from which failures and records are made. ``token_limit`` lowers the token limit of its kind (0: no
    lower limit). A ``picture`` is shown after the text.
    """

    text: str
    ok: bool = True
    display: str = ""
    kind: Literal["read", "shell", "search", "recalled", "page", "other"] = "other"
    touches: tuple[Touch, ...] = ()
    facts: Mapping[str, Any] | None = None
    token_limit: int = 0
    picture: Picture | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A call made ready: its arguments are checked, and nothing has happened yet.

    ``title`` is one line for the screen. ``preview`` is exactly what would happen, shown when a person is asked: a
    unified diff (``preview_kind`` "diff"), the whole command ("command"), words ("text") or a plan ("markdown").
    ``paths`` are the real paths, relative to the root, that would be written; ``command`` is the whole command line.
    ``arguments`` (JSON text) are those of the call; the dispatcher adds them so that a person may rewrite them.
    ``changed`` says why no rule and no mode allows the action any more, only a person: what was allowed has changed
    since. ``is_background``: what it starts goes on after its result. ``address``: the URL of a web page, when fetching
    it is all that the action does. ``run`` yields Progress, then one ToolOutput; it raises ToolError for what the model
    should read.
    """

    tool: str
    title: str
    risk: Risk
    run: Callable[[], Iterator[Progress | ToolOutput]]
    preview: str = ""
    preview_kind: Literal["text", "diff", "command", "markdown"] = "text"
    paths: tuple[str, ...] = ()
    command: str = ""
    arguments: str = ""
    changed: str = ""
    is_background: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may ask for: its schema, the greatest risk it can have, and how a call becomes an action.

    ``prepare`` takes the decoded arguments and raises ToolError when they are invalid.
    """

    schema: ToolSchema
    risk: Risk
    prepare: Callable[[Mapping[str, Any]], Action]

    @property
    def name(self) -> str:
        """The name by which the model calls it."""
        return self.schema.name


def without_progress(output: Callable[[], ToolOutput]) -> Callable[[], Iterator[Progress | ToolOutput]]:
    """Turn a function without progress into a ``run``."""

    def run() -> Iterator[Progress | ToolOutput]:
        yield output()

    return run


@dataclass(frozen=True, slots=True)
class Allow:
    """The action may run. ``rule`` is remembered when the user said always."""

    rule: str = ""


@dataclass(frozen=True, slots=True)
class Deny:
    """The action may not run. ``why`` is told to the model."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides; ``why`` says what is unusual, ``rule`` what "always" would allow.

    ``known`` is what is remembered of the same action, which failed before.
    """

    why: str = ""
    rule: str = ""
    known: str = ""


@dataclass(frozen=True, slots=True)
class Revise:
    """Run it with these arguments (JSON text) instead, as the user rewrote them."""

    arguments: str


ANSWERED = "[ctxe: this very call failed"
"""Beginning of an answer that a call gets instead of being run."""


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """What is remembered of an action that failed before.

    ``lesson`` is one line for the person who is asked; ``message`` is told to the model (empty when it knows). ``way``:
    "answer" instead of running, "ask" a person first, or "note" it when the action fails again.
    """

    signature: str
    lesson: str
    message: str
    way: Literal["answer", "ask", "note"]


Decision = Allow | Deny | Ask
Answer = Allow | Deny | Revise
Approver = Callable[[Action, Ask], Answer]
