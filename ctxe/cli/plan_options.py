"""Making the plan for ``ctxe plan`` and printing it for people or programs. Needs no Typer."""

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
LEAST_BUDGET = 100
BAR_WIDTH = 8
ROWS_BELOW = 6
"""Rows of the window left free below a long plan for its footer and the prompt."""
LEAST_SHOWN = 5
"""Fewest files that a terminal shows of a long plan, which is cut to the window's height."""
TOO_VAGUE = "these words are too vague for a session to plan with: name a file, a function or an error"
MODE_NAMES = {"full": "whole", "region": "lines", "outline": "outline", "name": "name"}
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
    parsed = OPTIONS.parse(words)
    return None if parsed is None else PlanOptions(" ".join(parsed[1]), **parsed[0])


def show(invocation: Invocation, options: PlanOptions, steering: Steering | None = None) -> None:
    """Print the plan; offline. The index is updated first. Raises ConfigError.

    ``steering`` holds the files that a session and its user add to the task.
    """
    from ctxe.project.planning.plan import plan
    from ctxe.terminal.progress import progress

    if options.budget < 0 or 0 < options.budget < LEAST_BUDGET:
        raise ConfigError(f"--budget {options.budget} is too small for a file", f"give {LEAST_BUDGET} tokens or more")
    task = options.task or from_stdin("plan")
    project, screen = invocation.project(), invocation.screen()
    with progress(screen, "indexing") as advance:
        new_plan = plan(project, task, options.budget or project.config.shares.files_tokens, advance, steering)
    if options.as_json:
        print_json(plan_json(new_plan))
    elif options.contents:
        screen.pass_through("\n".join(file.text for file in new_plan.files))
    else:
        screen.say(view(new_plan, screen, every=options.every))


def from_stdin(command: str) -> str:
    """The task of a command from standard input. Raises ConfigError when that is a terminal."""
    import sys

    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError(
            f"{command} needs a task", f'ctxe {command} "what you want to change", or words on standard input'
        )
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def view(plan: Plan, screen: Screen, *, every: bool = False) -> str:
    """A plan for people: files with bars, the part shown of each, and the reasons.

    On a terminal, the first files (all with ``every``), each with its reasons below; on a pipe, one row per file.
    """
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    if not plan.files:
        return _empty_plan(plan, screen)
    groups = _file_groups(plan, screen, every)
    hidden_files = len(plan.files) + 1 - len(groups)  # one group is the table's header
    footer = fold(line((_footer(plan, hidden_files), "dim")), screen.width)
    notes = [row for note in _notes(plan) for row in fold(line((note, "warn")), screen.width)]
    return draw([*(row for rows in groups for row in rows), (), *footer, *notes], screen)


def _notes(plan: Plan) -> list[str]:
    """Warnings about a plan: what went wrong, and that its words were too vague."""
    from ctxe.project.window.task_words import says_enough

    is_vague = bool(plan.task.strip()) and not says_enough(plan.task)
    return [*([plan.note] if plan.note else []), *([TOO_VAGUE] if is_vague else [])]


def _empty_plan(plan: Plan, screen: Screen) -> str:
    """The advice for a plan without files."""
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    if not plan.task.strip():
        return "nothing was changed here recently"
    text = "no file of this project matches: use words from the code, or name a file or an error"
    return draw(fold(line(text), screen.width), screen)


def _footer(plan: Plan, hidden_files: int) -> str:
    """The plan's tokens, and the number of files that are not shown."""
    from ctxe.project.planning.plan import DROPPED
    from ctxe.terminal.figures import plural, seconds

    duration = seconds(sum(plan.timings_ms.values()) / 1000)
    parts = [f"{plan.tokens:,} of {plan.budget:,} tokens, ranked in {duration}"]
    parts += [f"{plural(hidden_files, 'more file')} in the plan: --all lists them"] if hidden_files > 0 else []
    dropped = sum(omitted.reason == DROPPED for omitted in plan.left_out)
    without_room = len(plan.left_out) - dropped
    parts += [f"{plural(without_room, 'file')} had no room"] if without_room else []
    parts += [f"{plural(dropped, 'file')} you dropped"] if dropped else []
    return " · ".join(parts)


def _file_groups(plan: Plan, screen: Screen, every: bool) -> list[list[Line]]:
    """The header of a table, then files with bars and reasons: as many as the window shows."""
    from ctxe.terminal.tables import Column, bar_cell, table_with_details

    best = max(file.score for file in plan.files)
    room = (screen.width or 0) - BAR_WIDTH - sum(map(len, ("tokens", "outline"))) - 3 * len("  ")
    bar = [Column("")] if screen.terminal else []
    columns = [Column("file", grows=True), *bar, Column("tokens", right=True), Column("shown", style="dim")]
    cells: list[list[Cell]] = []
    for file in plan.files:
        path = _shortened_path(file.path, room, screen) if screen.terminal else file.path
        bar_cells: list[Cell] = [bar_cell(file.score, best, BAR_WIDTH, STYLES[file.mode], screen)]
        cells.append([path, *bar_cells[: len(bar)], f"{file.tokens:,}", MODE_NAMES[file.mode]])
    groups = table_with_details(columns, cells, "why", [file.why for file in plan.files], screen)
    if every or not screen.terminal:
        return groups
    rows_so_far = list(accumulate(map(len, groups)))
    fitting_groups = sum(rows <= screen.size()[1] - ROWS_BELOW for rows in rows_so_far)
    return groups[: max(fitting_groups, LEAST_SHOWN + 1)]


def _shortened_path(path: str, room: int, screen: Screen) -> str:
    """A path in at most ``room`` columns; a long one is cut at its beginning, since its end tells files apart."""
    from ctxe.terminal.style import cells

    if cells(path) <= max(room, 12):
        return path
    while cells(path) > max(room, 12) - 1:
        path = path[1:]
    return ("…" if screen.unicode else "~") + path
