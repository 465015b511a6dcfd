"""search: the lines of the project's files that match a pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.repo.undo.rewrite import look
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import BOOLEAN, STRING, describe
from ctxe.tools.workspace import Workspace, locate

if TYPE_CHECKING:
    from ctxe.tools.search_run import FoundLine, SearchQuery

MATCHES, PER_FILE = 200, 25
"""Matching lines shown in all, and per file when several match."""

LINE_CHARS = 240


def search(workspace: Workspace) -> Tool:
    """The tool. Each match is a line ``number:text`` below the path of its file; secret files are left out."""
    shape = {
        "pattern": STRING,
        "path": STRING,
        "glob": STRING,
        "literal": BOOLEAN,
        "context": {"type": "integer", "minimum": 0},
    }
    schema = describe("search", shape, ("pattern",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        from ctxe.tools.search_run import SearchQuery

        parsed = parse_arguments(schema, arguments)
        if not parsed["pattern"] or "\0" in parsed["pattern"] or "\n" in parsed["pattern"]:
            raise ToolError("pattern must be one line of text, and not empty")
        folder = locate(workspace, parsed.get("path") or ".")
        query = SearchQuery(
            parsed["pattern"],
            folder,
            parsed.get("glob") or "",
            parsed.get("literal", False),
            min(parsed.get("context", 0), 20),
        )
        place = "" if folder == "." else f" in {folder}"
        title = f"search {query.pattern}{place}{' ' + query.glob if query.glob else ''}"
        return Action("search", title, Risk.READ, without_progress(partial(_run, workspace, query)))

    return Tool(schema, Risk.READ, prepare)


def _run(workspace: Workspace, query: SearchQuery) -> ToolOutput:
    from ctxe.tools.search_run import run_search

    if query.folder != "." and look(workspace.root, query.folder) is None:
        raise ToolError(f"there is no file or folder {query.folder}")
    if query.folder != "." and workspace.is_secret(query.folder):
        raise ToolError(f"{query.folder} may hold secrets and is not searched unless the user allows it")
    lines_by_file, ended = run_search(workspace, query)
    if not lines_by_file:
        place = f" in {query.folder}" * (query.folder != ".") + f" ({query.glob})" * bool(query.glob)
        message = f"no match for {query.pattern}{place}" + (f"; {ended}" if ended else "")
        return ToolOutput(message, kind="search", facts={"matches": 0})
    total = sum(line.at >= 0 for lines in lines_by_file.values() for line in lines)
    return ToolOutput(
        rendered(lines_by_file, ended), kind="search", facts={"matches": total, "files": len(lines_by_file)}
    )


def rendered(lines_by_file: Mapping[str, Sequence[FoundLine]], ended: str = "") -> str:
    """Matches by file: each line with its number and ``:`` for a match or ``-`` for context; then a count of others."""
    total = sum(line.at >= 0 for lines in lines_by_file.values() for line in lines)
    remaining, parts, files_hidden = MATCHES, [], 0
    most = MATCHES if len(lines_by_file) == 1 else PER_FILE
    for path, lines in lines_by_file.items():
        count = sum(line.at >= 0 for line in lines)
        shown = _first(lines, min(most, remaining))
        matches_shown = sum(line.at >= 0 for line in shown)
        remaining -= matches_shown
        if not matches_shown:
            files_hidden += 1
            continue
        more = f" ({count:,} matches, first {matches_shown})" if matches_shown < count else ""
        parts.append("\n".join([path + more, *(_shown_line(line) for line in shown)]))
    if total < 10 and not ended:
        return "\n".join(parts)
    files = f"{len(lines_by_file):,} file{'' if len(lines_by_file) == 1 else 's'}"
    hidden = f"; {files_hidden} files not shown: narrow by path or glob" if files_hidden else ""
    return "\n".join([*parts, f"{total:,} matches in {files}{hidden}{'; ' + ended if ended else ''}"])


def _first(lines: Sequence[FoundLine], most: int) -> list[FoundLine]:
    """Lines up to the ``most``-th match, context lines included."""
    shown: list[FoundLine] = []
    count = 0
    for line in lines:
        count += line.at >= 0
        if count > most:
            break
        shown.append(line)
    return shown if most > 0 else []


def _shown_line(line: FoundLine) -> str:
    text = line.text
    if len(text) > LINE_CHARS:
        start = max(0, min(line.at - LINE_CHARS // 3, len(text) - LINE_CHARS))
        text = "…" * (start > 0) + text[start : start + LINE_CHARS] + "…" * (start + LINE_CHARS < len(line.text))
    return f"{line.number}{':' if line.at >= 0 else '-'}{text}"
