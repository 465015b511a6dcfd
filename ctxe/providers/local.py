"""Finding model servers on this machine or network, their models, and the context windows they run with."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.providers.draft import tokens

PORTS: Mapping[int, str] = {11434: "ollama", 1234: "lmstudio", 8080: "llamacpp", 8000: "vllm"}
"""The default ports of the usual servers, and their names as providers in the catalog."""
LOOPBACK = pattern(r"127(\.\d{1,3}){3}")
WIDER: Mapping[str, str] = {
    "ollama": "OLLAMA_CONTEXT_LENGTH=32768 ollama serve",
    "lmstudio": "lms load --context-length 32768",
    "llamacpp": "llama-server --ctx-size 32768",
    "vllm": "vllm serve --max-model-len 32768",
}
"""Commands that make the usual servers run a model with a larger window."""
LOCAL_ENDINGS = (".local", ".lan", ".home", ".internal", ".home.arpa")
"""Ends of host names that do not exist on the public internet."""
SECONDS = 1.0
"""How long to ask a server for the window of a model, in all."""
LONGEST = 1_000_000
"""Most bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server offers; ``window`` in tokens, None if the server does not tell."""

    name: str
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answered: its provider's name in the catalog, base URL, and models but for embeddings."""

    provider: str
    url: str
    models: tuple[Served, ...]


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    name = (urlsplit(url).hostname or "").lower()
    return name in ("localhost", "::1") or name.endswith(".localhost") or bool(LOOPBACK.fullmatch(name))


def is_near(url: str) -> bool:
    """Whether a URL names this machine or one on the local network: a private IP address or a local host name."""
    parts = urlsplit(url)
    name = (parts.hostname or "").lower()
    if is_loopback(url) or parts.scheme != "http":
        return is_loopback(url)
    from ipaddress import ip_address

    with contextlib.suppress(ValueError):
        return ip_address(name).is_private
    return bool(name) and ("." not in name or name.endswith(LOCAL_ENDINGS))


def probe_local(ports: Mapping[int, str] = PORTS, timeout: float = 0.3) -> tuple[Server, ...]:
    """The servers that answer within ``timeout`` seconds in all, ordered like ``ports``. Never raises."""
    end = time.monotonic() + timeout
    answers: queue.SimpleQueue[tuple[int, Server | None]] = queue.SimpleQueue()
    for port, provider in ports.items():
        threading.Thread(
            target=lambda probed_port=port, name=provider: answers.put((probed_port, _ask(probed_port, name, timeout))),
            daemon=True,
        ).start()
    servers: dict[int, Server | None] = {}
    while len(servers) < len(ports) and (remaining := end - time.monotonic()) > 0:
        try:
            port, server = answers.get(timeout=remaining)
        except queue.Empty:
            break
        servers[port] = server
    return tuple(server for port in ports if (server := servers.get(port)) is not None)


def served_window(url: str, name: str, *, load: float = 0.0) -> int | None:
    """The window in tokens with which a local server runs a model; None when it does not tell or is not local.

    A server may run a model with a smaller window than its maker states, and some silently cut longer requests. Asks in
    the ways of vLLM, llama.cpp, LM Studio and Ollama. Ollama tells nothing about a model that is not loaded, so it is
    asked to load it, as the first request would, if ``load`` seconds may be spent on it.
    """
    if not is_near(url):
        return None
    parts = urlsplit(url)
    end = time.monotonic() + SECONDS
    for path, read in (
        ("/v1/models", _vllm),
        ("/props", _llamacpp),
        ("/api/v0/models", _lmstudio),
        ("/api/ps", _ollama),
    ):
        remaining = end - time.monotonic()
        answer = _get(parts.hostname or "127.0.0.1", parts.port or 80, path, remaining) if remaining > 0 else None
        if isinstance(answer, dict) and (window := tokens(read(answer, name))):
            return window
        if read is _ollama and load and isinstance(answer, dict) and isinstance(answer.get("models"), list):
            load_request = {"model": name, "stream": False}
            if _get(parts.hostname or "127.0.0.1", parts.port or 80, "/api/generate", load, load_request) is not None:
                return served_window(url, name)
    return None


def is_silent(url: str, timeout: float = 0.3) -> bool:
    """Whether a URL names a server on this machine and none listens there."""
    import socket

    if not is_loopback(url):
        return False
    at = urlsplit(url)
    try:
        with socket.create_connection((at.hostname or "127.0.0.1", at.port or 80), timeout):
            return False
    except OSError:
        return True


def _ask(port: int, provider: str, timeout: float) -> Server | None:
    answer = _get("127.0.0.1", port, "/v1/models", timeout)
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return None
    models = [
        Served(entry["id"], tokens(entry.get("max_model_len")) or None)
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and "embed" not in entry["id"].lower()
    ]
    return Server(provider, f"http://127.0.0.1:{port}/v1", tuple(models))


def _get(name: str, port: int, path: str, timeout: float, posted: Any = None) -> Any:
    """The JSON at a path, or None; never through a proxy. ``posted`` is sent as JSON if it is given."""
    # several threads run this: `import http.client` may see the parent module before the child is bound to it
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(name, port, timeout=timeout)
    try:
        content = None if posted is None else json.dumps(posted)
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if content else {})
        connection.request("POST" if content else "GET", path, content, headers)
        response = connection.getresponse()
        return json.loads(response.read(LONGEST)) if response.status == 200 else None
    except (OSError, ValueError, HTTPException, RecursionError):
        return None
    finally:
        connection.close()


def _entry_named(entries: Any, name: str, *keys: str) -> Mapping[str, Any]:
    """The first entry that has a name under one of ``keys``; empty for none."""
    for entry in entries if isinstance(entries, Sequence) else ():
        if isinstance(entry, dict) and name in [entry.get(key) for key in keys]:
            return entry
    return {}


def _vllm(answer: Mapping[str, Any], name: str) -> Any:
    return _entry_named(answer.get("data"), name, "id").get("max_model_len")


def _llamacpp(answer: Mapping[str, Any], _: str) -> Any:
    settings = answer.get("default_generation_settings")
    return settings.get("n_ctx") if isinstance(settings, dict) else None


def _lmstudio(answer: Mapping[str, Any], name: str) -> Any:
    return _entry_named(answer.get("data"), name, "id").get("loaded_context_length")


def _ollama(answer: Mapping[str, Any], name: str) -> Any:
    return _entry_named(answer.get("models"), name, "name", "model").get("context_length")
