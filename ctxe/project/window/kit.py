"""The tools of a session and what they are lent: the work tree, memory, recall, and how their output is treated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctxe.agent.state import State
from ctxe.context.tokens import Count
from ctxe.domain.errors import ConfigError, StoreError, ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import Picture
from ctxe.domain.tool import Action, Tool
from ctxe.domain.value import dataclass, field, replace
from ctxe.project.guarding import cleaning
from ctxe.project.memory.keeping import Keeping
from ctxe.project.memory.recalling import Recalling
from ctxe.project.planning.ignored import readable
from ctxe.project.planning.purse import Purse
from ctxe.project.sandboxing import UNBOXED, Boxed
from ctxe.project.servers.door import Door
from ctxe.project.skills.use import Skilled, finder, named
from ctxe.project.window.freshness import known, news_of
from ctxe.project.window.pictured import Take, again, taker
from ctxe.repo.undo.rewrite import read
from ctxe.safety.secrets import clean_environment, is_secret_file
from ctxe.tools.core import core_tools
from ctxe.tools.delegate import Ask, delegate
from ctxe.tools.gateways import find_tools, use
from ctxe.tools.jobs import Jobs
from ctxe.tools.notes import Notebook
from ctxe.tools.read import shown
from ctxe.tools.shell import run_command
from ctxe.tools.text import decode, fingerprint
from ctxe.tools.workspace import Workspace, WorkspaceBounds, load, locate, opened

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.servers.connected import Servers
    from ctxe.tools.web.fetch import Web

PAGE = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""How a name begins that is an address of a page."""
LONGEST_NEWS, MOST_NEWS = 60_000, 200
"""Bytes of a file whose changes are told, and how many texts are kept for that."""

LONGEST_FILE = 16_000_000
"""Bytes of a file that is looked at for changes."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A session's tools by name, in the order the model reads them, and ``shell`` for the user's own commands.

    ``look`` makes a picture of a file's bytes where it is one.
    """

    tools: Mapping[str, Tool]
    shell: Tool
    workspace: Workspace
    own: tuple[str, ...]
    skills: Skilled
    servers: Door
    purse: Purse
    jobs: Jobs
    look: Take = field(default=lambda name, data, beside=(): None)
    _digests: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """What the model is told of the tools: by name, so that the order in which they were made changes nothing."""
        return tuple(self.tools[name].schema for name in sorted(self.tools))

    def clean(self, text: str) -> str:
        """Text from outside as a model may get it: no keys, no diffs of files that hold them, nothing invisible."""
        return cleaning(self.own)(text)

    def show(self, path: str) -> tuple[str, str]:
        """A file's lines with their numbers, and its content hash. Raises ToolError."""
        found = load(self.workspace, path, locate(self.workspace, path))
        return self.clean(shown(found)), found.digest

    def picture(self, path: str, beside: Sequence[Picture] = ()) -> Picture | None:
        """The picture that a file is, not kept yet; nothing for another file. Raises ToolError.

        ``beside`` are those that are shown with it.
        """
        return self.look(path, opened(self.workspace, path, locate(self.workspace, path)), beside)

    def digest_of(self, path: str) -> str:
        """The content hash of a file as it is now; empty when there is none. Read again only when it was written."""
        try:
            facts = (self.workspace.root / path).lstat()
            stamp = (facts.st_ctime_ns, facts.st_mtime_ns, facts.st_ino, facts.st_size)
            known = self._digests.get(path)
            if known is None or known[0] != stamp:
                data = read(self.workspace.root, path, LONGEST_FILE)
                known = self._digests[path] = (stamp, fingerprint(data))
                self._keep(known[1], data)
        except (OSError, ValueError, ToolError, StoreError):  # also for what a model took for a path: "\0"
            return ""
        return known[1]

    def news(self, path: str, before: str, room: int, count: Count) -> str:
        """What a file is now that had the content hash ``before``, in ``room`` tokens; empty where that is too long."""
        now, was = self._texts.get(self.digest_of(path)), self._texts.get(before)
        return "" if now is None else news_of(None if was is None else self.clean(was), self.clean(now), room, count)

    def _keep(self, digest: str, data: bytes) -> None:
        """Remember a text by its content hash, to tell later what changed in it; the oldest is forgotten."""
        decoded = decode(data) if len(data) <= LONGEST_NEWS else None
        if decoded is not None:
            self._texts[digest] = decoded.text
        if len(self._texts) > MOST_NEWS:
            del self._texts[next(iter(self._texts))]


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
    """The tools of a session; ``only`` names the ones offered (empty: all), ``skills`` modules that stand in it.

    ``state`` is the session as it is by then; ``ask`` answers what the model delegates, ``mode`` is the
    approval mode by then. Where nothing runs nothing asks
    for them. Raises ConfigError for an unknown name.
    """
    own, workspace = project.own_keys, _workspace(project, state, boxed)
    recalling = Recalling(project, state)
    notebook = Notebook(keeping.remember, keeping.record_failure, recalling, again(project, state), keeping.alike)
    jobs = Jobs(project.root, project.config.tools.network)
    awaited = jobs if not only or "use" in only else None
    tools = {tool.name: tool for tool in core_tools(workspace, notebook, awaited)}
    shell = tools["run_command"] if not only or "run_command" in only else None
    skilled = Skilled(
        project, state, (*project.config.skills.always, *skills), shell, finder(project), not only or "use" in only
    )
    for name in skills:
        named(skilled.find(), name)
    shows = taker(project, state, keep=True, asked=True)
    servers = Door(project, lambda: _servers(project, shows))
    web = web_of(project)
    more = _gates(jobs, servers, skilled, web, mode)
    more += [delegate(workspace, ask)] if project.config.delegate.enabled else []
    tools |= {tool.name: tool for tool in more}
    if unknown := [name for name in only if name not in tools]:
        raise ConfigError(f"there is no tool {unknown[0]!r}", "the tools are " + ", ".join(tools))
    kept = {name: tool for name, tool in tools.items() if not only or name in only}
    mine = replace(workspace, sandboxed=lambda argv: argv, environment=project.environment)
    purse = Purse(project.config.budget.max_cost, lambda: state().usd)
    look = taker(project, state, keep=False)
    return Kit(kept, run_command(mine, jobs), workspace, own, skilled, servers, purse, jobs, look)


