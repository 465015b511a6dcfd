"""Connecting to a server by the protocol's library, which is imported only here, in the loop's thread, when needed."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ctxe import __version__
from ctxe.domain.errors import ToolError
from ctxe.domain.form import Form, FormAnswers
from ctxe.domain.value import dataclass
from ctxe.safety.display import one_line
from ctxe.tools.mcp.forms import form_of
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.stdio import MOST_LINE, ServerState, stdio_streams

if TYPE_CHECKING:
    import httpx2
    from mcp import Client
    from mcp.client._transport import TransportStreams

LOGS = ("mcp", "httpx2", "httpcore2")
CONNECTION_CLOSED = -32000
"""The library's error code for a request whose connection ended."""


REACH_SECONDS = 30.0
"""The longest time to connect to a URL."""


@dataclass(frozen=True, slots=True)
class ServerCallbacks:
    """Functions that are called, in the loop's thread, when a server sends a notification or a request: its lists
    ``changed``, a resource was ``updated``, or it wants a ``form`` filled in (None when the user declines).
    """

    changed: Callable[[], None]
    updated: Callable[[str], object]
    form: Callable[[Form], Awaitable[FormAnswers | None]]


@contextlib.asynccontextmanager
async def connected(
    launch: Launch, server_state: ServerState, server_callbacks: ServerCallbacks, ended: Callable[[], None]
) -> AsyncIterator[Client]:
    """The library's client of a server, after initialization.

    ``ended`` is called when the server's process has ended. Time limits are the caller's business, as none may run
    while the user is asked.
    """
    from mcp import Client
    from mcp_types import Implementation

    for name in LOGS:  # else their log messages would reach the screen
        if not (logger := logging.getLogger(name)).handlers:
            logger.addHandler(logging.NullHandler())
    async with Client(
        http_streams(launch, server_state) if launch.url else stdio_streams(launch, server_state, ended),
        client_info=Implementation(name="ctxe", version=__version__),
        log_level="info",
        **_callbacks(launch, server_state, server_callbacks),
    ) as client:
        yield client


def _callbacks(launch: Launch, server_state: ServerState, server_callbacks: ServerCallbacks) -> dict[str, Any]:
    """The library's callbacks for messages of the server. Sampling is missing: servers may not use our model."""
    import mcp_types as protocol

    async def hear(message: object) -> None:
        lists = (protocol.ToolListChangedNotification, protocol.ResourceListChangedNotification)
        if isinstance(message, (*lists, protocol.PromptListChangedNotification)):
            server_callbacks.changed()
        elif isinstance(message, protocol.ResourceUpdatedNotification):
            server_callbacks.updated(message.params.uri)

    async def log(params: protocol.LoggingMessageNotificationParams) -> None:
        text = params.data if isinstance(params.data, str) else json.dumps(params.data, default=str)
        server_state.note(f"[{params.level}] {text}\n".encode("utf-8", "replace"))

    async def ask(_: object, params: protocol.ElicitRequestParams) -> protocol.ElicitResult:
        if isinstance(params, protocol.ElicitRequestURLParams):
            form = form_of(launch.name, params.message, url=params.url)
        else:
            form = form_of(launch.name, params.message, params.requested_schema)
        filled = await server_callbacks.form(form)
        if filled is None:
            return protocol.ElicitResult(action="decline")
        return protocol.ElicitResult(action="accept", content=None if form.url else dict(filled))

    async def roots(_: object) -> protocol.ListRootsResult:
        return protocol.ListRootsResult(
            roots=[protocol.Root.model_validate({"uri": cast("Any", launch.root).as_uri()})]
        )

    callbacks = {"message_handler": hear, "logging_callback": log, "elicitation_callback": ask}
    return {**callbacks, "list_roots_callback": roots} if launch.root else callbacks


@contextlib.asynccontextmanager
async def http_streams(launch: Launch, server_state: ServerState) -> AsyncIterator[TransportStreams]:
    """The message streams to and from a URL, limited in size like those of a process.

    ``server_state`` receives the status of a refusal and the reason for giving up.
    """
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    timeout = httpx2.Timeout(min(launch.start_timeout, REACH_SECONDS), read=None)  # callers have time limits
    hooks: dict[str, list[Callable[..., object]]] = {"response": [partial(_limit, server_state)]}
    server_state.needs = (
        "" if launch.signed else f"; `ctxe mcp login {launch.name}` signs in, or a token in `headers` does"
    )
    async with (
        _signing(launch) as auth,
        httpx2.AsyncClient(headers=dict(launch.headers), timeout=timeout, event_hooks=hooks, auth=auth) as client,
        streamable_http_client(launch.url, http_client=client, max_sse_event_size=MOST_LINE) as streams,
    ):
        yield streams


@contextlib.asynccontextmanager
async def _signing(launch: Launch) -> AsyncIterator[httpx2.Auth | None]:
    """Authentication for the requests to a URL, when the user has signed in or is about to; else None."""
    if launch.signed is None:
        yield None
        return
    from ctxe.tools.mcp.login import require_safe
    from ctxe.tools.mcp.oauth import provider

    require_safe(launch.url, launch.url)
    if launch.login is None:
        yield provider(launch.name, launch.url, launch.signed)
        return
    async with launch.login.listening() as return_url:
        yield provider(launch.name, launch.url, launch.signed, return_url, launch.login)


async def _limit(server_state: ServerState, response: httpx2.Response) -> None:
    """Limit an answer to the size of one message, and record a refusal. Event streams have a limit of their own."""
    import httpx2

    if response.request.method == "POST":
        refusal = f"{response.status_code} {one_line(response.reason_phrase, 40)}".rstrip()
        server_state.refused = refusal if response.is_error else ""
    if "event-stream" in response.headers.get("content-type", ""):
        return
    inner = cast("httpx2.AsyncByteStream", response.stream)

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for piece in inner:
                size += len(piece)
                if size > MOST_LINE:
                    server_state.why = f"it sent a message of more than {MOST_LINE // 1_000_000} MB and was cut off"
                    raise ToolError(server_state.why)
                yield piece

        async def aclose(self) -> None:
            await inner.aclose()

    response.stream = Bounded()


def error_line(error: BaseException, server_state: ServerState) -> str:
    """An error of the library in one line, the first one of a group, with the HTTP status of a refusal."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    message = one_line(str(error), 300) or type(error).__name__
    needs = server_state.needs if server_state.refused[:3] in ("401", "403") else ""
    return f"{message} ({server_state.refused}{needs})" if server_state.refused else message


def is_closed(error: Exception) -> bool:
    """Whether an error says no more than that the connection was closed."""
    return getattr(error, "code", None) == CONNECTION_CLOSED or "closed" in str(error).lower()
