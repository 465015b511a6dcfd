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
from ctxe.project.memory.recall import RecallSearch
from ctxe.project.memory.writer import MemoryWriter
from ctxe.project.planning.ignored import readable
from ctxe.project.sandbox import NO_SANDBOX, CommandSandbox
from ctxe.project.secret_guards import text_cleaner
from ctxe.project.servers.lazy import LazyServers
from ctxe.project.skills.finder import finder, skill_named
from ctxe.project.skills.use import SessionSkills
from ctxe.project.window.files import SessionFiles
from ctxe.project.window.freshness import editable_versions
from ctxe.project.window.gateways import gateways, web_of
from ctxe.project.window.pictures import picture_by_handle, picture_maker
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
    skills: SessionSkills
    servers: LazyServers
    allowance: Allowance
    jobs: Jobs

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """The tool schemas for the model, sorted by name: the order of their making must not change a prompt."""
        return tuple(self.tools[name].schema for name in sorted(self.tools))


def kit_for(
    project: Project,
    writer: MemoryWriter,
    *,
    state: Callable[[], State] = State,
    sandbox: CommandSandbox = NO_SANDBOX,
    only: tuple[str, ...] = (),
    skills: tuple[str, ...] = (),
    ask: Ask = lambda *_: iter(()),
    mode: Callable[[], str] = str,
) -> Kit:
    """The tools of a session; ``only`` names the ones offered (empty: all), ``skills`` those always loaded.

    ``state`` gives the session's current state, ``mode`` its approval mode; ``ask`` answers what the model delegates.
    The defaults serve callers without a running session. Raises ConfigError for an unknown tool or skill.
    """

    def offers(name: str) -> bool:
        return not only or name in only

    workspace, clean = _workspace(project, state, sandbox), text_cleaner(project.own_keys)
    recall = RecallSearch(project, state)
    notebook = Notebook(writer.remember, writer.record_failure, recall, picture_by_handle(project, state), writer.alike)
    jobs = Jobs(project.root, project.config.tools.network)
    tools = {tool.name: tool for tool in core_tools(workspace, notebook, jobs if offers("use") else None)}
    shell = tools["run_command"] if offers("run_command") else None
    session_skills = _session_skills(project, state, shell, skills, listed=offers("use"))
    servers = LazyServers(project, picture_maker(project, state, keep=True, asked=True))
    tools |= {tool.name: tool for tool in gateways(jobs, servers, session_skills, web_of(project), mode)}
    tools |= {"delegate": delegate(workspace, ask)} if project.config.delegate.enabled else {}
    if unknown := [name for name in only if name not in tools]:
        raise ConfigError(f"there is no tool {unknown[0]!r}", "the tools are " + ", ".join(tools))
    kept = {name: tool for name, tool in tools.items() if offers(name)}
    unboxed = replace(workspace, wrap_command=lambda argv: argv, environment=project.environment)
    files = SessionFiles(workspace, clean, picture_maker(project, state, keep=False))
    allowance = Allowance(project.config.budget.max_cost, lambda: state().usd)
    return Kit(kept, run_command(unboxed, jobs), clean, files, session_skills, servers, allowance, jobs)


def _session_skills(
    project: Project, state: Callable[[], State], shell: Tool | None, more: tuple[str, ...], *, listed: bool
) -> SessionSkills:
    """The skills of a session, with those that settings always load and ``more``. Raises ConfigError."""
    session_skills = SessionSkills(
        project, state, (*project.config.skills.always, *more), shell, finder(project), listed
    )
    for name in more:
        skill_named(session_skills.find(), name)
    return session_skills


def _workspace(project: Project, state: Callable[[], State], sandbox: CommandSandbox) -> Workspace:
    return Workspace(
        project.git,
        seen_digest=lambda path: editable_versions(state()).get(path),
        is_secret=is_secret_file,
        is_readable=readable(project),
        wrap_command=sandbox.wrap,
        sandbox_notice=lambda: sandbox.limits,
        environment=clean_environment(project.environment, project.own_keys),
        bounds=WorkspaceBounds(command_seconds=project.config.tools.command_seconds),
        to_picture=picture_maker(project, state, keep=True, asked=True),
    )
