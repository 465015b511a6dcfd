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

        given = parse_arguments(schema, arguments)
        if not given["pattern"] or "\0" in given["pattern"] or "\n" in given["pattern"]:
            raise ToolError("pattern must be one line of text, and not empty")
        folder = locate(workspace, given.get("path") or ".")
        query = SearchQuery(
            given["pattern"],
            folder,
            given.get("glob") or "",
            given.get("literal", False),
            min(given.get("context", 0), 20),
        )
        where = "" if folder == "." else f" in {folder}"
        title = f"search {query.pattern}{where}{' ' + query.glob if query.glob else ''}"
        return Action("search", title, Risk.READ, without_progress(partial(_run, workspace, query)))

    return Tool(schema, Risk.READ, prepare)


def _run(workspace: Workspace, query: SearchQuery) -> ToolOutput:
    from ctxe.tools.search_run import run_search

    if query.folder != "." and look(workspace.root, query.folder) is None:
        raise ToolError(f"there is no file or folder {query.folder}")
    if query.folder != "." and workspace.is_secret(query.folder):
        raise ToolError(f"{query.folder} may hold secrets and is not searched unless the user allows it")
    found, ended = run_search(workspace, query)
    if not found:
        where = f" in {query.folder}" * (query.folder != ".") + f" ({query.glob})" * bool(query.glob)
        said = f"no match for {query.pattern}{where}" + (f"; {ended}" if ended else "")
        return ToolOutput(said, kind="search", facts={"matches": 0})
    total = sum(line.at >= 0 for lines in found.values() for line in lines)
    return ToolOutput(rendered(found, ended), kind="search", facts={"matches": total, "files": len(found)})


def rendered(found: Mapping[str, Sequence[FoundLine]], ended: str = "") -> str:
    """Matches by file: each line with its number and ``:`` for a match or ``-`` for context; then what was left out."""
    total = sum(line.at >= 0 for lines in found.values() for line in lines)
    room, parts, left = MATCHES, [], 0
    most = MATCHES if len(found) == 1 else PER_FILE
    for path, lines in found.items():
        count = sum(line.at >= 0 for line in lines)
        shown = _first(lines, min(most, room))
        kept = sum(line.at >= 0 for line in shown)
        room -= kept
        if not kept:
            left += 1
            continue
        more = f" ({count:,} matches, first {kept})" if kept < count else ""
        parts.append("\n".join([path + more, *(_drawn(line) for line in shown)]))
    if total < 10 and not ended:
        return "\n".join(parts)
    files = f"{len(found):,} file{'' if len(found) == 1 else 's'}"
    hidden = f"; {left} files not shown: narrow by path or glob" if left else ""
    return "\n".join([*parts, f"{total:,} matches in {files}{hidden}{'; ' + ended if ended else ''}"])


def _first(lines: Sequence[FoundLine], most: int) -> list[FoundLine]:
    """Lines up to the ``most``-th match, context lines included."""
    kept: list[FoundLine] = []
    count = 0
    for line in lines:
        count += line.at >= 0
        if count > most:
            break
        kept.append(line)
    return kept if most > 0 else []


def _drawn(line: FoundLine) -> str:
    text = line.text
    if len(text) > LINE_CHARS:
        start = max(0, min(line.at - LINE_CHARS // 3, len(text) - LINE_CHARS))
        text = "…" * (start > 0) + text[start : start + LINE_CHARS] + "…" * (start + LINE_CHARS < len(line.text))
    return f"{line.number}{':' if line.at >= 0 else '-'}{text}"
