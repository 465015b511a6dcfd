"""What listings share: the --json option and printing for machines."""

from __future__ import annotations

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


def print_json(value: object) -> None:
    """One JSON value on standard output, keys in the order given, non-ASCII as it is."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=list))
