"""``ctxe skills``: domain modules and their cost in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.terminal.screen import Screen


def register(app: typer.Typer) -> None:
    """Add the ``skills`` group."""
    group = typer.Typer(help="Domain modules and their cost in tokens.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", help="Every module, and what it costs.")(list_)
    group.command("show", help="A module as the model gets it, and the price of its parts.")(show)
    group.command("new", help="Create a module of this project, or of your own.")(new)
    group.command("check", help="Check modules; exit code 1 when something is wrong.")(check)
    app.add_typer(group, name="skills")


def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Every module with its state and price, and the price of the list itself."""
    from ctxe.project.skills import inventory

    invocation = Invocation.of(context)
    project = invocation.project()
    rows = inventory.rows(project)
    if as_json:
        print_json(rows)
        return
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import Cell, Column, draw, table_with_details, without_empty_columns

    screen = invocation.screen()
    columns = [Column("name", style="accent"), Column("state"), Column("in list", right=True)]
    columns += [Column("loaded", right=True), Column("uses", right=True), Column("from", style="dim", grows=True)]
    body: list[list[Cell]] = [
        [
            row["name"],
            row["state"],
            str(row["line_tokens"] or ""),
            f"{row['tokens']:,}" if row["tokens"] else "",
            str(row["uses"] or ""),
            row["where"].partition(":")[0],
        ]
        for row in rows
    ]
    descriptions = [row["problem"] or row["description"] for row in rows]
    groups = (
        table_with_details(*without_empty_columns(columns, body, screen), "for", descriptions, screen) if body else []
    )
    drawn = draw([table_line for group in groups for table_line in group], screen)
    screen.say(drawn or "there are no skills: `ctxe skills new NAME`")
    cost = inventory.listed(project)
    shortened = f" ({cost['says']})" if cost["says"] else ""
    text = f"in tokens: the list takes {cost['tokens']:,} of every request{shortened}, a module more once it is loaded"
    screen.say(draw(fold(line(text), screen.width), screen))


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="name of a module")],
    as_json: JsonOption = False,
) -> None:
    """A module as the model gets it, with the price of its parts. Raises ConfigError."""
    from ctxe.project.skills import inventory

    invocation = Invocation.of(context)
    module = inventory.whole(invocation.project(), name)
    if as_json:
        print_json(module)
        return
    from ctxe.cli.memory_pages import print_prose

    screen = invocation.screen()
    screen.say("\n\n".join([_facts(module, screen), print_prose(module["text"], screen)]))


def _facts(module: dict[str, Any], screen: Screen) -> str:
    from ctxe.terminal.tables import Cell, Column, table

    files = ", ".join(f"{part['path']} ({part['tokens']:,})" for part in module["files"])
    facts = [
        ("skill", module["name"]),
        ("from", f"{module['where']}, {module['folder']}"),
        ("for", module["description"]),
        ("costs", f"{module['line_tokens']} tokens in the list, {module['tokens']:,} when loaded"),
        ("about", ", ".join(module["scope"])),
        ("tools", ", ".join(module["tools"])),
        ("files", files),
        ("to fix", "; ".join(module["faults"])),
    ]
    rows: list[list[Cell]] = [[key, value] for key, value in facts if value]
    return table([Column("", style="dim"), Column("", wraps=True)], rows, screen)


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="lower-case words joined by hyphens")],
    description: Annotated[str, typer.Argument(help="what it is for, in the words of tasks")] = "",
    user: Annotated[bool, typer.Option("--user", help="For all your projects, in your ctxe folder.")] = False,
) -> None:
    """Create a module. Raises ConfigError, StoreError."""
    from ctxe.project.skills import inventory

    invocation = Invocation.of(context)
    path = inventory.create(invocation.project(), name, description, own=user)
    invocation.screen().say(f"{path}\nwrite it, then `ctxe skills check {name}`")


def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="name or folder of a module; without it, all of yours")] = "",
    as_json: JsonOption = False,
) -> None:
    """Check one module, or all of the user's; exit code 1 when one has a fault. Raises CtxeError."""
    from ctxe.project.skills import inventory

    invocation = Invocation.of(context)
    modules_checked = inventory.checked(invocation.project(), name)
    faulty = [module for module in modules_checked if module["problem"] or module["faults"]]
    if as_json:
        print_json(modules_checked)
    else:
        screen = invocation.screen()
        for module in faulty:
            for fault in [module["problem"], *module["faults"]]:
                if fault:
                    screen.say(f"{module['where']}: {fault}")
        summary = f"{len(modules_checked)} checked, {len(faulty)} with something to fix"
        screen.say(
            summary
            if modules_checked
            else "there are no modules of your own to check: `ctxe skills new NAME` begins one"
        )
    if faulty:
        raise typer.Exit(1)
