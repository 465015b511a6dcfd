"""Makes the plan for ``ctxe plan`` and prints it for people or programs. Needs no Typer."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_json
from ctxe.cli.option_parser import OptionParser
from ctxe.domain.errors import ConfigError
from ctxe.domain.value import dataclass
from ctxe.serve.answers import plan_json

if TYPE_CHECKING:
    from ctxe.project.planning.plan import Plan, Steering
    from ctxe.terminal.screen import Screen
    from ctxe.terminal.style import Line
    from ctxe.terminal.tables import Cell

OPTIONS = OptionParser(
    {"--json": "as_json", "--show": "contents", "--all": "every"}, {"--budget": "budget"}, ("budget",)
)
LEAST = 100
BAR = 8
BELOW = 6
"""Rows of the window left free below a long plan for its footer and the prompt."""
LEAST_SHOWN = 5
"""Fewest files that a terminal shows of a long plan, which is cut to the window's height."""
GUESSED = "these words say too little for a session to plan by: name a file, a function or an error"
SHOWN = {"full": "whole", "region": "lines", "outline": "outline", "name": "name"}
STYLES = {"full": "injected", "region": "injected", "outline": "accent", "name": "dim"}


@dataclass(slots=True)
class PlanOptions:
    """The parsed command line of ``ctxe plan``; without a task, it is read from standard input."""

    task: str = ""
    budget: int = 0
    as_json: bool = False
    contents: bool = False
    every: bool = False


def parse_words(words: list[str]) -> PlanOptions | None:
    """Parse a plain command line; None if Typer must parse it."""
    read = OPTIONS.parse(words)
    return None if read is None else PlanOptions(" ".join(read[1]), **read[0])


def show(invocation: Invocation, wanted: PlanOptions, steering: Steering | None = None) -> None:
    """Print the plan; offline. The index is updated first. Raises ConfigError.

    ``steering`` is what a session and its user add to the task.
    """
    from ctxe.project.planning.plan import plan
    from ctxe.terminal.progress import progress

    if wanted.budget < 0 or 0 < wanted.budget < LEAST:
        raise ConfigError(f"--budget {wanted.budget} is too small for a file", f"give {LEAST} tokens or more")
    task = wanted.task or from_stdin("plan")
    project, screen = invocation.project(), invocation.screen()
    with progress(screen, "indexing") as advance:
        made = plan(project, task, wanted.budget or project.config.shares.files_tokens, advance, steering)
    if wanted.as_json:
        print_json(plan_json(made))
    elif wanted.contents:
        screen.pass_through("\n".join(file.text for file in made.files))
    else:
        screen.say(view(made, screen, every=wanted.every))


def from_stdin(command: str) -> str:
    """The task of a command from standard input. Raises ConfigError when that is a terminal."""
    import sys

    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError(
            f"{command} needs a task", f'ctxe {command} "what you want to change", or words on standard input'
        )
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def view(made: Plan, screen: Screen, *, every: bool = False) -> str:
    """A plan for people: files with bars, what is shown of each, and why.

    On a terminal, the first files (all with ``every``), each with its reasons below; on a pipe, one row per file.
    """
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    if not made.files:
        return _nothing(made, screen)
    listed = _listed(made, screen, every)
    more = len(made.files) + 1 - len(listed)  # one group is the table's header
    foot = fold(line((_foot(made, more), "dim")), screen.width)
    notes = [row for note in _notes(made) for row in fold(line((note, "warn")), screen.width)]
    return draw([*(row for rows in listed for row in rows), (), *foot, *notes], screen)


def _notes(made: Plan) -> list[str]:
    """Warnings about a plan: what went wrong, and that its words were too vague."""
    from ctxe.project.window.task_words import says_enough

    guessed = bool(made.task.strip()) and not says_enough(made.task)
    return [*([made.note] if made.note else []), *([GUESSED] if guessed else [])]


def _nothing(made: Plan, screen: Screen) -> str:
    """What to do about a plan without files."""
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    if not made.task.strip():
        return "nothing was changed here lately"
    text = "no file of this project bears on that: say it in words of the code, or name a file or an error"
    return draw(fold(line(text), screen.width), screen)


def _foot(made: Plan, more: int) -> str:
    """The plan's tokens, and what is not on the screen."""
    from ctxe.project.planning.plan import DROPPED
    from ctxe.terminal.figures import plural, seconds

    took = seconds(sum(made.timings_ms.values()) / 1000)
    parts = [f"{made.tokens:,} of {made.budget:,} tokens, ranked in {took}"]
    parts += [f"{plural(more, 'more file')} in the plan: --all lists them"] if more > 0 else []
    dropped = sum(out.reason == DROPPED for out in made.left_out)
    crowded = len(made.left_out) - dropped
    parts += [f"{plural(crowded, 'file')} had no room"] if crowded else []
    parts += [f"{plural(dropped, 'file')} you dropped"] if dropped else []
    return " · ".join(parts)


def _listed(made: Plan, screen: Screen, every: bool) -> list[list[Line]]:
    """The header of a table, then files with bars and reasons: as many as the window shows."""
    from ctxe.terminal.tables import Column, bar_cell, table_with_details

    best = max(file.score for file in made.files)
    room = (screen.width or 0) - BAR - sum(map(len, ("tokens", "outline"))) - 3 * len("  ")
    bar = [Column("")] if screen.terminal else []
    columns = [Column("file", grows=True), *bar, Column("tokens", right=True), Column("shown", style="dim")]
    cells: list[list[Cell]] = []
    for file in made.files:
        path = _end(file.path, room, screen) if screen.terminal else file.path
        drawn: list[Cell] = [bar_cell(file.score, best, BAR, STYLES[file.mode], screen)]
        cells.append([path, *drawn[: len(bar)], f"{file.tokens:,}", SHOWN[file.mode]])
    listed = table_with_details(columns, cells, "why", [file.why for file in made.files], screen)
    if every or not screen.terminal:
        return listed
    used = list(accumulate(map(len, listed)))
    fits = sum(rows <= screen.size()[1] - BELOW for rows in used)
    return listed[: max(fits, LEAST_SHOWN + 1)]


def _end(path: str, room: int, screen: Screen) -> str:
    """A path in at most ``room`` columns; a long one is cut at its beginning, since its end tells files apart."""
    from ctxe.terminal.style import cells

    if cells(path) <= max(room, 12):
        return path
    while cells(path) > max(room, 12) - 1:
        path = path[1:]
    return ("…" if screen.unicode else "~") + path
