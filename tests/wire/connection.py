"""One connection of the wire server: parses HTTP requests, and sends answers, streams and faults byte by byte."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.wire import faults, formats
from tests.wire.journal import Exchange
from tests.wire.script import Answer, Drop, Part, Reply, failure

if TYPE_CHECKING:
    from tests.wire.server import WireServer

APIS = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages"}
SECRET = {"authorization", "x-api-key", "cookie", "proxy-authorization"}


class Listener(ThreadingHTTPServer):
    """Listens for connections, with one thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    wire: WireServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up; print any other error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ValueError):
            super().handle_error(request, client_address)


class _HungUp(ConnectionError):
    pass


class Connection(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small frame waits 40 ms for an acknowledgement
    server: Listener

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        """Lists of models, in the shapes of OpenAI, Ollama and llama.cpp."""
        wire, path = self.server.wire, self.path.partition("?")[0]
        self._keep(None, "")
        listed = [{"id": name, "object": "model", "created": formats.CREATED} for name in wire.models]
        if path.endswith("/models"):
            for model in listed:
                if model["id"] in wire.windows:
                    model["max_model_len"] = wire.windows[model["id"]]
            self._json(200, {"object": "list", "data": listed, "has_more": False})
        elif path == "/api/tags":
            self._json(200, {"models": [{"name": name, "model": name} for name in wire.models]})
        elif path == "/api/ps" and wire.loads is not None:
            shown = [(name, wire.loads[name]) for name in sorted(wire.loaded) if name in wire.loads]
            self._json(200, {"models": [{"name": name, "model": name, "context_length": at} for name, at in shown]})
        else:
            self._json(404, failure(f"no such path: {path}", kind="not_found_error"))

    def do_POST(self) -> None:
        """Answer a request for a reply, embeddings, a token count or the loading of a model."""
        path = self.path.partition("?")[0]
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw or b"{}")
        api = next((name for end, name in APIS.items() if path.endswith(end)), "")
        self._keep(body, api, raw)
        if api:
            key = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
            self._play(api, body, self.server.wire.answer(api, body, key))
        elif path.endswith("/embeddings"):
            part = self.server.wire.embed(body)
            self._json(200, part) if isinstance(part, Mapping) else self._play(api, body, part)
        elif path.endswith("/count_tokens"):
            self._json(200, {"input_tokens": len(json.dumps(body)) // 4})
        elif path == "/api/generate" and self.server.wire.loads is not None:
            self._pause(self.server.wire.loading)
            self.server.wire.loaded.add(body["model"])
            self._json(200, {"model": body["model"], "response": "", "done": True, "done_reason": "load"})
        else:
            self._json(404, failure(f"no such path: {path}", kind="not_found_error"))

    def _keep(self, body: Any, api: str, raw: bytes = b"") -> None:
        headers = {k.lower(): "***" if k.lower() in SECRET else v for k, v in self.headers.items()}
        exchange = Exchange(self.command, self.path, headers, body, api, time.monotonic(), raw, self.client_address[1])
        self.server.wire.journal.add(exchange)

    def _play(self, api: str, body: Mapping[str, Any], part: Part) -> None:
        if isinstance(part, Drop):
            self._close(reset=part.reset)
        elif isinstance(part, Answer):
            self._pause(part.seconds)
            self._until_hung_up(lambda: self._endless(part) if part.endless else self._raw(part))
        else:
            self._until_hung_up(lambda: self._stream(api, body, part))

    def _until_hung_up(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except ConnectionError:
            self.close_connection = True
            self.server.wire.journal.note(hung_up=1)

    def _endless(self, part: Answer) -> None:
        self.send_response(part.status)
        for name, value in {"content-type": "application/json", "transfer-encoding": "chunked", **part.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._chunk(json.dumps(part.body).encode())
        while not self.server.wire.closing.is_set():
            self._chunk(b" " * (60_000 if part.endless == "flood" else 1))
            self._pause(0.0 if part.endless == "flood" else 0.1)

    def _raw(self, part: Answer) -> None:
        if isinstance(part.body, Mapping):
            self._json(part.status, part.body, part.headers)
        else:
            self._send(part.status, part.body.encode(), {"content-type": "text/plain"} | dict(part.headers))

    def _json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), {"content-type": "application/json"} | dict(headers or {}))

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        (self.send_response_only if "date" in headers else self.send_response)(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # -- streams ---------------------------------------------------------------------------------------------------

    def _stream(self, api: str, body: Mapping[str, Any], reply: Reply) -> None:
        number = len(self.server.wire.requests)
        frames = formats.frames(api, reply, body, number)
        if api == "messages" and reply.reasoning:
            self.server.wire.bound.remember(formats.signature(number), body)
        self.send_response(200)
        headers = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
        headers |= {"content-encoding": "gzip"} if reply.fault == "gzip" else {}
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.fault in ("cut", "reset", "half-line"):
            self._cut(frames, reply)
            return
        for frame in faults.spoiled(api, frames, reply):
            if isinstance(frame, bytes):
                self._chunk(frame)
            else:
                self._pause(frame)
        self._chunk(b"")

    def _cut(self, frames: list[bytes], reply: Reply) -> None:
        for frame in frames[: reply.after]:
            self._chunk(frame)
        if reply.fault == "half-line":
            next_frame = frames[min(reply.after, len(frames) - 1)]
            self._chunk(next_frame[: len(next_frame) // 2])
        self._close(reset=reply.fault == "reset")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _pause(self, seconds: float) -> None:
        """Wait ``seconds``, but raise as soon as the client hangs up."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.server.wire.closing.is_set():
            ready, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                raise _HungUp

    def _close(self, *, reset: bool) -> None:
        if reset:  # a linger of zero seconds makes close() send RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close() if reset else self.connection.shutdown(socket.SHUT_RDWR)
