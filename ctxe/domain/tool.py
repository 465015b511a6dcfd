"""What a model may do: tools as values, the actions they prepare, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from ctxe.domain.conversation import Touch
from ctxe.domain.model import ToolSchema
from ctxe.domain.picture import Picture
from ctxe.domain.value import dataclass


class Risk(StrEnum):
    """What an action can do to the world, from least to most."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Progress:
    """Output of a running action, as it comes, for the user's eyes only."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What an action gave: ``text`` for the model, ``display`` for the user (the same when empty).

    ``kind`` says how long text is shortened: reads keep their head, shell output its tail, the rest both.
    A page of the web keeps the headed parts that are ``about`` what was looked for.
    ``facts`` are parsed fields about the run (exit code, command …) that failures and records are made of. ``most``
    are the tokens it may take where that is less than what its kind may (0: as its kind). A ``picture`` is shown after
    the text.
    """

    text: str
    ok: bool = True
    display: str = ""
    kind: Literal["read", "shell", "search", "recalled", "page", "other"] = "other"
    touches: tuple[Touch, ...] = ()
    facts: Mapping[str, Any] | None = None
    most: int = 0
    picture: Picture | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One call made ready: its arguments are checked and nothing has happened yet.

    ``title`` is one line for the screen. ``preview`` is exactly what would happen, shown when a person is asked: a
    unified diff (``shows`` "diff"), the whole command ("command"), words ("text") or a plan ("markdown"). ``paths`` are
    real paths relative to the root that would be written; ``command`` is the whole command line. ``arguments`` (JSON
    text) are those of the call, put in by the dispatcher so that a person may rewrite them. ``changed`` says why no
    rule and no mode allows it any more, only a person: what it was allowed for is not what it is now. ``lasts``: what
    it starts goes on after its result. ``address``: a page of the web that would be asked for, and nothing else is
    done. Running yields Progress, then one ToolOutput; it raises ToolError for what the model should read.
    """

    tool: str
    title: str
    risk: Risk
    run: Callable[[], Iterator[Progress | ToolOutput]]
    preview: str = ""
    shows: Literal["text", "diff", "command", "markdown"] = "text"
    paths: tuple[str, ...] = ()
    command: str = ""
    arguments: str = ""
    changed: str = ""
    lasts: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A thing a model may ask for: its schema, the most it can do, and how a call becomes an action.

    ``prepare`` takes the decoded arguments and raises ToolError when they make no sense.
    """

    schema: ToolSchema
    risk: Risk
    prepare: Callable[[Mapping[str, Any]], Action]

    @property
    def name(self) -> str:
        """The name by which the model calls it."""
        return self.schema.name


def once(output: Callable[[], ToolOutput]) -> Callable[[], Iterator[Progress | ToolOutput]]:
    """Make a run of a function that has no progress to tell."""

    def run() -> Iterator[Progress | ToolOutput]:
        yield output()

    return run


@dataclass(frozen=True, slots=True)
class Allow:
    """Go ahead. ``rule`` is remembered when the user said always."""

    rule: str = ""


@dataclass(frozen=True, slots=True)
class Deny:
    """Do not. ``why`` is told to the model."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides; ``why`` says what is unusual and ``rule`` what an always would allow.

    ``known`` is what is remembered of the same action, which failed before.
    """

    why: str = ""
    rule: str = ""
    known: str = ""


@dataclass(frozen=True, slots=True)
class Revise:
    """Do it with these arguments (JSON text) instead, as the user rewrote them."""

    arguments: str


ANSWERED = "[ctxe: this very call failed"
"""How an answer begins that a call gets instead of being run."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an action that failed before. ``lesson`` is one line for the person who is asked; ``says``
    is told to the model (nothing when it knows).

    ``way``: "answer" instead of running, "ask" a person first, or "note" it when it fails again.
    """

    signature: str
    lesson: str
    says: str
    way: Literal["answer", "ask", "note"]


Decision = Allow | Deny | Ask
Answer = Allow | Deny | Revise
Approver = Callable[[Action, Ask], Answer]
