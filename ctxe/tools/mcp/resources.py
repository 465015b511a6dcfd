"""The offers of a server besides tools: resources that can be read, and prompts written for its user."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctxe.domain.value import dataclass
from ctxe.safety.display import one_line
from ctxe.tools.mcp.server_tools import LINE_CHARACTERS, Count, ServerTool, counted

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}:[!-~]{1,1000}")
"""URIs that are allowed here, since they appear in permission rules and questions."""
_UNTYPED = re.compile(r"[^\w.-]+", re.ASCII)
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a server; as a ``template``, its ``uri`` has variables to fill in (RFC 6570)."""

    uri: str
    name: str = ""
    description: str = ""
    media: str = ""
    size: int = 0
    template: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of a template's variables."""
        if not self.template:
            return ()
        placeholders = ",".join(_PLACE.findall(self.uri))
        return tuple(dict.fromkeys(name for name in re.split(r"[^\w.]+", placeholders) if name))


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """An argument of a prompt."""

    name: str
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class ServerPrompt:
    """A prompt of a server."""

    name: str
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()

    @property
    def slash_name(self) -> str:
        """The name as it is typed after a slash."""
        return _UNTYPED.sub("_", self.name)[:128]

    @property
    def takes(self) -> str:
        """The arguments as the help shows them."""
        return " ".join(
            f"{argument.name}=…" if argument.required else f"[{argument.name}=…]" for argument in self.arguments
        )


@dataclass(frozen=True, slots=True)
class ServerOffers:
    """Everything that a server offers."""

    tools: tuple[ServerTool, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: tuple[ServerPrompt, ...] = ()


def resource_line(server: str, resource: Resource) -> str:
    """A resource in one line: the name to read it by, its type and size or a template's arguments, its description."""
    label = one_line(resource.name, 80) if resource.name and resource.name not in resource.uri else ""
    facts = ", ".join(filter(None, [one_line(resource.media, 60), f"{resource.size:,} bytes" if resource.size else ""]))
    description = one_line(": ".join(filter(None, [label, resource.description])), LINE_CHARACTERS)
    takes = f" (arguments: {', '.join(resource.variables)})" if resource.template else f" ({facts})" if facts else ""
    return f"- {server}:{resource.uri}{takes}" + (f": {description}" if description else "")


def resources_page(server: str, resources: Sequence[Resource], room: int, count: Count) -> str:
    """A server's resources in at most ``room`` tokens, templates first; those that do not fit are counted."""
    if not resources:
        return ""
    rows = [
        resource_line(server, resource) for resource in sorted(resources, key=lambda resource: not resource.template)
    ]
    head = f"{counted(resources, 'resource')}; read one by `use` with this name; arguments fill in a {{place}}."
    shown = len(rows)
    while shown and count("\n".join([head, *rows[:shown]])) > room:
        shown = shown * 3 // 4
    hidden = len(rows) - shown
    return "\n".join([head, *rows[:shown], *([f"… {hidden:,} more; find_tools finds them by words"] if hidden else [])])
