"""What is kept of a sign-in at an address, one private file of the user's: tokens, when they end, and for whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.storage import files

MOST = 200_000
"""Bytes of the file that are looked at."""
PRIVATE = 0o600
SECRET = ("access_token", "refresh_token", "id_token")


def read_record(path: Path) -> dict[str, Any]:
    """What a file holds: ``url``, ``tokens``, ``ends`` (seconds since 1970), ``client``, ``issuer``, ``resource``.

    Empty where there is none, or none that can be read.
    """
    try:
        held = json.loads(files.read(path, MOST)) if path.is_file() else {}
    except (StoreError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write it, for nobody else to read. Raises StoreError."""
    files.make_folder(path.parent)
    files.replace(path, json.dumps(record, sort_keys=True).encode(), PRIVATE)


def secrets(path: Path | None) -> tuple[str, ...]:
    """The values in it that must reach no model, no log and no screen."""
    held = read_record(path) if path else {}
    tables = [(held.get("tokens"), SECRET), (held.get("client"), ("client_secret",))]
    found = [table.get(key) for table, keys in tables if isinstance(table, Mapping) for key in keys]
    return tuple(one for one in found if isinstance(one, str) and one)
