"""The tools of a session and what they work with: work tree, memory, recall, jobs and the cleaning of their output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.domain.errors import ConfigError
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import Tool
from ctxe.domain.value import dataclass, replace
from ctxe.project.allowance import Allowance
from ctxe.project.guarding import cleaning
from ctxe.project.memory.keeping import Keeping
from ctxe.project.memory.recalling import Recalling
from ctxe.project.planning.ignored import readable
from ctxe.project.sandboxing import UNBOXED, Boxed
from ctxe.project.servers.lazy import LazyServers
from ctxe.project.skills.finding import finder, named
from ctxe.project.skills.use import Skilled
from ctxe.project.window.files import SessionFiles
from ctxe.project.window.freshness import editable_versions
from ctxe.project.window.gateways import gateways, web_of
from ctxe.project.window.pictured import picture_by_handle, taker
from ctxe.safety.secrets import clean_environment, is_secret_file
from ctxe.tools.core import core_tools
from ctxe.tools.delegate import Ask, delegate
from ctxe.tools.jobs import Jobs
from ctxe.tools.notes import Notebook
from ctxe.tools.shell import run_command
from ctxe.tools.workspace import Workspace, WorkspaceBounds

if TYPE_CHECKING:
    from ctxe.project import Project


@dataclass(frozen=True, slots=True)
class Kit:
    """A session's tools by name, in the order the model reads them, and ``shell`` for the user's own commands.

    ``clean`` is applied to every text from outside: it removes keys, diffs of files that hold keys, and invisible
    characters.
    """

    tools: Mapping[str, Tool]
    shell: Tool
    clean: Callable[[str], str]
    files: SessionFiles
    skills: Skilled
    servers: LazyServers
    allowance: Allowance
    jobs: Jobs

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """The tool schemas for the model, sorted by name: the order of their making must not change a prompt."""
        return tuple(self.tools[name].schema for name in sorted(self.tools))


def kit_for(
    project: Project,
    keeping: Keeping,
    *,
    state: Callable[[], State] = State,
    boxed: Boxed = UNBOXED,
    only: tuple[str, ...] = (),
    skills: tuple[str, ...] = (),
    ask: Ask = lambda *_: iter(()),
    mode: Callable[[], str] = str,
) -> Kit:
    """The tools of a session; ``only`` names the ones offered (empty: all), ``skills`` the modules always loaded.

    ``state`` gives the session's current state, ``mode`` its approval mode; ``ask`` answers what the model delegates.
    The defaults serve callers without a running session. Raises ConfigError for an unknown tool or skill.
    """

    def offers(name: str) -> bool:
        return not only or name in only

    workspace, clean = _workspace(project, state, boxed), cleaning(project.own_keys)
    recalling = Recalling(project, state)
    notebook = Notebook(
        keeping.remember, keeping.record_failure, recalling, picture_by_handle(project, state), keeping.alike
    )
    jobs = Jobs(project.root, project.config.tools.network)
    tools = {tool.name: tool for tool in core_tools(workspace, notebook, jobs if offers("use") else None)}
    shell = tools["run_command"] if offers("run_command") else None
    skilled = _skilled(project, state, shell, skills, listed=offers("use"))
    servers = LazyServers(project, taker(project, state, keep=True, asked=True))
    tools |= {tool.name: tool for tool in gateways(jobs, servers, skilled, web_of(project), mode)}
    tools |= {"delegate": delegate(workspace, ask)} if project.config.delegate.enabled else {}
    if unknown := [name for name in only if name not in tools]:
        raise ConfigError(f"there is no tool {unknown[0]!r}", "the tools are " + ", ".join(tools))
    kept = {name: tool for name, tool in tools.items() if offers(name)}
    unboxed = replace(workspace, sandboxed=lambda argv: argv, environment=project.environment)
    files = SessionFiles(workspace, clean, taker(project, state, keep=False))
    allowance = Allowance(project.config.budget.max_cost, lambda: state().usd)
    return Kit(kept, run_command(unboxed, jobs), clean, files, skilled, servers, allowance, jobs)


def _skilled(
    project: Project, state: Callable[[], State], shell: Tool | None, more: tuple[str, ...], *, listed: bool
) -> Skilled:
    """The skill modules of a session, with those that settings always load and ``more``. Raises ConfigError."""
    skilled = Skilled(project, state, (*project.config.skills.always, *more), shell, finder(project), listed)
    for name in more:
        named(skilled.find(), name)
    return skilled


def _workspace(project: Project, state: Callable[[], State], boxed: Boxed) -> Workspace:
    return Workspace(
        project.git,
        known=lambda path: editable_versions(state()).get(path),
        secret=is_secret_file,
        readable=readable(project),
        sandboxed=boxed.wrap,
        walls=lambda: boxed.walls,
        environment=clean_environment(project.environment, project.own_keys),
        bounds=WorkspaceBounds(command_seconds=project.config.tools.command_seconds),
        picture=taker(project, state, keep=True, asked=True),
    )
