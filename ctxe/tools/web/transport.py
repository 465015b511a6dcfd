"""Connecting to a host: its name is looked up once, every IP address is checked, and only checked ones are used."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field
from ctxe.safety.addresses import Address, kind_of_ip, refusal_reason

Resolve = Callable[[str, int], list[str]]
"""Looks up the IP addresses of a host and port. Raises OSError."""
PATIENCE = 10.0
"""Seconds that one step (a connection, a piece of an answer) may take."""


def look_up(host: str, port: int) -> list[str]:
    """The IP addresses of a host as the system resolves it, each once. Raises OSError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in entries))


@dataclass(slots=True)
class WebTransport:
    """The HTTP library's network backend for one page. ``asked``: the user asked for it; ``named``: a rule names it.

    A host with one forbidden address is refused altogether. Connections go to an address that was checked, so a name
    that resolves differently later (DNS rebinding) makes no difference.
    """

    asked: bool
    named: bool
    proxied: bool = False
    resolve: Resolve = look_up
    is_closed: bool = False
    streams: list[Any] = field(default_factory=list)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """A stream to the host, or to the proxy if there is one. Raises ToolError."""
        from httpcore2 import ConnectError, ConnectTimeout, SyncBackend

        last: Exception = ConnectError("it has no address")
        for address in [host] if self.proxied else self.checked(host, port):
            if self.is_closed:
                break
            try:
                stream = SyncBackend().connect_tcp(address, port, timeout, local_address, socket_options)
            except (ConnectError, ConnectTimeout) as error:
                last = error
                continue
            self.streams.append(stream)
            return stream
        raise last

    def checked(self, host: str, port: int) -> list[str]:
        """The IP addresses of a host, all of which are allowed. Raises ToolError."""
        try:
            addresses = self.resolve(host.strip("[]"), port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ToolError(f"{host} is not known: {reason}") from None
        for address in addresses:
            kind = kind_of_ip(ipaddress.ip_address(address))
            if reason := refusal_reason(kind, named=self.named, asked=self.asked):
                raise ToolError(f"{host} is at {address}: {reason}, which only a rule of the user (host:{host}) allows")
        return addresses

    def connect_unix_socket(self, *_: Any, **__: Any) -> Any:
        """Raise ToolError: pages never come from a Unix socket."""
        raise ToolError("a socket of this machine is not a page")

    def sleep(self, seconds: float) -> None:
        """Wait; the library calls this between two attempts."""
        time.sleep(seconds)

    def hang_up(self) -> None:
        """Close all connections, from another thread."""
        self.is_closed = True
        for stream in self.streams:
            connection = stream.get_extra_info("socket")
            if connection is not None:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


def proxy_for(environment: Mapping[str, str], address: Address) -> str:
    """The URL of the proxy for an address by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; empty for none.

    This machine is never reached through a proxy.
    """
    proxies = {key.lower(): value for key, value in environment.items() if key.lower().endswith("_proxy") and value}
    proxy = proxies.get(f"{address.scheme}_proxy") or proxies.get("all_proxy", "")
    if not proxy or _without_proxy(proxies.get("no_proxy", ""), address):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _without_proxy(exceptions: str, address: Address) -> bool:
    if address.host == "localhost" or address.host.endswith(".localhost") or _loopback(address.host):
        return True
    for exception in (part.strip().lower() for part in exceptions.split(",")):
        host, _, port = exception.partition(":") if exception.count(":") == 1 else (exception, "", "")
        name = host.lstrip("*").lstrip(".")
        if exception == "*" or (name and not port and _inside(address.host, exception)):
            return True
        if name and (not port or port == str(address.port)) and (f".{address.host}").endswith(f".{name}"):
            return True
    return False


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _inside(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
