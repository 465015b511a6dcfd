"""Servers that hang, die, flood or send nonsense cost one error result in time, and leave no process behind."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Progress, ToolOutput
from ctxe.tools.mcp.launch import Launch
from tests.unit.tools.mcp_servers import SERVERS, Held, by_hand, call, living, loop, none_left

__all__ = ["loop"]


def test_a_server_is_listed_called_and_ended_with_its_child_processes(loop: Held, tmp_path: Path) -> None:
    held = by_hand(loop, tmp_path)
    assert call(held, "echo", {"text": "hello"}) == ToolOutput("hello", True)
    assert "echo" in [tool.name for tool in held.tools]
    assert all(tool.name.isascii() for tool in held.tools)
    assert call(held, "garbage").text == "after the garbage"
    assert call(held, "pictures") == ToolOutput(
        "[image image/png, 300 bytes, not shown]\n[resource a: tea:file:///a]\n[file:///b]\ninside of b", False
    )
    assert call(held, "child", {"text": "77"}).text == "started"
    until = time.monotonic() + 5
    while not (asleep := any("sleep 77" in words for words in living(tmp_path))) and time.monotonic() < until:
        time.sleep(0.05)
    assert asleep
    ending = held.close()
    assert ending is not None
    ending.result(5)
    assert (held.state, none_left(tmp_path)) == ("not started", [])


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        ("hang", "no answer within 1 s, the time limit (mcp.servers.tea.timeout)"),
        ("crash", "tea: it ended with exit code 3; it said: the pot is broken"),
        ("huge", "tea: it sent a message of more than 8 MB and was ended"),
        ("endless", "tea: it sent more than 64 MB without being asked and was ended"),
        ("wrong", "tea: 1 validation error for CallToolResult"),
    ],
)
def test_a_failing_call_gives_one_error_result_in_time(loop: Held, tmp_path: Path, tool: str, says: str) -> None:
    held = by_hand(loop, tmp_path, seconds=1.0 if tool == "hang" else 20.0)
    call(held, "echo", {"text": "x"})
    began = time.monotonic()
    with pytest.raises(ToolError) as told:
        call(held, tool)
    assert str(told.value).startswith(says)
    assert time.monotonic() - began < (2.5 if tool == "hang" else 20.0)
    if tool == "crash":
        assert call(held, "echo", {"text": "again"}).text == "again"


def test_a_long_answer_keeps_its_ends(loop: Held, tmp_path: Path) -> None:
    text = call(by_hand(loop, tmp_path), "long").text
    assert (text[:6], text[-11:], len(text) < 1_000_100) == ("row 0\n", "row 199999\n", True)


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("silent", "it did not answer within 1 s"),
        ("exit", "it ended with exit code 7; it said: no tea today"),
        ("noise", "its output is not in the server protocol; it was ended"),
    ],
)
def test_a_server_that_fails_to_start_is_reported_with_its_error_and_ended(
    loop: Held, tmp_path: Path, way: str, says: str
) -> None:
    kept: list[str] = []
    held = by_hand(loop, tmp_path, way, seconds=1.0 if way == "silent" else 20.0, kept=kept)
    with pytest.raises(ToolError) as told:
        call(held, "echo")
    assert str(told.value) == says
    assert (held.state, held.why, none_left(tmp_path)) == ("failed", says, [])
    assert kept == (["no tea today\n"] if way == "exit" else [])


@pytest.mark.parametrize("command", ["/nonexistent/tea", "/"])
def test_a_server_program_that_cannot_start_is_reported(loop: Held, tmp_path: Path, command: str) -> None:
    held = loop.connect(Launch("tea", (command,), {}, tmp_path))
    with pytest.raises(ToolError, match="cannot run /"):
        call(held, "echo")


def test_servers_connect_in_parallel_and_a_silent_one_delays_no_other(loop: Held, tmp_path: Path) -> None:
    good, silent = by_hand(loop, tmp_path), by_hand(loop, tmp_path, "silent", seconds=20.0)
    began = time.monotonic()
    for held in (silent, good):
        held.start()
    good.wait()
    assert (silent.state, good.state, time.monotonic() - began < 15) == ("connecting", "connected", True)
    ending = silent.close()
    assert ending is not None
    ending.result(5)
    assert silent.state == "not started"


def test_a_stuck_server_is_restarted(loop: Held, tmp_path: Path) -> None:
    held = by_hand(loop, tmp_path, seconds=1.0)
    call(held, "echo", {"text": "x"})
    stuck = held.server.process_state
    with pytest.raises(ToolError):
        call(held, "hang")
    held.launch = replace(held.launch, start_timeout=20.0)
    assert call(held, "echo", {"text": "y"}).text == "y"
    assert held.server.process_state is not stuck


def test_progress_of_a_server_call_is_reported(loop: Held, tmp_path: Path) -> None:
    command = (sys.executable, str(SERVERS / "by_library.py"))
    held = loop.connect(Launch("tea", command, dict(os.environ), tmp_path))
    held.start()
    held.wait()
    assert held.instructions == "Ask for tea politely."
    told = list(held.call("wait_for_water", {}))
    assert told == [*(Progress(f"boiling {n} of 100\n") for n in (20, 60, 100)), ToolOutput("it boils", True)]
    assert call(held, "brew_tea", {"leaves": "mint", "cups": 2}) == ToolOutput("2 cups of mint", True)
    assert call(held, "spill").ok is False


def test_no_server_outlives_a_killed_ctxe(tmp_path: Path) -> None:
    program = f"""
