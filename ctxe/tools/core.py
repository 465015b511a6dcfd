"""The tools that every session has, in the order in which the model reads them."""

from __future__ import annotations

from ctxe.domain.tool import Tool
from ctxe.tools.edit import edit_file, write_file
from ctxe.tools.jobs import Jobs
from ctxe.tools.listing import list_files
from ctxe.tools.notes import Notebook, recall, record_failure, remember, update_todo
from ctxe.tools.read import read_file
from ctxe.tools.search import search
from ctxe.tools.shell import run_command
from ctxe.tools.workspace import Workspace


def core_tools(workspace: Workspace, notebook: Notebook, jobs: Jobs | None = None) -> tuple[Tool, ...]:
    """The core tools of one workspace, in a fixed order, since they are part of every request's prefix."""
    return (
        read_file(workspace),
        list_files(workspace),
        search(workspace),
        edit_file(workspace),
        write_file(workspace),
        run_command(workspace, jobs),
        update_todo(),
        remember(notebook.remember, notebook.alike),
        record_failure(notebook.record_failure),
        recall(notebook.recall, notebook.picture),
    )