def _workspace(project: Project, state: Callable[[], State], boxed: Boxed) -> Workspace:
    return Workspace(
        project.git,
        known=lambda path: known(state()).get(path),
        secret=is_secret_file,
        readable=readable(project),
        sandboxed=boxed.wrap,
        walls=lambda: boxed.walls,
        environment=clean_environment(project.environment, project.own_keys),
        bounds=WorkspaceBounds(command_seconds=project.config.tools.command_seconds),
        picture=taker(project, state, keep=True, asked=True),
    )


def web_of(project: Project) -> Callable[[], Web]:
    """What makes the way to pages of the web when one is first asked for: proxies, keys that leave in no address, and
    which hosts rules of the user's own settings name.
    """

    def made() -> Web:
        from ctxe.safety.addresses import covered
        from ctxe.tools.web.fetch import Web

        allowed = project.config.approval.allow
        return Web(project.environment, project.own_keys, lambda address: covered(allowed, address))

    return made


def _servers(project: Project, look: Take) -> Servers:
    from ctxe.project.servers.connected import servers_of

    return servers_of(project, look)


def _gates(jobs: Jobs, door: Door, skilled: Skilled, web: Callable[[], Web], mode: Callable[[], str]) -> list[Tool]:
    """The two gateways, before jobs, pages, servers and modules; of the last two a server's name is first: a person
    allowed it. In a session that only reads a plan is proposed by them.
    """

    def prepare(name: str, arguments: Mapping[str, Any]) -> Action:
        from ctxe.tools.use_job import prepare as prepare_job

        if PAGE.match(name):
            from ctxe.tools.use_page import prepare as prepare_page

            return prepare_page(web(), name, arguments)
        if name == "plan" and mode() == "read-only":
            from ctxe.tools.use_plan import prepare as prepare_plan

            return prepare_plan(arguments, mode)
        action = prepare_job(jobs, name, arguments)
        action = action or (servers.prepare(name, arguments) if (servers := door.named) else None)
        return action or skilled.prepare(name, arguments)

    def found(query: str) -> str:
        guests = servers.found(query) if (servers := door.named) else ""
        from ctxe.tools.use_page import offered

        return "\n".join(part for part in (guests, skilled.found(query), offered(query)) if part)

    return [find_tools(found), use(prepare)]
