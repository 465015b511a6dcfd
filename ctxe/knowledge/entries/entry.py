"""An entry of the project memory: a Markdown file with front matter, read into a value and written back."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field, fields, replace
from ctxe.knowledge.entries.front import parse, rewrite
from ctxe.knowledge.entries.scalars import Value

FOLDERS = {"decision": "decisions", "failure": "failures"}
"""Folder of each kind of entry; kinds not listed live in ``memory``."""

KINDS = frozenset(("decision", "fact", "preference", "routine", "failure", "log"))
LISTS = ("scope", "files", "evidence", "supersedes", "state")
OURS = pattern(r"(\d{4,9})-[0-9a-f]{4}")
MOST_TEXT = 100_000
"""Characters of a body that are used; the rest stays in the file."""
MOST_VALUE, MOST_ITEMS = 4_000, 1_000
"""Characters of a front matter value and items of a list that are used."""
_TITLE = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One remembered thing. ``path`` is relative to the memory folder; lists are tuples, everything else is a string.

    ``ts`` is the time an import gave (unix seconds or any growing number); it is empty for entries written here. Only
    failures use the fields from ``signature`` on: ``call`` is the exact call, with whitespace and the project's folder
    normalized, ``state`` the files it depends on as ``path@hash``. ``extra`` holds keys that ctxe does not know,
    ``problems`` what is wrong with the file.
    """

    id: str
    kind: str = "fact"
    title: str = ""
    status: str = "current"
    created: str = ""
    by: str = "user"
    session: str = ""
    turn: str = ""
    ts: str = ""
    scope: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    signature: str = ""
    command: str = ""
    error: str = ""
    tried: str = ""
    outcome: str = ""
    fix: str = ""
    first_seen: str = ""
    call: str = ""
    state: tuple[str, ...] = ()
    text: str = ""
    path: str = ""
    extra: Mapping[str, Value] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def time(self) -> float:
        """``ts`` if there is one, else ``created`` in unix seconds, else 0."""
        return moment(self.ts) if self.ts else moment(self.created)

    @property
    def number(self) -> int:
        """The leading number of an id that ctxe made; 0 for any other id."""
        match = OURS.fullmatch(self.id)
        return int(match[1]) if match else 0

    @property
    def first_paragraph(self) -> str:
        """The part of the text shown when room is short."""
        return self.text.split("\n\n", 1)[0].strip()


KEYS = tuple(item.name for item in fields(Entry) if item.name not in {"text", "path", "extra", "problems"})
_KNOWN = frozenset(KEYS)


def moment(text: str) -> float:
    """Unix seconds of an ISO time (UTC if it has no zone) or of a number as text; 0 for anything else."""
    try:
        seconds = float(text)
        return seconds if math.isfinite(seconds) else 0.0
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def stamp(seconds: float) -> str:
    """ISO time in UTC with whole seconds, the format of ``created``; empty for a time outside the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""


def read_entry(data: bytes, path: str) -> Entry:
    """The entry in a file. Never raises. Missing id, kind and title are derived from path and text."""
    page = parse(data)
    values = page.values()
    text = page.text()
    problems = page.problems
    if len(text) > MOST_TEXT:
        text, problems = text[:MOST_TEXT], (*problems, f"only its first {MOST_TEXT:,} characters are used")
    known: dict[str, Any] = {
        key: _as_list(value) if key in LISTS else _as_text(value) for key, value in values.items() if key in _KNOWN
    }
    bounded: dict[str, Any] = {key: _truncated(value) for key, value in known.items()}
    long = [key for key in known if known[key] != bounded[key]]
    known, problems = bounded, (*problems, *(f"only the beginning of {key} is used" for key in long))
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".md")
    known["id"] = known.get("id") or (stem if folder == "failures" else path.removesuffix(".md"))
    known["kind"] = known.get("kind") or _kind_of(folder)
    if known["kind"] not in KINDS and not known.get("ts"):  # an import may have kinds of its own
        problems = (*problems, f"its kind {known['kind']} is unknown; kinds are {', '.join(sorted(KINDS))}")
    known["status"] = _status_of(folder, str(known["kind"]), str(known.get("status", "")))
    known["title"] = known.get("title") or _headline(text) or stem
    extra = {key: value for key, value in values.items() if key not in _KNOWN}
    return Entry(**known, text=text, path=path, extra=extra, problems=problems)


def write_entry(entry: Entry) -> bytes:
    """The bytes of a new file for the entry; empty keys are left out."""
    entry = cleaned(entry)
    fields_set: dict[str, Value | None] = {key: getattr(entry, key) for key in KEYS if getattr(entry, key)}
    return rewrite(b"", {**fields_set, **entry.extra}, entry.text)


def update_entry(data: bytes, old: Entry, new: Entry) -> bytes:
    """The bytes of ``old``'s file with only the lines of the fields that differ in ``new`` rewritten."""
    clean = cleaned(new)
    changes: dict[str, Value | None] = {
        key: getattr(clean, key) or None for key in KEYS if getattr(new, key) != getattr(old, key)
    }
    for key in {**old.extra, **new.extra}:
        if old.extra.get(key) != new.extra.get(key):
            changes[key] = new.extra.get(key)
    return rewrite(data, changes, None if new.text == old.text else clean.text)


def cleaned(entry: Entry) -> Entry:
    """The entry as a file can hold it: no lone surrogates or NULs, a one-line title, no blank lines around the body."""

    def clean(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(clean(item)) for item in value)
        text = value.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    values: dict[str, Any] = {key: clean(getattr(entry, key)) for key in (*KEYS, "text")}
    values["text"] = str(values["text"]).strip("\n")
    values["title"] = " ".join(str(values["title"]).split())[:_TITLE]
    return replace(entry, **values)


def slug(words: str, most: int = 48) -> str:
    """A file name from the first words: lower case ASCII letters, digits and dashes; "entry" if nothing is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode("ascii").lower()
    name = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(name) > most:
        name = name[:most].rsplit("-", 1)[0]
    return name or "entry"


def brief(words: str, room: int) -> str:
    """The words on one line, cut to ``room`` characters."""
    words = " ".join(words.split())
    return words if len(words) <= room else words[: room - 1] + "…"


def folder_of(kind: str) -> str:
    """The folder for entries of this kind, relative to the memory folder."""
    return FOLDERS.get(kind, "memory")


def _kind_of(folder: str) -> str:
    return next((kind for kind, home in FOLDERS.items() if home == folder), "fact")


def _status_of(folder: str, kind: str, status: str) -> str:
    if folder == "inbox":
        return "proposed"
    if kind == "failure" and status in ("", "current"):
        return "open"
    return status or "current"


def _headline(text: str) -> str:
    for line in text.splitlines():
        words = line.strip().lstrip("#").strip()
        if words:
            return words[:_TITLE]
    return ""


def _as_text(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _truncated(value: Value) -> Value:
    return value[:MOST_VALUE] if isinstance(value, str) else tuple(item[:MOST_VALUE] for item in value[:MOST_ITEMS])


def _as_list(value: Value) -> tuple[str, ...]:
    """The items of a list; a scalar is split at line ends and at commas, except commas in the braces of a glob."""
    if isinstance(value, tuple):
        return value
    parts = re.split(r"[,\n](?![^{]*\})", value)
    return tuple(part for part in (piece.strip().lstrip("-").strip().strip("\"'") for piece in parts) if part)
