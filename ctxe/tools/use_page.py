"""Reading web pages by ``use https://…``, which the user approves; the parts that fit the question are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.lexical.tables import word_set
from ctxe.safety.addresses import Address, parse_address
from ctxe.safety.display import one_line
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import STRING
from ctxe.tools.web.fetch import Web

NAME = "web"
"""The name for permission rules: ``tool:web``."""
SCHEMA = ToolSchema("use https://…", "", {"type": "object", "properties": {"about": STRING}})
OFFER = (
    '- pages of the web: `use` with the https:// address as name and {"about": "what you look for"}; the user is asked'
)
"""The line of find_tools about web pages."""
HIDDEN = "[ctxe: invisible characters were removed from this page]"
HINT = (
    '[ctxe: `use` reads a page of the web: its https:// address as name, {"about": "what you look for"} as arguments; '
    "the user is asked first]"
)
"""A note to the model beside a message of the user that holds a URL."""
WEB_WORDS = word_set("web page pages url http https internet online fetch browse website docs documentation link")
"""Words by which a query of find_tools asks for web pages."""


def offered(query: str) -> str:
    """The line of find_tools about web pages; empty for a query that asks for something else."""
    return OFFER if not query or WEB_WORDS.intersection(query.lower().replace("_", " ").split()) else ""


def prepare(web: Web, name: str, arguments: Mapping[str, Any]) -> Action:
    """The action of ``use`` for a URL; nothing is looked up yet. Raises ToolError."""
    parsed = parse_arguments(SCHEMA, arguments)
    address = parse_address(name)
    web.allowed(address, asked=False)
    return _action(web, address, parsed.get("about", ""), asked=False)


def for_user(web: Web, text: str, about: str) -> tuple[Tool, str]:
    """A tool that reads one page the user asked for, and the arguments of the call. Raises ToolError."""
    address = parse_address(text if "://" in text else f"https://{text}")
    web.allowed(address, asked=True)
    action = _action(web, address, f"{about} {address.fragment}".strip(), asked=True)
    schema = ToolSchema("use", "", {"type": "object", "properties": {}})
    return Tool(schema, Risk.NETWORK, lambda _: action), json.dumps({"name": address.url})


def _action(web: Web, address: Address, about: str, *, asked: bool) -> Action:
    subject = f"\nlooks for: {about}" if about else ""
    spelling = f"\nits host is written {address.unicode_host}" if address.unicode_host else ""
    run: Callable[[], ToolOutput] = partial(_read, web, address, about, asked=asked)
    return Action(
        NAME,
        f"fetch {one_line(address.url, 100)}",
        Risk.NETWORK,
        without_progress(run),
        preview=f"{address.url}{spelling}{subject}",
        address=address.url,
    )


def _read(web: Web, address: Address, about: str, *, asked: bool) -> ToolOutput:
    """Fetch a page. The result is whole; it is trimmed later like any output, to what is ``about`` the question."""
    from ctxe.tools.web.page import page

    try:
        web_page = page(web.get(address, asked=asked))
    except RecursionError:
        raise ToolError(f"{address.url} is nested too deeply to be read") from None
    facts = {"page": web_page.url, "bytes": web_page.bytes, "hidden": list(web_page.notices)}
    notes = f"\n{HIDDEN}" if web_page.hidden else ""  # only people are shown the removed characters
    return ToolOutput(web_page.text + notes, kind="page", facts=facts, about=about)
