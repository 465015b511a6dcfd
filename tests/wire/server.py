"""A raw model server on loopback: plays a script over the real wire formats and records every request.

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
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.wire import rules, vectors
from tests.wire.bound import Bound
from tests.wire.connection import Connection, Listener
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
    "Entry",
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


class WireServer:
    """Serves a script on an ephemeral port of 127.0.0.1 while the ``with`` block runs.

    ``script`` is a list of entries, one for each request for a reply (a Reply, an Answer, a Drop, or a function of the
    request's body that returns one), or one function for all of them. Once a list is played, ``then`` answers; by
    default that is a 400 that says so. With ``key`` any other key gets a 401. ``strict`` refuses with a 400 what the
    real hosts refuse (see rules). ``models`` are the names on ``/v1/models``, ``windows`` what is said of them;
    ``embeddings`` holds parts that the next requests for vectors get in place of true vectors. ``tls``
    names the files of a certificate and its key. ``loads`` makes an Ollama of it: the windows with which it runs models
    once they are loaded, by the first request or, ``loading`` seconds later, when asked to. It may also stand as a
    proxy: paths are then whole addresses.
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
        loads: Mapping[str, int] | None = None,
        loading: float = 0.0,
    ) -> None:
        self._rest = list(script) if isinstance(script, Sequence) else []
        self._then: Entry | None = then if isinstance(script, Sequence) else script
        self._taking = threading.Lock()
        self.key, self.strict, self.models, self.windows = key, strict, tuple(models), dict(windows or {})
        self.loads, self.loading, self.loaded = loads, loading, set[str]()
        self.embeddings: list[Part | None] = []
        self.journal = Journal(file=journal)
        self.bound = Bound()
        self._http = Listener(("127.0.0.1", port), Connection)
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

    def embed(self, body: Mapping[str, Any]) -> Mapping[str, Any] | Part:
        """The answer to an embeddings request: the next of ``embeddings`` when there is one, else computed vectors."""
        with self._taking:
            part = self.embeddings.pop(0) if self.embeddings else None
        return vectors.answer(body) if part is None else part

    @property
    def left(self) -> int:
        """Entries of the script that are not played yet."""
        return len(self._rest)

    def wait(self, until: Callable[[WireServer], bool], seconds: float = 10.0) -> None:
        """Wait until a condition holds: ``server.wait(lambda s: len(s.requests) == 2)``. Raises TimeoutError."""
        with self.journal.changed:
            if not self.journal.changed.wait_for(lambda: until(self), seconds):
                raise TimeoutError(f"not within {seconds} s; {len(self.journal.exchanges)} requests came")

    @property
    def hung_up(self) -> int:
        """Streams that the client closed before their end."""
        return self.journal.hung_up

    def answer(self, api: str, body: Mapping[str, Any], key: str) -> Part:
        """The answer to a request for a reply."""
        if self.key and key != self.key:
            return Answer(401, failure("Incorrect API key provided", "invalid_api_key", "authentication_error"))
        self.loaded.add(str(body.get("model")))
        why = rules.refusal(api, body) if self.strict else ""
        why = why or (self.bound.refusal(body) if self.strict and api == "messages" else "")
        if why:
            self.journal.note(refused=why)
            return Answer(400, failure(why))
        with self._taking:
            entry = self._rest.pop(0) if self._rest else self._then
        if entry is None:
            return Answer(400, failure("the wire script is played to its end", "script_over"))
        return entry(body) if callable(entry) else entry


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
