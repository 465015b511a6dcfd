"""Listing the files of the code base with their sizes and times, by git or by a walk that obeys ignore files."""

from __future__ import annotations

import os
import stat
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, filterfalse, islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.lexical import tables
from ctxe.repo.git import Git, finish
from ctxe.storage import files

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".ctxeignore"
OUR_FOLDER = ".ctxe/"
CONTROL = pattern(r"[\x00-\x1f\x7f]")
MOST_FILES = 400_000
MOST_BYTES = 1_500_000
LONGEST_MEAN_LINE = 300
"""Characters per line on average above which a file counts as minified or encoded."""
MOST_RULES, LONGEST = 1_000_000, 4_096
"""Bytes of an ignore file that are read at most, and the length from which a line in it is skipped."""
NEVER = tables.word_set(
    ".git .hg .svn .bzr __pycache__ node_modules .pnpm-store site-packages .venv venv .tox .nox .eggs .mypy_cache"
    " .ruff_cache .pytest_cache .terraform"
)
"""Folders that programs fill. They are left out whether or not an ignore file names them, but for files git tracks."""
LISTING = ("ls-files", "-c", "-o", "--exclude-standard", *(f"--exclude={name}/" for name in sorted(NEVER)), "-z")
"""Arguments by which git lists the files of the code base, each ended by NUL."""


class ListedFile(NamedTuple):
    """One regular file: its path from the root with ``/``, its size in bytes, its modification time in nanoseconds."""

    path: str
    size: int
    mtime: int


class Columns(NamedTuple):
    """Regular files in the order of their paths, as one column for each attribute."""

    paths: list[str]
    sizes: array[int]
    mtimes: array[int]

    def only(self, keep: Sequence[bool]) -> Columns:
        """The files for which ``keep`` is true, in the same order."""
        sizes, mtimes = (array("q", compress(column, keep)) for column in self[1:])
        return Columns(list(compress(self.paths, keep)), sizes, mtimes)


def start_listing(git: Git) -> subprocess.Popen[bytes] | None:
    """Let git begin to list tracked and untracked files, so that other work can be done meanwhile."""
    if not any((folder / ".git").exists() for folder in (git.root, *git.root.parents)):
        return None
    return git.start(*LISTING)


def list_files(git: Git, started: subprocess.Popen[bytes] | None = None) -> list[ListedFile]:
    """Every regular file under the root that is not ignored, sorted by path; links and submodules are left out.

    So are names with control characters: a line end in a name would end the line that names it for the model.
    """
    return list(map(ListedFile, *list_columns(git, started)))


def list_columns(git: Git, started: subprocess.Popen[bytes] | None = None, expected: Sequence[str] = ()) -> Columns:
    """The same as columns, which are made and compared in a fraction of the time.

    ``expected`` are the paths of the last listing: their sizes and times are read while git is still listing.
    """
    likely = _existing_columns(git.root, list(expected))
    output = finish(started if started is not None else start_listing(git))
    text = "\0".join(islice(walk(git.root), MOST_FILES)) if output is None else os.fsdecode(output)
    names = text.split("\0")
    hidden = ignore_spec(git.root, IGNORE_FILE)
    if hidden is None and names == [*likely.paths, ""]:
        return likely
    paths: Iterable[str] = filter(None, dict.fromkeys(names))
    if hidden is not None:
        paths = (path for path in paths if not hidden.match_file(path))
    paths = islice(paths, MOST_FILES)
    if OUR_FOLDER in text or not text.replace("\0", "").isprintable():
        paths = (path for path in paths if not (path.startswith(OUR_FOLDER) or CONTROL.search(path)))
    listed = sorted(paths)
    others = list(filterfalse(set(likely.paths).__contains__, listed))  # new files, and links, which are left out
    if len(listed) == len(likely.paths) + len(others) and not _existing_columns(git.root, others).paths:
        return likely
    return _existing_columns(git.root, listed)


def _existing_columns(root: Path, paths: list[str]) -> Columns:
    """The regular files among ``paths``, with their sizes and times."""
    full_paths = map((os.fspath(root) + os.sep).__add__, paths)
    attributes = attrgetter("st_mode", "st_size", "st_mtime_ns")
    try:
        rows = list(map(attributes, map(os.lstat, full_paths)))
    except (OSError, ValueError):
        rows = [_stat_or_zeros(os.fspath(root) + os.sep + path) for path in paths]
    modes, sizes, mtimes = zip(*rows, strict=True) if rows else ((), (), ())
    columns = Columns(paths, array("q", sizes), array("q", mtimes))
    return columns if all(map(stat.S_ISREG, set(modes))) else columns.only(list(map(stat.S_ISREG, modes)))


