"""A raw model server on loopback: plays a script over the real wire formats and keeps a journal of what it was sent.

In a test::

    from tests.wire.server import Call, Reply, WireServer

    with WireServer([Reply(calls=[Call("read_file", {"path": "a.py"})]), Reply("Done.")]) as server:
        ...                              # OPENAI_BASE_URL=server.url or ANTHROPIC_BASE_URL=server.url
        server.requests[0].body          # the parsed JSON of the first request for a reply

As a process: ``python -m tests.wire.server SCRIPT.json [--port N] [--journal FILE] [--key KEY]`` prints its address on
the first line and serves until it is interrupted; SCRIPT.json is a list of parts (see script.from_json) and ``-`` reads
it from standard input. The address works with and without ``/v1`` behind it, for all three APIs.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.wire import faults, formats, rules
from tests.wire.journal import Exchange, Journal
from tests.wire.script import (
    Answer,
    Call,
    Drop,
    Entry,
    Part,
    Reply,
    Usage,
    failure,
    from_json,
    html,
    overloaded,
    rate_limited,
    redirect,
)

__all__ = [
    "Answer",
    "Call",
    "Drop",
    "Exchange",
    "Reply",
    "Usage",
    "WireServer",
    "failure",
    "html",
    "overloaded",
    "rate_limited",
    "redirect",
]

APIS = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages"}
SECRET = {"authorization", "x-api-key", "cookie", "proxy-authorization"}


class WireServer:
    """Serves a script on an ephemeral port of 127.0.0.1 while the ``with`` block runs.

    ``script`` is a list of entries, one for each request for a reply (a Reply, an Answer, a Drop, or a function of the
    request's body that returns one), or one function for all of them. Once a list is played, ``then`` answers; by
    default that is a 400 that says so. With ``key`` any other key gets a 401. ``strict`` refuses with a 400 what the
    real hosts refuse (see rules). ``models`` are the names on ``/v1/models``, ``windows`` what is said of them. ``tls``
    names the files of a certificate and its key. It may also stand as a proxy: paths are then whole addresses.
    """

    def __init__(
        self,
        script: Sequence[Entry] | Callable[[Mapping[str, Any]], Part] = (),
        *,
        then: Entry | None = None,
        key: str = "",
        strict: bool = True,
        models: Sequence[str] = ("wire-model",),
        windows: Mapping[str, int] | None = None,
        port: int = 0,
        journal: Path | None = None,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self._rest = list(script) if isinstance(script, Sequence) else []
        self._then: Entry | None = then if isinstance(script, Sequence) else script
        self._taking = threading.Lock()
        self.key, self.strict, self.models, self.windows = key, strict, tuple(models), dict(windows or {})
        self.journal = Journal(file=journal)
        self._http = _Server(("127.0.0.1", port), _Connection)
        self._http.wire = self
        self._scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self._scheme = "https"
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)

    def __enter__(self) -> WireServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The base address for all three APIs, without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Exchange]:
        """The requests for a reply, in order (counting tokens and listing models left out)."""
        return [exchange for exchange in self.exchanges if exchange.api]

    @property
    def bodies(self) -> list[Any]:
        """The bodies of ``requests``."""
        return [exchange.body for exchange in self.requests]

    @property
    def exchanges(self) -> list[Exchange]:
        """Every request, of any kind, in order."""
        with self.journal.changed:
            return list(self.journal.exchanges)

    @property
    def refused(self) -> list[str]:
        """Why requests were refused by the rules of the real hosts; empty in a healthy session."""
        return list(self.journal.refused)

    @property
    def left(self) -> int:
        """Entries of the script that nobody has asked for yet."""
        return len(self._rest)

    def wait(self, until: Callable[[WireServer], bool], seconds: float = 10.0) -> None:
        """Wait until it holds, for instance ``server.wait(lambda s: len(s.requests) == 2)``; else TimeoutError."""
        with self.journal.changed:
            if not self.journal.changed.wait_for(lambda: until(self), seconds):
                raise TimeoutError(f"not within {seconds} s; {len(self.journal.exchanges)} requests came")

    @property
    def hung_up(self) -> int:
        """Streams that the client closed before their end."""
        return self.journal.hung_up

    def answer(self, api: str, body: Mapping[str, Any], key: str) -> Part:
        """What a request for a reply gets."""
        if self.key and key != self.key:
            return Answer(401, failure("Incorrect API key provided", "invalid_api_key", "authentication_error"))
        why = rules.refusal(api, body) if self.strict else ""
        if why:
            self.journal.note(refused=why)
            return Answer(400, failure(why))
        with self._taking:
            entry = self._rest.pop(0) if self._rest else self._then
        if entry is None:
            return Answer(400, failure("the wire script is played to its end", "script_over"))
        return entry(body) if callable(entry) else entry


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    wire: WireServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no errors here; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ValueError):
            super().handle_error(request, client_address)


class _HungUp(ConnectionError):
    pass


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small frame waits 40 ms for an acknowledgement
    server: _Server

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
        else:
            self._json(404, failure(f"no such path: {path}", kind="not_found_error"))

    def do_POST(self) -> None:
        """Ask for a reply, or count tokens."""
        path = self.path.partition("?")[0]
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw or b"{}")
        api = next((name for end, name in APIS.items() if path.endswith(end)), "")
        self._keep(body, api, raw)
        if api:
            key = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
            self._play(api, body, self.server.wire.answer(api, body, key))
        elif path.endswith("/count_tokens"):
            self._json(200, {"input_tokens": len(json.dumps(body)) // 4})
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
            self._raw(part)
        else:
            try:
                self._stream(api, body, part)
            except ConnectionError:
                self.close_connection = True
                self.server.wire.journal.note(hung_up=1)

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
        """Wait, but notice at once when the client hangs up."""
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


def main(arguments: Sequence[str]) -> int:
    """Serve a script until interrupted; the first line on stdout is the address."""
    parser = argparse.ArgumentParser(prog="python -m tests.wire.server", description=__doc__.splitlines()[0])
    parser.add_argument("script", help="a JSON list of parts; - reads standard input")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path, help="append each request here, one JSON object a line")
    parser.add_argument("--key", default="")
    parser.add_argument("--model", action="append", default=[], help="a name for /v1/models")
    parser.add_argument("--repeat", action="store_true", help="the last entry answers for ever")
    given = parser.parse_args(arguments)
    text = sys.stdin.read() if given.script == "-" else Path(given.script).read_text(encoding="utf-8")
    parts = [from_json(value) for value in json.loads(text)]
    then = parts[-1] if given.repeat and parts else None
    models = given.model or ["wire-model"]
    with WireServer(parts, then=then, key=given.key, port=given.port, journal=given.journal, models=models) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
