"""list_files: the project's files by folder, without ignored ones, as deep as fits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.repo.files import IGNORE_FILE, MOST_FILES, NEVER, ignore_spec, walk
from ctxe.repo.files import list_files as project_files
from ctxe.repo.undo.rewrite import look
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import COUNT, STRING, describe
from ctxe.tools.workspace import Workspace, locate

INTERNAL_FOLDERS = (".git", ".ctxe")
"""Folders of git and of ctxe, which hold no project files."""
MOST_NAMES = 300
"""Most names in one result; deeper folders are shown only by their number of files to stay below it."""


def list_files(workspace: Workspace) -> Tool:
    """The tool. One line for each folder: its path, then its files; folders below ``depth`` only by number of files."""
    schema = describe("list_files", {"path": STRING, "pattern": STRING, "depth": COUNT})

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        path = locate(workspace, parsed.get("path") or ".")
        pattern, depth = parsed.get("pattern") or "", parsed.get("depth")
        title = " ".join(part for part in ("list", path if path != "." else "files", pattern) if part)
        return Action("list_files", title, Risk.READ, without_progress(partial(_run, workspace, path, pattern, depth)))

    return Tool(schema, Risk.READ, prepare)


def _run(workspace: Workspace, folder: str, pattern: str, depth: int | None) -> ToolOutput:
    status = look(workspace.root, folder) if folder != "." else None
    if folder != "." and status is None:
        raise ToolError(f"there is no folder {folder}")
    prefix = "" if folder == "." else folder + "/"
    paths = [listed.path for listed in project_files(workspace.git) if (listed.path + "/").startswith(prefix)]
    if paths == [folder]:
        return ToolOutput(f"{folder} is a file ({status.st_size if status else 0:,} bytes); read_file shows it")
    if not paths and folder != ".":
        return ToolOutput(_one_level(workspace, folder))
    wanted = [path for path in paths if matches(path[len(prefix) :], pattern)] if pattern else paths
    if not wanted:
        raise ToolError(f"no file below {folder} matches {pattern}" if pattern else "the project has no files yet")
    listed = grouped([path[len(prefix) :] for path in wanted], depth, prefix)
    return ToolOutput(listed, kind="search", facts={"files": len(wanted)})


def below(workspace: Workspace, folder: str) -> list[str]:
    """The project's files in a folder, or the file itself.

    For a folder that git's list leaves out as a whole, such as an ignored dependency or an inner repository, the files
    that are really in it.
    """
    prefix = "" if folder == "." else folder + "/"
    paths = [listed.path for listed in project_files(workspace.git) if (listed.path + "/").startswith(prefix)]
    if paths or not prefix or any(part in INTERNAL_FOLDERS for part in folder.split("/")):
        return paths
    all_paths = [folder] if (workspace.root / folder).is_file() else map(prefix.__add__, walk(workspace.root / folder))
    hidden = ignore_spec(workspace.root, IGNORE_FILE)
    shown = (path for path in islice(all_paths, MOST_FILES) if workspace.is_readable(path))
    return [path for path in shown if hidden is None or not hidden.match_file(path)]


def matches(path: str, pattern: str) -> bool:
    """Whether a path matches a glob: ``*`` within a name, ``**`` across folders; without ``/`` only the name counts."""
    pattern = re.sub(r"(?:\*\*/)+", "**/", pattern.removeprefix("./").removeprefix("/"))
    parts = tuple(path.split("/")) if "/" in pattern else (path.rpartition("/")[2],)
    return any(_fits(parts, tuple(choice.split("/"))) for choice in _choices(pattern))


def _fits(parts: tuple[str, ...], globs: tuple[str, ...]) -> bool:
    if not globs:
        return not parts
    if globs[0] != "**":
        return bool(parts) and fnmatchcase(parts[0], globs[0]) and _fits(parts[1:], globs[1:])
    if len(globs) == 1:
        return bool(parts)
    return any(_fits(parts[skipped:], globs[1:]) for skipped in range(len(parts)))


def _choices(pattern: str) -> list[str]:
    """Expand ``{a,b}`` into several patterns; beyond a hundred, braces are left as they are."""
    expanded: list[str] = []
    pending = [pattern]
    while pending and len(expanded) + len(pending) <= 100:
        part = pending.pop()
        if (braces := re.search(r"\{([^{}]*)\}", part)) is None:
            expanded.append(part)
        else:
            pending += [part[: braces.start()] + choice + part[braces.end() :] for choice in braces[1].split(",")]
    return [*expanded, *pending]


def grouped(paths: Sequence[str], depth: int | None = None, prefix: str = "") -> str:
    """Paths by folder, one line each: ``folder/: a b c``. Deeper than ``depth``, a folder is only counted.

    Without ``depth``, the largest that gives at most ``MOST_NAMES`` names is taken; further names are counted.
    """
    if depth is None:
        deepest = max(path.count("/") for path in paths) + 1
        depth = next((candidate for candidate in range(deepest, 1, -1) if _names(paths, candidate) <= MOST_NAMES), 1)
    lines: dict[str, list[str]] = {}
    for path in paths:
        *folders, name = path.split("/")
        hidden = len(folders) >= depth
        folder = "/".join(folders[: depth - 1] if hidden else folders)
        lines.setdefault(folder, []).append(folders[depth - 1] + "/" if hidden else name)
    shown = [_line(prefix + folder, _counted(names)) for folder, names in sorted(lines.items())]
    total = f"{len(paths)} file{'' if len(paths) == 1 else 's'}"
    return "\n".join([total + (f" in {prefix}" if prefix else ""), *shown])


def _names(paths: Iterable[str], depth: int) -> int:
    return len({tuple(path.split("/")[:depth]) for path in paths})


def _counted(names: Sequence[str]) -> list[str]:
    """Names in order; each folder once, with its number of files."""
    files = [name for name in names if not name.endswith("/")]
    folders: dict[str, int] = {}
    for name in names:
        if name.endswith("/"):
            folders[name] = folders.get(name, 0) + 1
    return [*(f"{name}({count})" for name, count in sorted(folders.items())), *files]


def _line(folder: str, names: Sequence[str]) -> str:
    shown = [f'"{name}"' if " " in name else name for name in names[:MOST_NAMES]]
    more = [f"… {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    head = f"{folder.rstrip('/')}/: " if folder else ""
    return head + " ".join([*shown, *more])


def _one_level(workspace: Workspace, folder: str) -> str:
    """One level of a folder that is ignored or filled by programs, folders marked by a slash."""
    try:
        entries = sorted(os.scandir(workspace.root / folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ToolError(f"cannot list {folder}: {error.strerror}") from error
    names = [entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries]
    if not names:
        return f"{folder} is empty"
    installed = not NEVER.isdisjoint(folder.split("/"))
    origin = "filled by programs" if installed else "ignored by git"
    description = "a repository of its own" if ".git" in [entry.name for entry in entries] else origin
    return f"{folder} is {description}; it has {len(names)} name{'' if len(names) == 1 else 's'}\n{_line('', names)}"
