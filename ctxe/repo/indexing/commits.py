"""Reading past commits from git, and where a shallow clone's past begins."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ctxe.domain.value import dataclass
from ctxe.repo.git import Git, stream

MOST_COMMITS = 10_000


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: ``name`` as ``short`` gives it, ``when`` in seconds since 1970, ``paths`` relative to the root."""

    name: int
    when: int
    message: str
    paths: tuple[str, ...]


def read_commits(git: Git, since: str = "", most: int = MOST_COMMITS) -> Iterator[Commit]:
    """Commits reachable from HEAD but not from ``since``, newest first, at most ``most``, without merges."""
    span = f"{since}..HEAD" if since else "HEAD"
    form = "--format=%x02%H%x00%ct%x00%B%x00%x03"
    process = git.start("log", "-z", f"-{most}", "--no-merges", "--no-renames", form, "--name-only", span, "--")
    for record in stream(process, b"\x02"):
        head, mark, names = record.partition(b"\x03")
        pieces = head.split(b"\0")
        if not mark or len(pieces) < 3 or not pieces[1].isdigit():
            continue
        paths = tuple(os.fsdecode(name) for name in names.lstrip(b"\0\n").split(b"\0") if name.strip(b"\n"))
        yield Commit(short(pieces[0].strip()), int(pieces[1]), pieces[2].decode("utf-8", "replace"), paths)


def short(name: bytes) -> int:
    """The first eight bytes of a commit's hash as a number, which is enough to tell commits apart."""
    return int(name[:16], 16)


def edge_of(git: Git) -> str:
    """The commits at which a shallow clone's past begins, as git's own file lists them; empty for a full clone."""
    shallow = git.root / ".git" / "shallow"
    try:
        return shallow.read_text("ascii") if shallow.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ""
