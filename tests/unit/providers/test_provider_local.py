"""Local model servers: found in parallel, in time, and asked for the window they run with."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ctxe.providers.local import Served, Server, is_loopback, is_near, probe_local, served_window
from tests.wire.server import WireServer


class Pages:
    """Serves fixed answers by path."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None: ...

            def do_GET(self) -> None:
                page = pages.get(self.path)
                self.send_response(200 if page is not None else 404)
                self.end_headers()
                self.wfile.write(page if isinstance(page, bytes) else json.dumps(page).encode())

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "Pages":
        threading.Thread(target=self.http.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://127.0.0.1:1", True),
        ("https://localhost:1/v1", True),
        ("http://192.168.1.20:11434/v1", True),
        ("http://10.0.0.1", True),
        ("http://[fd00::1]:8000", True),
        ("http://gpubox:8080/v1", True),
        ("http://gpubox.local", True),
        ("https://192.168.1.20", False),
        ("http://8.8.8.8/v1", False),
        ("http://host.example/v1", False),
        ("http://local.example", False),
        ("", False),
    ],
)
def test_a_local_server_is_recognised_by_its_address(url: str, wanted: bool) -> None:
    assert is_near(url) is wanted


def test_running_local_servers_are_found_with_their_models(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{silent_port}")
    with (
        WireServer(models=["qwen3-coder:30b", "nomic-embed-text", "gpt-oss:20b"]) as ollama,
        WireServer(models=["big"], windows={"big": 32_768}) as vllm,
        Pages({"/v1/models": b"<html>some web application"}) as web,
        Pages({"/v1/models": {"data": [{"id": 5}, "x", {}, {"id": "m", "max_model_len": "32k"}]}}) as odd,
        Pages({"/v1/models": [1, 2]}) as list_only,
    ):
        ports = {ollama.port: "ollama", silent_port: "lmstudio", web.port: "llamacpp", vllm.port: "vllm"}
        began = time.monotonic()
        found = probe_local(ports | {odd.port: "odd", list_only.port: "list"}, timeout=0.3)
        assert time.monotonic() - began < 0.4
        assert found == (
            Server("ollama", f"{ollama.url}/v1", (Served("qwen3-coder:30b"), Served("gpt-oss:20b"))),
            Server("vllm", f"{vllm.url}/v1", (Served("big", 32_768),)),
            Server("odd", f"http://127.0.0.1:{odd.port}/v1", (Served("m"),)),
        )


def test_no_local_server_is_found_out_quickly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        began = time.monotonic()
        assert probe_local({taken.getsockname()[1]: "ollama"}) == ()
        assert time.monotonic() - began < 0.25


@pytest.mark.parametrize(
    ("pages", "wanted"),
    [
        ({"/v1/models": {"data": [{"id": "other", "max_model_len": 1}, {"id": "m", "max_model_len": 4096}]}}, 4096),
        ({"/v1/models": {"data": [{"id": "m"}]}, "/props": {"default_generation_settings": {"n_ctx": 8192}}}, 8192),
        ({"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 16_384, "max_context_length": 9}]}}, 16_384),
        ({"/api/ps": {"models": [{"name": "m", "model": "m", "context_length": 32_768}]}}, 32_768),
        ({"/api/ps": {"models": [{"name": "n", "context_length": 32_768}]}}, None),
        ({"/v1/models": b"{", "/props": [], "/api/ps": {"models": None}}, None),
        ({"/props": {"default_generation_settings": None}, "/api/ps": {"models": [1, {"name": "m"}]}}, None),
        ({}, None),
    ],
)
def test_local_servers_report_the_window_they_run_with(pages: dict[str, Any], wanted: int | None) -> None:
    with Pages(pages) as server:
        assert served_window(server.url, "m") == wanted


def test_a_model_is_loaded_to_learn_its_window_only_when_there_is_time() -> None:
    with WireServer(loads={"m": 4_096}) as server:
        assert served_window(f"{server.url}/v1", "m") is None
        assert served_window(f"{server.url}/v1", "other", load=5) is None
        assert served_window(f"{server.url}/v1", "m", load=5) == 4_096
        assert served_window(f"{server.url}/v1", "m") == 4_096


def test_only_ollama_is_asked_to_load_a_model() -> None:
    with WireServer() as server:
        assert served_window(f"{server.url}/v1", "m", load=5) is None
        assert {exchange.method for exchange in server.exchanges} == {"GET"}


def test_other_hosts_are_not_asked_for_their_window() -> None:
    assert served_window("https://host.example/v1", "m") is None


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://localhost:1234/v1", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:80", True),
        ("http://dev.localhost", True),
        ("http://localhost.example", False),
        ("http://127.example.org", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback_is_recognised_by_the_whole_host_name(url: str, wanted: bool) -> None:
    assert is_loopback(url) is wanted