def _stat_or_zeros(path: str) -> tuple[int, int, int]:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return 0, 0, 0
    return status.st_mode, status.st_size, status.st_mtime_ns


def walk(root: Path) -> Iterator[str]:
    """Paths below ``root`` in a tree without git, obeying the .gitignore files on the way; links are not followed."""
    rules: dict[str, GitIgnoreSpec] = {}
    for folder, folders, names in os.walk(root):
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        if ".gitignore" in names and (spec := ignore_spec(Path(folder), ".gitignore")):
            rules[prefix] = spec
        enclosing = [(base, spec) for base, spec in rules.items() if prefix.startswith(base)]

        def ignored(path: str, enclosing: list[tuple[str, GitIgnoreSpec]] = enclosing) -> bool:
            return any(spec.match_file(path[len(base) :]) for base, spec in enclosing)

        folders[:] = sorted(
            name
            for name in folders
            if name not in NEVER and not ignored(f"{prefix}{name}/") and not _nested(folder, name)
        )
        yield from (prefix + name for name in sorted(names) if name != ".git" and not ignored(prefix + name))


def _nested(folder: str, name: str) -> bool:
    """Whether a folder is a git repository itself."""
    return os.path.exists(os.path.join(folder, name, ".git"))  # noqa: PTH110, PTH118 (a walk of 100,000 folders)


def ignore_spec(folder: Path, name: str) -> GitIgnoreSpec | None:
    """The patterns of an ignore file (gitignore syntax); None when the file is missing or holds no pattern."""
    try:
        text = files.read(folder / name, MOST_RULES).decode("utf-8-sig", "replace")
    except StoreError:
        return None
    from pathspec import GitIgnoreSpec

    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#") and len(line) < LONGEST]
    if not lines:
        return None
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(filter(_valid, lines))


def _valid(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def read_text(root: Path, path: str, limit: int = MOST_BYTES, *, cut: bool = False) -> str | None:
    """The text of a file; None when it is missing, not a regular file, larger than ``limit`` bytes, or binary.

    So it is when a folder on its way is a link: git still lists what was there before. With ``cut`` a larger file is
    read up to the last line that ends within the limit.
    """
    if _is_behind_link(root, path):
        return None
    try:
        handle = os.open(
            f"{root}{os.sep}{path}", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        )
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or (status.st_size > limit and not cut):
            return None
        data = _read_at_most(handle, status.st_size, limit)
        return decode(data[: data.rfind(b"\n") + 1] if status.st_size > limit else data)
    except OSError:
        return None
    finally:
        os.close(handle)


def _is_behind_link(root: Path, path: str) -> bool:
    """Whether a folder between the root and a file is a symlink."""
    end = path.find("/")
    while end > 0:
        if os.path.islink(f"{root}{os.sep}{path[:end]}"):  # noqa: PTH114 (called for each file of an index)
            return True
        end = path.find("/", end + 1)
    return False


def _read_at_most(handle: int, size: int, limit: int) -> bytes:
    """The content of an open file, at most ``limit`` bytes; one read when it still has the expected ``size``."""
    data = os.read(handle, min(size + 1, limit))
    if len(data) == size:
        return data
    pieces, remaining = [data], limit - len(data)
    while remaining > 0 and (piece := os.read(handle, remaining)):
        pieces.append(piece)
        remaining -= len(piece)
    return b"".join(pieces)


def decode(data: bytes) -> str | None:
    """The bytes of a file as text, every line end a newline; None when they are binary.

    Decoded as UTF-16 after a byte order mark, else as UTF-8, else as Windows-1252 or Latin-1. Reading and editing tools
    share this function, so they see the same text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif b"\0" in data[:8192]:
        return None
    else:
        text = _decode_8_bit(data)
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode_8_bit(data: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def minified(text: str) -> bool:
    """Whether a text is minified code or encoded data, by the length of its lines."""
    return len(text) > 2000 and len(text) / (text.count("\n") + 1) > LONGEST_MEAN_LINE
