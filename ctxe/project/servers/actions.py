"""Actions on a server that need a decision: call a tool, read a resource, ask for a prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput, without_progress
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge.fence import fence
from ctxe.project.servers.configured import Configured, mark
from ctxe.safety.display import one_line
from ctxe.safety.trust import approval, approve
from ctxe.tools.mcp.resources import URI, Resource, ServerPrompt, resource_line
from ctxe.tools.mcp.server_tools import ServerTool, described

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection

Ask = Callable[["Connection"], Iterator[Progress | ToolOutput]]
TAG = "mcp"
CHANGED = "its server describes it differently than when it was last allowed"


@dataclass(frozen=True, slots=True)
class ServerActions:
    """Actions on one connected server. ``reconnect`` gives its connection when an approved action runs."""

    project: Project
    server: Configured
    held: Connection
    reconnect: Callable[[], Connection]
    hide: Callable[[str], str]

    @property
    def name(self) -> str:
        """The server's name."""
        return self.server.name

    def tool(self, tool: str, arguments: Mapping[str, Any]) -> Action:
        """A tool call. A tool that needs arguments and got none is described instead. Raises ToolError."""
        found = {one.name: one for one in self.held.tools}
        if tool not in found:
            raise ToolError(f"{self.name} has no tool {tool}; `use` with name {self.name} tells all of them")
        offered, full = found[tool], f"{self.name}/{tool}"
        if missing := [one for one in offered.required if one not in arguments]:
            description = fence(described(self.name, offered), full, TAG).text
            if arguments:
                raise ToolError(f"{full} needs {', '.join(missing)} in arguments\n{description}")
            return Action(
                "use", f"read what {full} takes", Risk.READ, without_progress(partial(ToolOutput, description))
            )
        return self._call(offered, arguments)

    def resource(self, uri: str, arguments: Mapping[str, Any]) -> Action:
        """Read a resource. Raises ToolError.

        A listed resource is read without approval. Any other URI, also one made from a template, tells the server
        something as a call does, and so needs approval.
        """
        listed = {one.uri: one for one in self.held.offers.resources}
        one = listed.get(uri) or listed.get(f"{uri}/")
        if one is not None and not one.template:
            return self._reading(one.uri, Risk.READ)
        if one is None and not URI.fullmatch(uri):
            raise ToolError(f"{self.name} has no resource {one_line(uri, 200)}; find_tools finds them by words")
        return self._reading(_address(self.name, one, arguments) if one else uri, self._risk)

    def prompt(self, prompt: ServerPrompt, arguments: Mapping[str, str]) -> Action:
        """Ask for a prompt, for the user."""
        full = f"{self.name}:{prompt.slash_name}"
        run = partial(self._fenced, full, lambda held: held.prompt(prompt.name, arguments))
        return Action(full, f"ask {full}", Risk.READ, run)

    @property
    def _risk(self) -> Risk:
        return Risk.NETWORK if self.server.settings.url else Risk.EXECUTE

    @property
    def _place(self) -> str:
        settings = self.server.settings
        return one_line(settings.url or " ".join((settings.command, *settings.args)), 300)

    def _reading(self, uri: str, risk: Risk) -> Action:
        full = f"{self.name}:{uri}"
        run = partial(self._fenced, full, lambda held: held.read(uri))
        return Action(full, f"read {full}", risk, run, preview=f"{full}\nserver: {self._place}")

    def _call(self, tool: ServerTool, arguments: Mapping[str, Any]) -> Action:
        """A tool call as it will run. A person sees all of its arguments, whatever the server says about its risk."""
        full = f"{self.name}/{tool.name}"
        given = json.dumps(arguments, ensure_ascii=False, indent=1) if arguments else "(no arguments)"
        return Action(
            full,
            f"call {full} {one_line(json.dumps(arguments, ensure_ascii=False), 100) if arguments else ''}".rstrip(),
            self._risk,
            partial(self._run, tool, arguments),
            preview=f"{given}\nserver: {self._place}",
            changed=CHANGED if self._trusted(tool) == "changed" else "",
        )

    def _run(self, tool: ServerTool, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """Run an approved call. The approval is stored for the tool as it is described now."""
        if self._trusted(tool) != "approved":
            place = self.project.place.user
            try:
                approve(place, self.project.root, f"{mark(self.name)}/{tool.name}", tool.mark)
            except StoreError as error:
                raise ToolError(f"the answer cannot be kept: {error.message}") from None
        yield from self._fenced(f"{self.name}/{tool.name}", lambda held: held.call(tool.name, arguments))

    def _fenced(self, full: str, ask: Ask) -> Iterator[Progress | ToolOutput]:
        """The server's output, fenced as data, after a note if the server had to be restarted."""
        held = self.reconnect()
        for piece in ask(held):
            if not isinstance(piece, ToolOutput):
                yield piece
                continue
            hidden = self.hide(piece.text)
            text = fence(hidden, full, TAG).text
            if held.anew:
                text = f"[{self.name} was started anew, what it held is gone: {self.hide(held.anew)}]\n{text}"
                held.anew = ""
            yield replace(piece, text=text, display=hidden)

    def _trusted(self, tool: ServerTool) -> str:
        return approval(self.project.place.user, self.project.root, f"{mark(self.name)}/{tool.name}", tool.mark)


def _address(server: str, template: Resource, arguments: Mapping[str, Any]) -> str:
    """The URI of a template with these arguments. Raises ToolError."""
    from ctxe.tools.mcp.requests import expand_template

    line = fence(resource_line(server, template), server, TAG).text
    if unknown := [name for name in arguments if name not in template.variables]:
        raise ToolError(f"{server}:{template.uri} takes no {', '.join(map(str, unknown))}\n{line}")
    if not arguments and template.variables:
        raise ToolError(f"{server}:{template.uri} needs {', '.join(template.variables)} in arguments\n{line}")
    return expand_template(template.uri, arguments)
