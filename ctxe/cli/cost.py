"""``ctxe cost``: money and tokens by session, day and model."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the ``cost`` command."""
    app.command("cost", help="Money and tokens by session, day and model.")(cost)


def cost(
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="session, day or model.")] = "day",
    as_json: JsonOption = False,
) -> None:
    """What the sessions of this project took."""
    from ctxe.project.sessions import summaries, sums
    from ctxe.terminal.figures import money, size
    from ctxe.terminal.tables import Column, table

    invocation = Invocation.of(context)
    found = summaries(invocation.project().place.sessions)
    if by not in ("session", "day", "model"):
        raise typer.BadParameter("session, day or model", param_hint="--by")
    table_of = sums(
        ({"session": s.id, "day": one.at[:10], "model": one.model}[by], one) for s in found for one in s.spent
    )
    cached = sum(one.usage.cache_read for s in found for one in s.spent)
    if as_json:
        names = ("replies", "input", "output", "usd")
        print_json({key: dict(zip(names, row, strict=True)) for key, row in sorted(table_of.items())})
        return
    screen = invocation.screen()
    if not table_of:
        screen.say("nothing was spent here yet")
        return
    rows = [
        [k, str(n), size(i), size(o), "no price" if u is None else money(u)]
        for k, (n, i, o, u) in sorted(table_of.items())
    ]
    total = [u for _, _, _, u in table_of.values() if u is not None]
    right: list[Column | str] = [Column(name, right=True) for name in ("replies", "input", "output", "cost")]
    screen.say(table([by, *right], rows, screen))
    took = sum(i for _, i, _, _ in table_of.values())
    share = f"{100 * cached // took} % of the input came from the cache" if took else ""
    screen.say(f"{money(sum(total)) if total else 'no known price'} in all; {share}")
