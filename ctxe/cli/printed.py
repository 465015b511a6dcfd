"""Printing for machines. Needs no Typer."""

from __future__ import annotations


def print_json(value: object) -> None:
    """One JSON value on standard output, keys in the order given, non-ASCII as it is."""
    import json
    import sys

    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=list) + "\n")
    sys.stdout.flush()
