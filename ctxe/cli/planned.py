"""The plan for ``ctxe plan``: made, and printed for people or programs. Needs no Typer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctxe.cli.invocation import Invocation
from ctxe.cli.quick import Options
from ctxe.domain.errors import ConfigError

if TYPE_CHECKING:
    from ctxe.project.planning.plan import Plan, Planned
    from ctxe.terminal.screen import Screen
    from ctxe.terminal.tables import Cell

OPTIONS = Options({"--json": "as_json", "--show": "contents"}, {"--budget": "budget"}, ("budget",))
LEAST = 100
BAR = 8
SHOWN = {"full": "whole", "region": "lines", "outline": "outline", "name": "name"}
STYLES = {"full": "injected", "region": "injected", "outline": "accent", "name": "dim"}


@dataclass(slots=True)
class Wanted:
    """What the command line of ``ctxe plan`` asks for; without a task, standard input has it."""

    task: str = ""
    budget: int = 0
    as_json: bool = False
    contents: bool = False


def parsed(words: list[str]) -> Wanted | None:
    """A plain command line; None for what Typer should read."""
    read = OPTIONS.read(words)
    return None if read is None else Wanted(" ".join(read[1]), **read[0])


def show(invocation: Invocation, wanted: Wanted) -> None:
    """Print the plan; offline. The index is brought up to date first. Raises ConfigError."""
    from ctxe.project.planning.plan import plan
    from ctxe.terminal.progress import progress

    if wanted.budget < 0 or 0 < wanted.budget < LEAST:
        raise ConfigError(f"--budget {wanted.budget} holds no file", f"give {LEAST} tokens or more")
    task = wanted.task or _from_stdin()
    project, screen = invocation.project(), invocation.screen()
    with progress(screen, "indexing") as advance:
        made = plan(project, task, wanted.budget or project.config.shares.files_tokens, advance)
    if wanted.as_json:
        import json

        screen.say(json.dumps(to_json(made), ensure_ascii=False, indent=2))
    elif wanted.contents:
        screen.say("\n".join(file.text for file in made.files))
    else:
        screen.say(view(made, screen))


def _from_stdin() -> str:
    """The task on standard input. Raises ConfigError when a person would have to type it."""
    import sys

    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("plan needs a task", 'ctxe plan "what you want to change", or words on standard input')
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def view(made: Plan, screen: Screen) -> str:
    """A plan as people read it: files with bars, what is shown of each, and why."""
    from ctxe.terminal.figures import seconds
    from ctxe.terminal.style import line
    from ctxe.terminal.tables import Column, draw, table_lines

    if not made.files:
        return "no file of this project bears on that" if made.task.strip() else "nothing was changed here lately"
    columns = [
        Column("file", grows=True),
        *([Column("")] if screen.terminal else []),
        Column("tokens", right=True),
        Column("shown", style="dim"),
        Column("why", grows=True, wraps=screen.terminal),
    ]
    most = max(file.score for file in made.files)
    rows = table_lines(columns, [_row(file, most, screen) for file in made.files], screen)
    took = seconds(sum(made.timings_ms.values()) / 1000)
    left_out = len(made.left_out)
    foot = f"{made.tokens:,} of {made.budget:,} tokens, ranked in {took}"
    foot += f", {left_out} more files left out" if left_out else ""
    notes = [line((made.note, "warn"))] if made.note else []
    return draw([*rows, (), line((foot, "dim")), *notes], screen)


def _row(file: Planned, most: float, screen: Screen) -> list[Cell]:
    from ctxe.terminal.tables import bar_cell

    bar = [bar_cell(file.score, most, BAR, STYLES[file.mode], screen)] if screen.terminal else []
    return [file.path, *bar, f"{file.tokens:,}", SHOWN[file.mode], file.why]


def to_json(made: Plan) -> dict[str, Any]:
    """A plan as the public contract has it."""
    return {
        "task": made.task,
        "budget": made.budget,
        "tokens": made.tokens,
        "files": [
            {
                "path": file.path,
                "score": file.score,
                "tokens": file.tokens,
                "mode": file.mode,
                "ranges": [list(lines) for lines in file.ranges],
                "reasons": [
                    {"signal": reason.signal, "detail": reason.detail, "weight": reason.weight}
                    for reason in file.reasons
                ],
            }
            for file in made.files
        ],
        "left_out": [{"path": one.path, "score": one.score, "reason": one.reason} for one in made.left_out],
        "timings_ms": dict(made.timings_ms),
        "note": made.note,
    }
