"""``ctxe config``: every setting, where it comes from, and changing one."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the ``config`` group."""
    group = typer.Typer(help="Show and change settings.", no_args_is_help=True, rich_markup_mode=None)
    group.command("show", help="Every setting, its value and where it comes from.")(show)
    group.command("get", help="One setting's value.")(get)
    group.command("set", help="Change one setting in your own file.")(put)
    group.command("path", help="Where settings are read from.")(path)
    app.add_typer(group, name="config")


def _values(context: typer.Context) -> dict[str, tuple[object, str]]:
    project = Invocation.of(context).project()
    return project.settings()


def show(context: typer.Context, as_json: JsonOption = False) -> None:
    """Every setting with its origin."""
    from ctxe.terminal.tables import Column, table

    invocation = Invocation.of(context)
    values = _values(context)
    if as_json:
        print_json({key: {"value": value, "origin": origin} for key, (value, origin) in values.items()})
        return
    screen = invocation.screen()
    rows = [[key, _as_text(value), origin] for key, (value, origin) in values.items()]
    columns: list[Column | str] = [
        "setting",
        Column("value", grows=True, wraps=True),
        Column("from", grows=True, wraps=True),
    ]
    screen.say(table(columns, rows, screen))


def get(
    context: typer.Context, key: Annotated[str, typer.Argument(help="section.key")], as_json: JsonOption = False
) -> None:
    """One setting. Raises ConfigError for an unknown key."""
    from ctxe.config import require

    values = _values(context)
    require(key)
    value = values[key][0]
    if as_json:
        print_json(value)
    else:
        Invocation.of(context).screen().say(_as_text(value))


def put(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="section.key")],
    value: Annotated[str, typer.Argument(help="its new value; a list is written with commas")],
) -> None:
    """Validate a value and save it in the user's file. Raises ConfigError, StoreError."""
    from ctxe.config import parse_setting, save_setting, user_file

    invocation = Invocation.of(context)
    parsed = parse_setting(key, value)
    file = user_file(invocation.project().environment)
    save_setting(file, key.split(".", 1), parsed)
    invocation.screen().say(f"{key} = {_as_text(parsed)} ({file})")


def path(context: typer.Context) -> None:
    """The settings files, in the order they are read."""
    from ctxe.config import PROJECT_FILE, user_file

    invocation = Invocation.of(context)
    project = invocation.project()
    for file in (user_file(project.environment), project.root / PROJECT_FILE):
        invocation.screen().say(f"{file}{'' if file.exists() else '  (not there)'}")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
