"""Shared by listings: the --json option and printing for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.json_output import print_json

__all__ = ["JsonOption", "print_json"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
