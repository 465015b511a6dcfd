"""Subscribing to changes of a server's lists and of resources that were read."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass, field
from ctxe.tools.mcp.client import ServerCallbacks

if TYPE_CHECKING:
    from mcp import Client

LONGEST_PAUSE = 60.0
"""The longest pause in seconds before a lost subscription is renewed."""
MOST_RESOURCES = 20
"""Most resources of one server whose changes are followed."""
LISTS = ("tools_list_changed", "prompts_list_changed", "resources_list_changed")


@dataclass(slots=True)
class Changes:
    """Changes that a server has announced: ``stale`` lists, and resources ``updated`` since they were read.

    Announcements about other resources are ignored.
    """

    stale: bool = False
    updated: set[str] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)

    def lists(self) -> None:
        """The server's lists have changed."""
        self.stale = True

    def resource(self, uri: str) -> None:
        """A resource has changed."""
        if uri in self._read:
            self.updated.add(uri)

    def begin(self, uri: str) -> bool:
        """A resource is being read; True when its changes may be followed."""
        self.updated.discard(uri)
        if len(self._read) < MOST_RESOURCES:
            self._read.add(uri)
        return uri in self._read

    def news(self) -> list[str]:
        """Resources that changed since they were read; each is given once until it is read again."""
        changed = sorted(self.updated)
        self.updated.clear()
        self._read.difference_update(changed)
        return changed


@dataclass(slots=True)
class Subscriptions:
    """The subscriptions of one connection, for the loop's thread."""

    client: Client
    callbacks: ServerCallbacks
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def begin(self, uri: str = "") -> None:
        """Subscribe to changes of a resource, or of the lists for an empty URI."""
        if uri not in self._tasks:
            self._tasks[uri] = asyncio.create_task(watch(self.client, self.callbacks, uri))

    async def end(self) -> None:
        """End all subscriptions."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def watch(client: Client, callbacks: ServerCallbacks, uri: str = "") -> None:
    """Follow changes of a resource, or of the lists, until cancelled; returns at once when the server announces none.

    Older servers announce changes of lists without a subscription. After a pause the lists count as changed, since an
    announcement may have been missed.
    """
    from mcp.client.subscriptions import SubscriptionLost
    from mcp.shared.exceptions import MCPError
    from mcp_types import EmptyResult, SubscribeRequest, SubscribeRequestParams
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    capabilities = client.server_capabilities
    pause = 1.0
    with contextlib.suppress(MCPError):
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            if uri and capabilities.resources and capabilities.resources.subscribe:
                request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
                await client.session.send_request(request, EmptyResult)
            return
        while True:
            with contextlib.suppress(SubscriptionLost):
                wanted = {"resource_subscriptions": [uri]} if uri else dict.fromkeys(LISTS, True)
                async with client.listen(**wanted) as listening:
                    async for _ in listening:
                        pause = 1.0
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            if not uri:
                callbacks.changed()
