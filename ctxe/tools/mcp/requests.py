"""Requests to a connected server, in the loop's thread: its lists, calls, resources, prompts and completions."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Progress
from ctxe.safety.display import one_line
from ctxe.tools.mcp.resources import URI, PromptArgument, Resource, ServerOffers, ServerPrompt
from ctxe.tools.mcp.server_tools import NAME, ServerTool

if TYPE_CHECKING:
    from mcp import Client

Item = TypeVar("Item")
Tell = Callable[[Progress], None]
MOST_ITEMS = 500
"""Most items of each list of a server that are read."""
MOST_PAGES = 100
LONGEST_DESCRIPTION = 4_000
"""Characters of a description that are kept."""


async def offers(client: Client) -> ServerOffers:
    """All that a server offers, by the capabilities it declares. A list that it fails to give is empty.

    Raises what the library raises when the list of tools fails.
    """
    capabilities = client.server_capabilities
    tools: list[ServerTool] = []
    if capabilities.tools or not (capabilities.resources or capabilities.prompts):
        tools = await _all(lambda cursor: client.list_tools(cursor=cursor, cache_mode="refresh"), _tools)
    resources: list[Resource] = []
    prompts: list[ServerPrompt] = []
    if capabilities.resources:
        resources = await _optional(
            lambda cursor: client.list_resources(cursor=cursor, cache_mode="refresh"), _resources
        )
        resources += await _optional(
            lambda cursor: client.list_resource_templates(cursor=cursor, cache_mode="refresh"), _templates
        )
    if capabilities.prompts:
        prompts = await _optional(lambda cursor: client.list_prompts(cursor=cursor, cache_mode="refresh"), _prompts)
    return ServerOffers(tuple(tools), tuple(dict.fromkeys(resources)), tuple(prompts))


async def _all(page: Callable[[str | None], Awaitable[Any]], items: Callable[[Any], list[Item]]) -> list[Item]:
    """All items of a list, page by page, at most MOST_ITEMS."""
    all_items: list[Item] = []
    cursor = None
    for _ in range(MOST_PAGES):
        answer = await page(cursor)
        all_items += items(answer)
        cursor = answer.next_cursor
        if not cursor or len(all_items) >= MOST_ITEMS:
            break
    return all_items[:MOST_ITEMS]


async def _optional(page: Callable[[str | None], Awaitable[Any]], items: Callable[[Any], list[Item]]) -> list[Item]:
    """Like ``_all``; empty when the server declares a list and fails to give it."""
    from mcp.shared.exceptions import MCPError
    from pydantic import ValidationError

    with contextlib.suppress(MCPError, ValidationError):
        return await _all(page, items)
    return []


def _tools(page: Any) -> list[ServerTool]:
    """The tools of a page whose names are allowed here."""
    return [
        ServerTool(tool.name, tool.description or tool.title or "", tool.input_schema or {})
        for tool in page.tools
        if NAME.fullmatch(tool.name)
    ]


def _resources(page: Any) -> list[Resource]:
    return [
        Resource(
            resource.uri,
            resource.title or resource.name,
            (resource.description or "")[:LONGEST_DESCRIPTION],
            resource.mime_type or "",
            resource.size or 0,
        )
        for resource in page.resources
        if URI.fullmatch(resource.uri)
    ]


def _templates(page: Any) -> list[Resource]:
    return [
        Resource(
            template.uri_template,
            template.title or template.name,
            (template.description or "")[:LONGEST_DESCRIPTION],
            template.mime_type or "",
            template=True,
        )
        for template in page.resource_templates
        if URI.fullmatch(template.uri_template)
    ]


def _prompts(page: Any) -> list[ServerPrompt]:
    return [
        ServerPrompt(
            prompt.name,
            (prompt.description or prompt.title or "")[:LONGEST_DESCRIPTION],
            tuple(
                PromptArgument(argument.name, argument.description or "", bool(argument.required))
                for argument in (prompt.arguments or [])[:20]
            ),
        )
        for prompt in page.prompts
    ]


async def call_tool(client: Client, tool: str, arguments: Mapping[str, Any], tell: Tell) -> tuple[list[Any], Any, bool]:
    """Call a tool: its content blocks as JSON, its structured content, and whether it succeeded."""

    async def report(progress: float, total: float | None, message: str | None) -> None:
        tell(Progress(f"{one_line(message or '')} {progress:g}{f' of {total:g}' if total else ''}".strip() + "\n"))

    result = await client.call_tool(tool, dict(arguments), progress_callback=report)
    return [_json(block) for block in result.content], result.structured_content, not result.is_error


async def read(client: Client, uri: str) -> list[Any]:
    """Read a resource, its parts as content blocks."""
    result = await client.read_resource(uri, cache_mode="bypass")
    return [{"type": "resource", "resource": _json(part)} for part in result.contents]


async def get_prompt(client: Client, name: str, arguments: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Get a prompt, as (role, content block) pairs."""
    result = await client.get_prompt(name, dict(arguments))
    return [(message.role, _json(message.content)) for message in result.messages]


async def complete(client: Client, ref: Mapping[str, str], argument: str, prefix: str) -> list[str]:
    """The server's completions for an argument of a prompt (``{"name"}``) or a template (``{"uri"}``)."""
    from mcp_types import PromptReference, ResourceTemplateReference

    if not client.server_capabilities.completions:
        return []
    subject = PromptReference(name=ref["name"]) if "name" in ref else ResourceTemplateReference(uri=ref["uri"])
    result = await client.complete(subject, {"name": argument, "value": prefix})
    return [value for value in result.completion.values if isinstance(value, str)]


def expand_template(template: str, arguments: Mapping[str, Any]) -> str:
    """The URI of a template with ``arguments`` filled in. Raises ToolError for arguments that do not fit."""
    from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate

    try:
        uri = UriTemplate.parse(template).expand({name: str(value) for name, value in arguments.items()})
    except (InvalidUriTemplate, TypeError, ValueError) as error:
        raise ToolError(f"{template} cannot be filled in: {one_line(str(error), 200)}") from None
    if not URI.fullmatch(uri):
        raise ToolError(f"{one_line(uri, 200)} is not an address")
    return uri


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
