"""The private file of one sign-in: tokens, when they expire, and the client they were issued to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.storage import files

MOST_BYTES = 200_000
"""Bytes of the file that are read."""
PRIVATE = 0o600
SECRET = ("access_token", "refresh_token", "id_token")


def read_record(path: Path) -> dict[str, Any]:
    """The content of a file: ``url``, ``tokens``, ``ends`` (seconds since 1970), ``client``, ``issuer``, ``resource``.

    Empty when the file is missing or damaged.
    """
    try:
        record = json.loads(files.read(path, MOST_BYTES)) if path.is_file() else {}
    except (StoreError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the file, readable by its owner only. Raises StoreError."""
    files.make_folder(path.parent)
    files.replace(path, json.dumps(record, sort_keys=True).encode(), PRIVATE)


def secrets(path: Path | None) -> tuple[str, ...]:
    """The values in a file that must not reach a model, a log or the screen."""
    record = read_record(path) if path else {}
    tables = [(record.get("tokens"), SECRET), (record.get("client"), ("client_secret",))]
    values = [table.get(key) for table, keys in tables if isinstance(table, Mapping) for key in keys]
    return tuple(value for value in values if isinstance(value, str) and value)
