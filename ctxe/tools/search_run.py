"""Running a search by ripgrep, or by a program of ours where it is missing; both limited in time and lines."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass
from ctxe.repo.files import IGNORE_FILE
from ctxe.safety.programs import find_program
from ctxe.safety.running.process import Finished, run
from ctxe.tools.listing import below, matches
from ctxe.tools.workspace import Workspace

GATHERED = 5_000
"""Matching lines after which a search is ended, as its pattern is too broad."""

FALLBACK = Path(__file__).with_name("search_fallback.py")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """The pattern of a search, and the files to search."""

    pattern: str
    folder: str = "."
    glob: str = ""
    literal: bool = False
    context: int = 0


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that matched at offset ``at`` (in characters or bytes), or a line of context (``at`` is -1)."""

    number: int
    text: str
    at: int


def run_search(workspace: Workspace, query: SearchQuery) -> tuple[dict[str, list[FoundLine]], str]:
    """Found lines by file, sorted, and why the search ended early, if it did. Raises ToolError for a bad pattern."""
    program = find_program("rg", workspace.root, workspace.search)
    if program is not None:
        try:
            return _gather(workspace, _ripgrep(str(program), workspace, query), query.glob)
        except _BadPattern as error:
            # Python knows more syntax (look-around, back-references), so the fallback may be able to run the pattern.
            if not _is_python_regex(query.pattern):
                raise ToolError(str(error)) from None
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as task:
        json.dump(_task(workspace, query), task)
        task.flush()
        try:
            return _gather(workspace, [sys.executable, "-I", "-S", str(FALLBACK), task.name])
        except _BadPattern as error:
            raise ToolError(str(error)) from None


class _BadPattern(Exception):
    """The pattern is not a valid regex; the text is for the model."""


def _is_python_regex(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _ripgrep(program: str, workspace: Workspace, query: SearchQuery) -> list[str]:
    ignore = workspace.root / IGNORE_FILE
    return [
        program,
        *("--no-config", "--json", "--hidden", "--no-require-git", "--no-ignore-dot", "--sort", "path"),
        *("--max-count", str(GATHERED), "--max-filesize", str(workspace.bounds.file)),
        *("--glob", "!.git", "--glob", "!/.ctxe"),
        *(("--ignore-file", str(ignore)) if ignore.is_file() else ()),
        # a file type only narrows the search; a glob would also include ignored files
        *(("--type-add", f"wanted:{_name_glob(query.glob)}", "--type", "wanted") if query.glob else ()),
        *(("--fixed-strings",) if query.literal else ()),
        *("--context", str(query.context)),
        *("-e", query.pattern, "--", f"./{query.folder}" if query.folder != "." else "."),
    ]


def _name_glob(glob: str) -> str:
    """The part of a glob that a file's name must match; ``*`` when there is none."""
    name = glob.rstrip("/").rpartition("/")[2]
    return name if name.strip("*") and name.count("{") == name.count("}") else "*"


def _task(workspace: Workspace, query: SearchQuery) -> dict[str, Any]:
    """The input of the fallback program; the files are chosen here."""
    files = below(workspace, query.folder)
    if query.glob:
        files = [path for path in files if matches(path, query.glob)]
    return {
        "pattern": query.pattern,
        "literal": query.literal,
        "context": query.context,
        "root": str(workspace.root),
        "files": [path for path in files if not workspace.is_secret(path)],
    }


def _gather(workspace: Workspace, argv: Sequence[str], glob: str = "") -> tuple[dict[str, list[FoundLine]], str]:
    """The lines that a search program finds, until it has found enough or its time is up."""
    lines_by_file: dict[str, list[FoundLine]] = {}
    messages: list[str] = []
    count, ended = 0, ""
    env = {key: value for key, value in workspace.environment.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}}
    with contextlib.closing(_lines(argv, workspace, env)) as lines:
        for line in lines:
            if isinstance(line, Finished):
                ended = f"stopped after {workspace.bounds.search_seconds:.0f} s" if line.timed_out else ended
                if line.exit_code > 1 and not lines_by_file:
                    raise _BadPattern(_regex_error(messages))
                break
            event = _event(line)
            if event is None:
                messages += [] if line.startswith("{") else [line]
                continue
            path, found_line = event
            if workspace.is_secret(path) or (glob and not matches(path, glob)):
                continue
            lines_by_file.setdefault(path, []).append(found_line)
            count += found_line.at >= 0
            if count >= GATHERED:
                ended = f"stopped after {GATHERED:,} matches"
                break
    return dict(sorted(lines_by_file.items())), ended


def _lines(argv: Sequence[str], workspace: Workspace, env: Mapping[str, str]) -> Generator[str | Finished, None, None]:
    """Whole lines of a program's output as they come, then a Finished."""
    rest = ""
    with contextlib.closing(run(argv, workspace.root, env, workspace.bounds.search_seconds, 4096)) as pieces:
        for piece in pieces:
            if isinstance(piece, Finished):
                yield from [rest] if rest else []
                yield piece
                return
            *complete, rest = (rest + piece).split("\n")
            yield from complete


def _event(line: str) -> tuple[str, FoundLine] | None:
    """The path and line of a match or context event; None for anything else."""
    if not line.startswith('{"type":'):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    data = event["data"]
    if event["type"] not in {"match", "context"} or "text" not in data["path"]:
        return None
    text = data["lines"].get("text", "[not UTF-8]").rstrip("\r\n")
    offset = data["submatches"][0]["start"] if data["submatches"] else -1
    if event["type"] == "match":
        offset = max(offset, 0)
    return PurePosixPath(data["path"]["text"]).as_posix(), FoundLine(data["line_number"], text, offset)


def _regex_error(messages: Sequence[str]) -> str:
    """The regex error of ripgrep or Python in one line."""
    lines = [line.strip() for line in messages if line.strip() and not line.startswith("{")]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith(("error:", "regex parse error: "))]
    reason = (errors or lines or ["it cannot be read"])[-1].removeprefix("regex parse error: ")
    return f"bad pattern: {reason[:200]}; escape special characters, or set literal"
