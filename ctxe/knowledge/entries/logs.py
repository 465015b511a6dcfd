"""Bulk logs of the memory folder: JSON lines, one entry per line, merged by git line by line and read tolerantly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ctxe.knowledge.entries.entry import LISTS, MOST_TEXT, Entry, moment, stamp

WORDS = (
    *("id", "kind", "title", "status", "created", "by", "session", "turn"),
    *("signature", "command", "error", "tried", "outcome", "fix", "first_seen", "call"),
)
_SAID = (*WORDS, "text", *LISTS)
MOST_LINE = 1_000_000
"""Longest line, in bytes, that is parsed."""


def read_log(data: bytes, path: str) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The entries of a log and its problems, one per bad line. If an id occurs twice, the last line counts."""
    found: dict[str, Entry] = {}
    problems: list[str] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = from_object(parse_object(line), path)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        found.pop(entry.id, None)
        found[entry.id] = entry
    return tuple(found.values()), tuple(problems)


def parse_object(line: bytes | str) -> Mapping[str, Any]:
    """One JSON object. Raises ValueError with a short message for the user."""
    if len(line) > MOST_LINE:
        raise ValueError(f"longer than {MOST_LINE:,} bytes")
    try:
        value = json.loads(line)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if isinstance(value, dict):
        return value
    raise ValueError("no JSON object")


def from_object(held: Mapping[str, Any], path: str = "") -> Entry:
    """The entry in an imported object; unknown keys are ignored. Raises ValueError if it has no id."""
    words = {key: _text(held.get(key)) for key in WORDS}
    if not words["id"]:
        raise ValueError("no id")
    kind = words["kind"] or "fact"
    ts = _number(held.get("ts"))
    # ``to_object`` writes the creation time of an entry made here as ``ts``: that is not the time of an import.
    written_here = words["by"] not in ("", "import") and ts is not None and ts == moment(words["created"])
    values: dict[str, Any] = {
        **words,
        **{key: _texts(held.get(key)) for key in LISTS},
        "kind": kind,
        "status": words["status"] or ("open" if kind == "failure" else "current"),
        "created": words["created"] or (stamp(ts) if ts is not None and ts > 0 else ""),
        "by": words["by"] or "import",
        "ts": "" if ts is None or written_here else repr(ts),
    }
    return Entry(**values, text=_text(held.get("text"))[:MOST_TEXT], path=path)


def to_object(entry: Entry) -> dict[str, Any]:
    """The object that ``from_object`` reads back; empty keys are left out, ``ts`` is a number."""
    fields: dict[str, Any] = {key: value for key in _SAID if (value := getattr(entry, key))}
    if entry.ts or entry.created:
        at = entry.time
        fields["ts"] = int(at) if at == int(at) else at
    return fields


def write_log(entries: Iterable[Entry]) -> bytes:
    """One JSON line per entry."""
    return b"".join(json.dumps(to_object(entry), ensure_ascii=True).encode() + b"\n" for entry in entries)


def replaced(data: bytes, lines: Mapping[str, bytes]) -> bytes:
    """A log with the lines of these ids replaced, removed where empty, or appended if missing; other bytes are kept."""
    kept: list[bytes] = []
    used: set[str] = set()
    for line in data.splitlines(keepends=True):
        name = _id_of(line)
        if name not in lines:
            kept.append(line)
        elif name not in used:
            used.add(name)
            kept.append(lines[name])
    if kept and not kept[-1].endswith(b"\n"):
        kept[-1] += b"\n"
    return b"".join(kept) + b"".join(line for name, line in lines.items() if name not in used)


def _id_of(line: bytes) -> str:
    try:
        return _text(parse_object(line).get("id"))
    except ValueError:
        return ""


def _text(value: object) -> str:
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for text in map(_text, value) if text)
    text = _text(value)
    return (text,) if text else ()


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = value if isinstance(value, int) else float(value)
        return number if math.isfinite(number) else None
    except (ValueError, OverflowError):
        return None
