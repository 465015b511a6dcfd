"""Ids and file names that two branches never both choose, and the lookup of an entry by what a person types."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest, digest_bytes
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import OURS, Entry, folder_of, slug

_DECISION = pattern(r"(\d{4,9})-(?!\d\d-\d\d(?:\D|\Z))(?:.*-)?([0-9a-f]{4})?(?:\.md)?")
_OTHER = pattern(r"(?:.*-)?(\d{4,9})-([0-9a-f]{4})\.md")


@dataclass(frozen=True, slots=True)
class UsedNames:
    """The highest number and all file names in use, so that a new id collides with neither."""

    highest: int
    names: frozenset[str]


def hashed(data: bytes) -> str:
    """The first eight hex digits of a content hash."""
    return digest_bytes(data)[:8]


def used_names(folder: Path) -> UsedNames:
    """Numbers and names in use, from file names alone: opening 20,000 files to add one would take seconds."""
    found: set[str] = set()
    highest = 0
    for inside in ("decisions", "memory", "inbox", "failures"):
        try:
            listed = os.listdir(folder / inside)  # noqa: PTH208  # twice as fast, and only names are needed
        except OSError:
            continue
        found.update(listed)
        pattern = _DECISION if inside == "decisions" else _OTHER
        for name in listed:
            match = pattern.fullmatch(name)
            highest = max(highest, int(match[1])) if match else highest
    return UsedNames(highest, frozenset(found))


def new_id(entry: Entry, in_use: UsedNames, token: Callable[[int], str]) -> str:
    """An id for a new entry: the next number, or a failure's signature, and four hex digits.

    The digits are a hash of the content and random bytes, so another branch, another clone or the same words added
    again get different ones.
    """
    for _ in range(100):
        random = digest("\0".join((entry.title, entry.text, entry.created, token(8))))[:4]
        if entry.kind == "failure":
            name = f"{entry.signature[:8] or digest(entry.title + entry.text)[:8]}-{random}"
        else:
            name = f"{in_use.highest + 1:04d}-{random}"
        if not any(other.endswith(f"{name}.md") for other in in_use.names):
            return name
    raise RuntimeError("the source of randomness always gives the same")


def path_of(entry: Entry, name: str) -> str:
    """Path of the entry with this id, relative to the memory folder."""
    folder = "inbox" if entry.status == "proposed" else folder_of(entry.kind)
    if not OURS.fullmatch(name) and not (entry.kind == "failure" and re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}", name)):
        return f"{folder}/{slug(name, 60)}-{digest(name)[:8]}.md"
    if entry.kind == "failure":
        return f"{folder}/{name}.md"
    number, _, random = name.partition("-")
    words = slug(entry.title or entry.first_paragraph)
    if folder == "decisions":
        return f"{folder}/{number}-{words}-{random}.md"
    return f"{folder}/{words}-{number}-{random}.md"


def matching(entries: Sequence[Entry], ref: str) -> list[Entry]:
    """The entries that ``ref`` may mean, by the most exact reading with a match: id, path, number, prefix of an id."""
    ref = ref.strip().removeprefix(".ctxe/")
    exact = [entry for entry in entries if entry.id == ref]
    if exact or not ref:
        return exact
    ways: list[Callable[[Entry], bool]] = [
        lambda entry: entry.path == ref or entry.path.rpartition("/")[2] in (ref, f"{ref}.md"),
        lambda entry: ref.isdecimal() and ref.lstrip("0") == str(entry.number) and bool(OURS.fullmatch(entry.id)),
        lambda entry: entry.id.startswith(ref),
    ]
    for way in ways:
        found = [entry for entry in entries if way(entry)]
        if found:
            return found
    return []
