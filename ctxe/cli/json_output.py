"""Printing for programs. Needs no Typer."""

from __future__ import annotations

from typing import TextIO

from ctxe.domain.jsonl import json_text


def print_json(value: object) -> None:
    """Print one JSON value to standard output, keys in the order given."""
    print_line(value, indent=2)


def print_line(value: object, indent: int | None = None) -> None:
    """Print a value as JSON to standard output, by default on one line."""
    import sys

    sys.stdout.write(json_for(sys.stdout, value, indent) + "\n")
    sys.stdout.flush()


def json_for(stream: TextIO, value: object, indent: int | None = None) -> str:
    """A value as JSON; pure ASCII on a terminal, where other characters could be control characters."""
    encoding = "ascii" if stream.isatty() else stream.encoding or "utf-8"
    return json_text(value, encoding, indent=indent, default=list)
