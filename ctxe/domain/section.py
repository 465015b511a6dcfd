"""Named, prioritised pieces of context and the sources that offer them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Literal, Protocol

from ctxe.domain.picture import Picture
from ctxe.domain.value import dataclass

Tier = Literal["full", "region", "outline", "name"]
Placement = Literal["tools", "system", "past", "task", "conversation"]
ShareName = Literal["memory", "instructions", "skills", "files"]


class Priority(IntEnum):
    """What is kept when space runs out: lower numbers first."""

    SYSTEM = 0
    TOOLS = 1
    TASK = 2
    MEMORY = 3
    INJECTED = 4
    RECENT = 5
    OLDER = 6


def digest(text: str) -> str:
    """Content hash of a text: 128 bits of BLAKE2b over its UTF-8 bytes, in hex; lone surrogates are accepted."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digest_bytes(data: bytes) -> str:
    """The same hash for bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Chunk:
    """The smallest piece that is kept or left out as a whole. ``why`` tells people the reason it is in.

    A piece of a file has its ``path`` and the content hash of the whole file (``of``). A ``picture`` is shown after the
    text.
    """

    id: str
    text: str
    why: str = ""
    tier: Tier = "full"
    path: str = ""
    of: str = ""
    picture: Picture | None = None

    @property
    def digest(self) -> str:
        """Content hash of text and picture, by which the ledger identifies the chunk."""
        return digest(f"{self.text}\0{self.picture.digest}" if self.picture else self.text)


@dataclass(frozen=True, slots=True)
class Omission:
    """Something that a source or the assembler left out, with its size in tokens and the reason."""

    id: str
    tokens: int
    why: str


@dataclass(frozen=True, slots=True)
class Section:
    """A named piece of context made of chunks, best first; only the longest prefix that fits is kept."""

    name: str
    priority: Priority
    chunks: tuple[Chunk, ...] = ()
    placement: Placement = "task"
    share: ShareName | None = None
    left_out: tuple[Omission, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """What context is wanted for: the user's words, and the files that the session touched or the user named.

    ``under_way``: the words came while the model worked, on files that are in view. ``sent_whole``: files sent in full
    with the words, or already before them. ``is_preview``: the words are not sent yet, so no host is contacted.
    """

    words: str = ""
    files: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    under_way: bool = False
    sent_whole: tuple[str, ...] = ()
    is_preview: bool = False


class Source(Protocol):
    """Offers sections for a task within a token limit. Never raises for bad project files."""

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """Sections of at most ``room`` tokens in total; what did not fit is listed in ``left_out``."""
        ...
