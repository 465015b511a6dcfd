"""A web server on loopback for tests: pages by path, every request recorded; also a proxy for any host."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Sent:
    """The answer for a path; ``packed``: compressed by gzip."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    packed: bool = False


def html(text: str, **headers: str) -> Sent:
    """A page of HTML."""
    return Sent(text.encode(), headers={"Content-Type": "text/html; charset=utf-8", **headers})


def moved(location: str, status: int = 302) -> Sent:
    """A redirect."""
    return Sent(status=status, headers={"Location": location})


Answering = Callable[[Any], None]


class Quiet(ThreadingHTTPServer):
    """Ignore clients that hang up."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Nothing is printed."""


class PageServer:
    """Serves ``pages`` (path → answer, or a function of the handler) while the ``with`` block runs.

    ``asked`` are the request lines' targets, ``headers`` those of each request.
    """

    def __init__(self, pages: Mapping[str, Sent | Answering], tls: ssl.SSLContext | None = None) -> None:
        self.pages, self.asked, self.headers = dict(pages), list[str](), list[dict[str, str]]()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked.append(self.path)
                owner.headers.append({key.lower(): value for key, value in self.headers.items()})
                path = "/" + self.path.partition("://")[2].partition("/")[2] if "://" in self.path else self.path
                found = owner.pages.get(path, Sent(b"none", 404))
                if not isinstance(found, Sent):
                    found(self)
                    return
                body = gzip.compress(found.body) if found.packed else found.body
                self.send_response(found.status)
                for key, value in found.headers.items():
                    self.send_header(key, value)
                if found.packed:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Set-Cookie", "id=1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{self.host}"
