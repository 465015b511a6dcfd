"""The workspace of the tools: its root, its limits, and functions from outside that tools may use."""

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
"""The first bytes of a PDF, which may look like text for a long way."""


@dataclass(frozen=True, slots=True)
class WorkspaceBounds:
    """Limits in bytes (``file``), characters (``text``) and seconds. Longer texts are cut before any trimming."""

    file: int = 16_000_000
    text: int = 2_000_000
    command_seconds: float = 120.0
    most_seconds: float = 1800.0
    search_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """The tree that tools work in.

    ``seen_digest`` gives the content hash of a file, by path, as the model last saw it, or None. ``is_secret`` tells
    whether a path must not be read unless the user allows it, ``is_readable`` whether it may be read at all.
    ``wrap_command`` wraps a command line in the sandbox, if one is active, and ``sandbox_notice`` describes what that
    allows. ``environment`` is for commands, without keys. ``search`` replaces PATH in tests. ``to_picture`` makes a
    picture from a file's name and bytes, None when they are not one; it raises CtxeError for one that cannot be shown.
    """

    git: Git
    seen_digest: Callable[[str], str | None]
    is_secret: Callable[[str], bool] = field(default=lambda _: False)
    is_readable: Callable[[str], bool] = field(default=lambda _: True)
    wrap_command: Callable[[Sequence[str]], Sequence[str]] = field(default=lambda argv: argv)
    sandbox_notice: Callable[[], str] = field(default=lambda: "")
    environment: Mapping[str, str] = field(default_factory=dict)
    bounds: WorkspaceBounds = field(default_factory=WorkspaceBounds)
    search: Sequence[str] | None = None
    to_picture: Callable[[str, bytes], Picture | None] = field(default=lambda *_: None)

    @property
    def root(self) -> Path:
        """The folder that tools never leave."""
        return self.git.root


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file: the hash of its bytes, and its text."""

    path: str
    digest: str
    content: Decoded


def locate(workspace: Workspace, name: str) -> str:
    """The real path of a file or folder relative to the root, symlinks resolved; ``.`` for the root itself.

    Raises ToolError for a path outside. A symlink that appears later leads nowhere: files are opened without following
    any.
    """
    if not name.strip():
        raise ToolError("path is empty")
    _check_name(name)
    base = os.path.realpath(workspace.root)
    real = os.path.realpath(os.path.join(base, name))  # noqa: PTH118 (must not normalise before links are resolved)
    if not Path(real).is_relative_to(base):
        raise ToolError(f"{name} is outside of the project; tools work below its root only")
    return PurePosixPath(os.path.relpath(real, base)).as_posix()


def _check_name(name: str) -> None:
    """Raise ToolError for a name that no file can have."""
    if "\0" in name:
        raise ToolError("path holds a NUL character")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise ToolError(f"path holds U+{ord(name[error.start]):04X}, which no name of a file has") from None


def writable_path(workspace: Workspace, name: str) -> str:
    """The real path of a file that may be written. Raises ToolError, also for paths in .git."""
    path = locate(workspace, name)
    if any(part.casefold() == ".git" for part in PurePosixPath(path).parts):
        raise ToolError(f"{path} belongs to git; use git itself, by run_command")
    if path == "." or name.endswith("/"):
        raise ToolError(f"{name} is a folder; give the path of a file")
    return path


def load_text(workspace: Workspace, name: str, path: str) -> TextFile:
    """A text file that exists and may be read. Raises ToolError, with a hint what to do instead."""
    return to_text_file(name, path, read_bytes(workspace, name, path))


def read_bytes(workspace: Workspace, name: str, path: str) -> bytes:
    """The bytes of a file that exists and may be read. Raises ToolError, with a hint what to do instead."""
    status = look(workspace.root, path)
    if status is None:
        raise ToolError(f"there is no file {name}{_did_you_mean(workspace, path)}")
    if stat.S_ISDIR(status.st_mode):
        raise ToolError(f"{name} is a folder; list_files shows what is in it")
    if not stat.S_ISREG(status.st_mode):
        raise ToolError(f"{name} is {KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}, not a text file")
    if not workspace.is_readable(path):
        raise ToolError(f"{name} is kept from you by {IGNORE_FILE}; ask for the part you need")
    if workspace.is_secret(path):
        raise ToolError(f"{name} may hold secrets and is not read unless the user allows it; ask for what you need")
    if status.st_size > workspace.bounds.file:
        raise ToolError(
            f"{name} is too large to read ({status.st_size / 1e6:,.0f} MB); look into it by search, "
            "or by run_command with head, tail or sed -n"
        )
    try:
        return read(workspace.root, path, workspace.bounds.file)
    except StoreError as error:
        raise ToolError(error.message) from error


def to_text_file(name: str, path: str, data: bytes) -> TextFile:
    """A file's bytes as text. Raises ToolError for a binary file."""
    content = None if data.startswith(PDF) else decode(data)
    if content is None:
        kind, hint = _magic(data)
        raise ToolError(f"{name} is binary ({len(data):,} bytes{kind}); only text can be read and edited{hint}")
    return TextFile(path, digest_bytes(data), content)


def require_seen(workspace: Workspace, file: TextFile) -> None:
    """Raise ToolError for a file whose present content the model has not seen."""
    seen = workspace.seen_digest(file.path)
    if not seen:
        raise ToolError(f"read {file.path} first: only a file whose text you have seen can be changed")
    if seen != file.digest:
        raise ToolError(f"{file.path} changed since you last saw it; nothing was written, read it again")


def _did_you_mean(workspace: Workspace, path: str) -> str:
    """Words that name files probably meant: those of the same name, or else with a similar path; empty for none."""
    from rapidfuzz import fuzz, process

    paths = [listed.path for listed in list_files(workspace.git)]
    name = PurePosixPath(path).name
    same_name = [other for other in paths if other.rpartition("/")[2] == name]
    if same_name:
        same_name.sort(key=lambda other: (-fuzz.ratio(other, path), other))
        return f"; did you mean {' or '.join(same_name[:3])}?"
    similar = process.extract(path, paths, scorer=fuzz.ratio, limit=3, score_cutoff=75)
    return f"; did you mean {' or '.join(other for other, _, _ in similar)}?" if similar else ""


def _magic(data: bytes) -> tuple[str, str]:
    """(kind, hint) of a binary file of a common kind: its name, and a command that looks into it."""
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
