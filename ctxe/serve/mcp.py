"""ctxe's knowledge of a project for other assistants: an MCP server whose tools read and propose, but never write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, cast

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from ctxe.domain.errors import CtxeError
from ctxe.domain.value import replace
from ctxe.project import Project
from ctxe.project.secret_guards import text_cleaner
from ctxe.serve.answers import ledger_json, plan_json

INSTRUCTIONS = """\
ctxe knows this repository: which files a task needs, what was decided, what failed before and what fixed it.
Ask `plan` or `pack` before you search the tree for a task, `match_failures` before you run a command that may have
failed before and when one fails, `search_memory` before you decide something. `propose_memory` proposes something worth
keeping to a person; it is not kept until they accept it."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
QUESTION_HINT = "give words, a command, an error or files"
MOST_TOKENS = 64_000
"""Tokens that one answer may be asked for."""

Answer = TypeVar("Answer")

Words = Annotated[str, Field(description="the task in words, as the user said it; a traceback may be part of it")]
Room = Annotated[int, Field(description="most tokens of the answer, a hard cap", ge=400, le=MOST_TOKENS)]
Few = Annotated[int, Field(description="answers at most", ge=1, le=50)]
Paths = Annotated[tuple[str, ...], Field(description="files it is about, by their paths in the repository")]


class Tools:
    """The tools of the server, one call at a time; ``open_project`` gives the project as it is now."""

    def __init__(self, open_project: Callable[[], Project]) -> None:
        self._open_project = open_project
        self._one_at_a_time = threading.Lock()

    def plan(self, task: Words, budget: Room = 8_000) -> dict[str, Any]:
        """Which files of this repository a task needs, best first, with the lines that matter and the reasons."""
        from ctxe.project.planning.plan import plan

        return self._answer(lambda project: plan_json(plan(project, task, budget)))

    def pack(self, task: Words, budget: Room = 16_000) -> str:
        """The context of a task as text: the repository's rules, matching memories, and the lines of files."""
        from ctxe.project.window.packing import bundle

        return self._answer(lambda project: bundle(project, task, budget).text)

    def budget(self, task: Words) -> dict[str, Any]:
        """The account of the first request that ctxe would send for a task: every part with its tokens and reason."""
        from ctxe.project.models import prices_of
        from ctxe.project.window.preview import ledger

        def account(project: Project) -> dict[str, Any]:
            first_ledger = ledger(project, task)
            return ledger_json(first_ledger, prices_of(project, first_ledger.model))

        return self._answer(account)

    def search_memory(
        self, words: Annotated[str, Field(description="what to look for")], k: Few = 5, files: Paths = ()
    ) -> dict[str, Any]:
        """Decisions, facts, routines and failures of this project that bear on the words; none is a fine answer."""
        return self._query(words, "", k=k, files=files, inject=True)

    def match_failures(
        self,
        command: Annotated[str, Field(description="the command that failed, or that is about to run")] = "",
        error: Annotated[str, Field(description="its error message")] = "",
        files: Paths = (),
        k: Few = 5,
    ) -> dict[str, Any]:
        """Failures met before that resemble this command or error, with what fixed them."""
        return self._query("", "failure", k=k, files=files, command=command, error=error)

    def propose_memory(
        self,
        text: Annotated[str, Field(description="a fact about this repository, in one or two sentences")],
        kind: Literal["decision", "fact", "preference", "routine"] = "fact",
        files: Paths = (),
    ) -> dict[str, Any]:
        """Propose something worth keeping to a person: it waits in the inbox until `ctxe memory review` accepts it."""
        from ctxe.project.memory import memories

        def proposed(project: Project) -> dict[str, Any]:
            draft = memories.draft_entry(text, kind, lists={"files": files})
            entry = memories.add_entry(project, replace(draft, status="proposed", by="model (proposed)"))
            return {"id": entry.id, "path": entry.path, "status": entry.status}

        return self._answer(proposed)

    def _query(self, words: str, kind: str, **values: Any) -> dict[str, Any]:
        from ctxe.project.memory import queries

        def answered(project: Project) -> dict[str, Any]:
            return queries.answer_in_full(project, queries.parse_question(words, QUESTION_HINT, kind=kind, **values))

        return self._answer(answered)

    def _answer(self, ask: Callable[[Project], Answer]) -> Answer:
        """An answer without keys and invisible text. Raises ToolError with the words and the hint of a CtxeError."""
        with self._one_at_a_time:
            try:
                project = self._open_project()
                return cast("Answer", cleaned(ask(project), text_cleaner(project.own_keys)))
            except CtxeError as error:
                raise ToolError(f"{error.message} ({error.hint})" if error.hint else error.message) from error


def server(open_project: Callable[[], Project], version: str) -> MCPServer[Any]:
    """The server, not running yet; each call opens the project anew, so that it answers from the files on disk."""
    mcp_server: MCPServer[Any] = MCPServer(
        "ctxe", instructions=INSTRUCTIONS, version=version, log_level="ERROR", subscriptions=False
    )
    tools = Tools(open_project)
    mcp_server.add_tool(tools.pack, annotations=READS, structured_output=False)
    for tool in (tools.plan, tools.budget, tools.search_memory, tools.match_failures):
        mcp_server.add_tool(tool, annotations=READS)
    mcp_server.add_tool(tools.propose_memory, annotations=WRITES)
    return mcp_server


def cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """The value with every text in it cleaned."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {key: cleaned(item, clean) for key, item in value.items()}
        case list() | tuple():
            return [cleaned(item, clean) for item in value]
        case _:
            return value
