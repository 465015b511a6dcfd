"""Where tools work: the root, its bounds, and what of the world they are lent."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.section import digest_bytes
from ctxe.domain.value import dataclass, field
from ctxe.repo.files import IGNORE_FILE, list_files
from ctxe.repo.git import Git
from ctxe.repo.undo.rewrite import look, read
from ctxe.tools.text import Decoded, decode

KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link to itself",
}

PDF = b"%PDF-"
"""How a PDF begins; its first part may well look like text."""


@dataclass(frozen=True, slots=True)
class WorkspaceBounds:
    """Bounds in bytes, characters and seconds. Everything beyond ``text`` characters is cut before any trimming."""

    file: int = 16_000_000
    text: int = 2_000_000
    command_seconds: float = 120.0
    most_seconds: float = 1800.0
    search_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """The tree that tools work in.

    ``known`` gives the content hash of a file as the model last saw it, by its path, or nothing. ``secret`` says of a
    path that its content must not be read unless the user allows it, ``readable`` whether it may be read at all.
    ``sandboxed`` puts a command line into the sandbox, if one is active; ``walls`` says what that lets it do.
    ``environment`` is that of commands, cleaned of keys. ``search`` stands for PATH in tests. ``picture`` makes one of
    a file's name and bytes, and nothing of what is none; it raises CtxeError for one that cannot be shown.
    """

    git: Git
    known: Callable[[str], str | None]
    secret: Callable[[str], bool] = field(default=lambda _: False)
    readable: Callable[[str], bool] = field(default=lambda _: True)
    sandboxed: Callable[[Sequence[str]], Sequence[str]] = field(default=lambda argv: argv)
    walls: Callable[[], str] = field(default=lambda: "")
    environment: Mapping[str, str] = field(default_factory=dict)
    bounds: WorkspaceBounds = field(default_factory=WorkspaceBounds)
    search: Sequence[str] | None = None
    picture: Callable[[str, bytes], Picture | None] = field(default=lambda *_: None)

    @property
    def root(self) -> Path:
        """The folder that tools never leave."""
        return self.git.root


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file as it is now: its bytes' hash and its text."""

    path: str
    digest: str
    content: Decoded


def locate(workspace: Workspace, name: str) -> str:
    """The real path of a file or folder relative to the root, links resolved, ``.`` for the root itself.

    Raises ToolError for a path that leads outside. What is opened later is walked again without following links.
    """
    if not name.strip():
        raise ToolError("path is empty")
    _expressible(name)
    base = os.path.realpath(workspace.root)
    real = os.path.realpath(os.path.join(base, name))  # noqa: PTH118 (must not normalise before links are resolved)
    if not Path(real).is_relative_to(base):
        raise ToolError(f"{name} is outside of the project; tools work below its root only")
    return PurePosixPath(os.path.relpath(real, base)).as_posix()


def _expressible(name: str) -> None:
    """Raises ToolError for a name that no file can have: what stands for bytes that are no text is none of these."""
    if "\0" in name:
        raise ToolError("path holds a NUL character")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise ToolError(f"path holds U+{ord(name[error.start]):04X}, which no name of a file has") from None


def writable(workspace: Workspace, name: str) -> str:
    """The real path of a file that may be written. Raises ToolError also for git's own folder."""
    path = locate(workspace, name)
    if any(part.casefold() == ".git" for part in PurePosixPath(path).parts):
        raise ToolError(f"{path} belongs to git; use git itself, by run_command")
    if path == "." or name.endswith("/"):
        raise ToolError(f"{name} is a folder; give the path of a file")
    return path


def load(workspace: Workspace, name: str, path: str) -> TextFile:
    """A text file that exists and may be read. Raises ToolError in words that lead on."""
    return decoded(name, path, opened(workspace, name, path))


def opened(workspace: Workspace, name: str, path: str) -> bytes:
    """The bytes of a file that exists and may be read. Raises ToolError in words that lead on."""
    seen = look(workspace.root, path)
    if seen is None:
        raise ToolError(f"there is no file {name}{_instead(workspace, path)}")
    if stat.S_ISDIR(seen.st_mode):
        raise ToolError(f"{name} is a folder; list_files shows what is in it")
    if not stat.S_ISREG(seen.st_mode):
        raise ToolError(f"{name} is {KINDS.get(stat.S_IFMT(seen.st_mode), 'no regular file')}, not a text file")
    if not workspace.readable(path):
        raise ToolError(f"{name} is kept from you by {IGNORE_FILE}; ask for what you need of it")
    if workspace.secret(path):
        raise ToolError(f"{name} may hold secrets and is not read unless the user allows it; ask for what you need")
    if seen.st_size > workspace.bounds.file:
        raise ToolError(
            f"{name} is too large to read ({seen.st_size / 1e6:,.0f} MB); look into it by search, "
            "or by run_command with head, tail or sed -n"
        )
    try:
        return read(workspace.root, path, workspace.bounds.file)
    except StoreError as error:
        raise ToolError(error.message) from error


def decoded(name: str, path: str, data: bytes) -> TextFile:
    """A file's bytes as text. Raises ToolError for what is none."""
    content = None if data.startswith(PDF) else decode(data)
    if content is None:
        kind, hint = _magic(data)
        raise ToolError(f"{name} is binary ({len(data):,} bytes{kind}); only text can be read and edited{hint}")
    return TextFile(path, digest_bytes(data), content)


def current(workspace: Workspace, held: TextFile) -> None:
    """Refuse a file that the model has not seen as it is now. Raises ToolError."""
    known = workspace.known(held.path)
    if not known:
        raise ToolError(f"read {held.path} first: only a file whose text you have seen can be changed")
    if known != held.digest:
        raise ToolError(f"{held.path} changed since you last saw it; nothing was written, read it again")


def _instead(workspace: Workspace, path: str) -> str:
    """Files that were probably meant: those of the same name first, then those with a name much like it."""
    from rapidfuzz import fuzz, process

    paths = [listed.path for listed in list_files(workspace.git)]
    name = PurePosixPath(path).name
    same = [other for other in paths if other.rpartition("/")[2] == name]
    if same:
        same.sort(key=lambda other: (-fuzz.ratio(other, path), other))
        return f"; did you mean {' or '.join(same[:3])}?"
    close = process.extract(path, paths, scorer=fuzz.ratio, limit=3, score_cutoff=75)
    return f"; did you mean {' or '.join(other for other, _, _ in close)}?" if close else ""


def _magic(data: bytes) -> tuple[str, str]:
    """What a binary file is, for the commonest kinds, and which command looks into it."""
    for head, kind, hint in (
        (b"\x89PNG", "PNG image", ""),
        (b"\xff\xd8\xff", "JPEG image", ""),
        (b"GIF8", "GIF image", ""),
        (PDF, "PDF", "; `pdftotext -layout FILE -` prints its text where it is installed"),
        (b"PK\x03\x04", "zip archive", "; `unzip -l FILE` lists it, `unzip -p FILE PART` prints a part"),
        (b"\x1f\x8b", "gzip", "; `zcat FILE` or `tar tzf FILE` looks into it"),
        (b"\x7fELF", "program", ""),
        (b"SQLite format 3", "SQLite database", "; `sqlite3 -readonly FILE .schema` shows what it holds"),
    ):
        if data.startswith(head):
            return f", {kind}", hint
    return "", ""
