"""Everything behind ``find_tools`` and ``use`` in a session: jobs, web pages, plans, servers and skills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ctxe.domain.pattern import pattern
from ctxe.domain.tool import Action, Tool
from ctxe.project.servers.lazy import LazyServers
from ctxe.project.skills.use import SessionSkills
from ctxe.tools.gateways import find_tools, use
from ctxe.tools.jobs import Jobs

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.web.fetch import Web

PAGE = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""Matches the start of a name that is a URL."""


def gateways(
    jobs: Jobs, lazy: LazyServers, skilled: SessionSkills, web: Callable[[], Web], mode: Callable[[], str]
) -> tuple[Tool, Tool]:
    """The tools ``find_tools`` and ``use``.

    A name that both a server and a skill have means the server, since a person allowed it. ``mode`` gives the current
    approval mode: in a read-only session ``use`` also proposes a plan.
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
        action = action or (servers.prepare(name, arguments) if (servers := lazy.named) else None)
        return action or skilled.prepare(name, arguments)

    def found(query: str) -> str:
        guests = servers.found(query) if (servers := lazy.named) else ""
        from ctxe.tools.use_page import offered

        return "\n".join(part for part in (guests, skilled.found(query), offered(query)) if part)

    return find_tools(found), use(prepare)


def web_of(project: Project) -> Callable[[], Web]:
    """A function that makes the session's ``Web``, when a page is first asked for.

    It knows the proxies, the keys that must not leave in a URL, and the hosts that the user's own rules allow.
    """

    def made() -> Web:
        from ctxe.safety.addresses import is_allowed
        from ctxe.tools.web.fetch import Web

        allowed = project.config.approval.allow
        return Web(project.environment, project.own_keys, lambda address: is_allowed(allowed, address))

    return made
