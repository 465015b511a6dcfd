"""How a server is started, and the exact description of that for the person who approves it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.config.values import ServerSettings
from ctxe.domain.errors import ToolError
from ctxe.domain.section import digest
from ctxe.domain.value import replace
from ctxe.project.place import home_of
from ctxe.project.servers.configured import Configured, inside
from ctxe.safety.display import exact
from ctxe.safety.programs import find_program, outside
from ctxe.safety.secrets import clean_environment
from ctxe.tools.mcp.launch import Launch, expand, variables

if TYPE_CHECKING:
    from ctxe.project import Project

ROOT = "CTXE_PROJECT"
"""The variable that holds the project's root, in settings and in the server's environment."""


def launch_of(project: Project, server: Configured) -> Launch:
    """How to start a server, with the user's variables filled in. Raises ToolError when it cannot be started.

    A program gets an environment without our API keys, plus what its settings name. A project's server never gets one
    of our keys, even if its file names the variable.
    """
    settings, yours = server.settings, server.origin == "yours"
    keys = () if yours else project.own_keys

    def variable(name: str) -> str | None:
        given = str(project.root) if name == ROOT else project.environment.get(name)
        if given and any(key in given for key in keys):
            raise ToolError(f"{server.origin} asks for {name}, which holds a key of ctxe's own")
        return given

    fill = partial(expand, variable=variable)
    made = Launch(server.name, timeout=settings.timeout, start_timeout=settings.start_timeout, root=project.root)
    if settings.url:
        headers = {key: fill(value) for key, value in settings.headers.items()}
        made = replace(made, url=fill(settings.url), headers=headers, root=None)
        given = any(key.lower() == "authorization" for key in headers)
        file = tokens_file(project, server, made.url)
        return replace(made, signed=None if given or not file.is_file() else file)
    environment = {**clean_environment(project.environment, project.own_keys), ROOT: str(project.root)}
    environment |= {key: fill(value) for key, value in settings.env.items()}
    folder = _folder(project, server, fill(settings.cwd))
    if not folder.is_dir():
        raise ToolError(f"its folder {folder} is not there")
    program = _program(fill(settings.command), project.root, folder, environment)
    command = (program, *(fill(word) for word in settings.args))
    return replace(made, command=command, environment=environment, cwd=folder)


def tokens_file(project: Project, server: Configured, url: str) -> Path:
    """The file of a sign-in: in the user's folder, by URL and, for a project's server, for this project only."""
    whose = "" if server.origin == "yours" else str(project.root)
    return project.place.user / "servers" / f"{server.name}-{digest(json.dumps([whose, url]))[:16]}.json"


def exact_rows(server: Configured, project: Project) -> list[str]:
    """Exactly what would run and with which inputs, one line each, for the person who approves it."""
    settings = server.settings
    if settings.url:
        rows = [f"connects to  {exact(settings.url)}"]
        rows += [f"sends        {exact(key)}: {exact(value)}" for key, value in settings.headers.items()]
    else:
        rows = [f"runs         {exact(settings.command)}"]
        rows += [f"  argument   {exact(word)}" for word in settings.args]
        rows += [f"  variable   {exact(key)}={exact(value)}" for key, value in settings.env.items()]
        rows.append(f"  in         {exact(str(_folder(project, server, settings.cwd)))}")
        rows += [f"  whose file {exact(path)} lies in this project" for path in inside(project, settings)]
    if taken := variables(_texts(settings)):
        rows.append(f"takes from your environment: {', '.join(taken)}")
    return rows


def _texts(settings: ServerSettings) -> Iterator[str]:
    yield from (settings.command, *settings.args, settings.cwd, settings.url)
    yield from (*settings.env.values(), *settings.headers.values())


def _folder(project: Project, server: Configured, said: str = "") -> Path:
    """The folder in which a server runs.

    A server of the user's does not start inside a repository unless its settings say so: npx, python -m and the like
    would run a file of the repository instead of the intended program.
    """
    if server.origin == "yours" and not said:
        return home_of(project.environment)
    return project.root / Path(said).expanduser()


def _program(command: str, root: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """The path of a program; a bare name is searched only outside the repository. Raises ToolError."""
    if not command:
        raise ToolError("its command is empty")
    if "/" in command or os.sep in command:
        return str(folder / Path(command).expanduser())
    search = outside(root, environment.get("PATH", os.defpath).split(os.pathsep))
    if (found := find_program(command, root, search)) is None:
        raise ToolError(f"there is no program {command} on PATH outside of this project")
    return str(found)
