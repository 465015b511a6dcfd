"""What a server offers besides tools: resources that can be read, and prompts written for its user."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctxe.domain.value import dataclass
from ctxe.safety.display import one_line
from ctxe.tools.mcp.server_tools import LINE_WORDS, Count, ServerTool, counted

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
        inside = ",".join(_PLACE.findall(self.uri))
        return tuple(dict.fromkeys(one for one in re.split(r"[^\w.]+", inside) if one))


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
        return " ".join(f"{one.name}=…" if one.required else f"[{one.name}=…]" for one in self.arguments)


@dataclass(frozen=True, slots=True)
class ServerOffers:
    """Everything that a server offers."""

    tools: tuple[ServerTool, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: tuple[ServerPrompt, ...] = ()


def resource_line(server: str, one: Resource) -> str:
    """A resource in one line: the name to read it by, its type and size or a template's arguments, its description."""
    called = one_line(one.name, 80) if one.name and one.name not in one.uri else ""
    facts = ", ".join(filter(None, [one_line(one.media, 60), f"{one.size:,} bytes" if one.size else ""]))
    said = one_line(": ".join(filter(None, [called, one.description])), LINE_WORDS)
    takes = f" (arguments: {', '.join(one.variables)})" if one.template else f" ({facts})" if facts else ""
    return f"- {server}:{one.uri}{takes}" + (f": {said}" if said else "")


def resources_page(server: str, found: Sequence[Resource], room: int, count: Count) -> str:
    """A server's resources in at most ``room`` tokens, templates first; those that do not fit are counted."""
    if not found:
        return ""
    rows = [resource_line(server, one) for one in sorted(found, key=lambda one: not one.template)]
    head = f"{counted(found, 'resource')}; read one by `use` with this name; arguments fill in a {{place}}."
    most = len(rows)
    while most and count("\n".join([head, *rows[:most]])) > room:
        most = most * 3 // 4
    left = len(rows) - most
    return "\n".join([head, *rows[:most], *([f"… {left:,} more; find_tools finds them by words"] if left else [])])
