"""Printing for machines. Needs no Typer."""

from __future__ import annotations

from typing import TextIO


def print_json(value: object) -> None:
    """One JSON value on standard output, keys in the order given."""
    print_line(value, indent=2)


def print_line(value: object, indent: int | None = None) -> None:
    """A value as JSON on standard output, by default on one line."""
    import sys

    sys.stdout.write(json_for(sys.stdout, value, indent) + "\n")
    sys.stdout.flush()


def json_for(stream: TextIO, value: object, indent: int | None = None) -> str:
    """A value as JSON, non-ASCII as it is.

    Pure ASCII where the stream cannot hold all of it, and on a terminal, where a letter could be a control character.
    """
    import json

    text = json.dumps(value, ensure_ascii=stream.isatty(), indent=indent, default=list)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:  # also of bytes of a command line that are no text, which Python keeps as half letters
        return json.dumps(value, indent=indent, default=list)
    return text