import sys; sys.path.insert(0, {str(SERVERS.parents[1])!r})
from pathlib import Path
from tests.unit.tools.mcp_servers import Held, by_hand, call
held = by_hand(Held(), Path({str(tmp_path)!r}))
call(held, "child", {{"text": "78"}})
print("ready", flush=True)
list(held.call("hang", {{}}))
"""
    ours = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    assert ours.stdout.readline() == "ready\n"
    assert len(living(tmp_path)) >= 2
    ours.send_signal(signal.SIGKILL)
    ours.wait()
    ours.stdout.close()
    assert none_left(tmp_path) == []


class Address(http.server.BaseHTTPRequestHandler):
    """A server at an address, bad in the way that its path names."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        told = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "x", "version": "1"},
        }
        tool = {"name": "pour", "inputSchema": {"type": "object"}}
        text = "x" * (10_000_000 if self.path == "/huge" else 5)
        results: dict[str, Any] = {
            "initialize": told,
            "tools/list": {"tools": [tool]},
            "tools/call": {"content": [{"type": "text", "text": text}]},
        }
        answer: dict[str, Any] = {"error": {"code": -32601, "message": "not known"}}
        if asked["method"] in results:
            answer = {"result": results[asked["method"]]}
        code = {"/401": 401, "/elsewhere": 307}.get(self.path, 200 if "id" in asked else 202)
        body = json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), **answer}).encode() if code == 200 else b""
        self.send_response(code)
        if code == 307:
            self.send_header("location", "http://elsewhere.invalid/mcp")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@pytest.fixture
def address() -> Iterator[str]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Address)
    serving.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/good", ""),
        ("/huge", "tea: it sent a message of more than 8 MB and was cut off"),
        ("/401", "(401 Unauthorized; `ctxe mcp login tea` signs in, or a token in `headers` does)"),
        ("/elsewhere", "Redirect to http://elsewhere.invalid/mcp not followed"),
    ],
)
def test_an_http_server_is_bounded_in_time_and_its_refusal_is_shown(
    loop: Held, address: str, path: str, says: str
) -> None:
    held = loop.connect(Launch("tea", url=address + path, timeout=20, start_timeout=20))
    if not says:
        assert call(held, "pour") == ToolOutput("xxxxx", True)
        return
    with pytest.raises(ToolError, match=re.escape(says)):
        call(held, "pour")
