"""The wire server itself: formats, faults, rules and journal, read without any SDK."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wire.script import FaultName
from tests.wire.server import Answer, Call, Drop, Reply, Usage, WireServer, rate_limited, redirect

ROOT = Path(__file__).parents[2]
ASK = {
    "model": "m",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [{"role": "user", "content": "hi"}],
}
ASK_RESPONSES = {"model": "m", "stream": True, "input": [{"role": "user", "content": "hi"}]}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
BODIES = {"chat": ASK, "responses": ASK_RESPONSES, "messages": ASK}


def post(server: WireServer, path: str, body: object, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **named})
    response = connection.getresponse()
    try:
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def events(data: bytes) -> list[dict[str, Any]]:
    lines = data.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]


def test_chat_streams_text_calls_and_usage() -> None:
    reply = Reply("Hello", calls=[Call("read", {"path": "ü"}, id="c1")], piece=3, usage=Usage(100, 7, 60, 10))
    with WireServer([reply]) as server:
        _, headers, data = post(server, "/chat/completions", ASK)
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert data.endswith(b"data: [DONE]\n\n")
    chunks = events(data)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hello"
    pieces = [part for delta in deltas for part in delta.get("tool_calls", ())]
    assert pieces[0] == {"index": 0, "id": "c1", "type": "function", "function": {"name": "read", "arguments": ""}}
    assert "".join(part["function"]["arguments"] for part in pieces) == '{"path": "ü"}'
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][-1] == "tool_calls"
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def test_responses_end_with_the_whole_response() -> None:
    with WireServer([Reply("Hi", reasoning="hm", calls=[Call("x")])]) as server:
        _, _, data = post(server, "/v1/responses", ASK_RESPONSES)
    last = events(data)[-1]
    assert last["type"] == "response.completed"
    assert [item["type"] for item in last["response"]["output"]] == ["reasoning", "message", "function_call"]
    assert [event["sequence_number"] for event in events(data)] == list(range(len(events(data))))


def test_messages_count_input_without_the_cache() -> None:
    with WireServer([Reply("Hi", usage=Usage(100, 7, 60, 10), reasoning="hm")]) as server:
        _, _, data = post(server, "/v1/messages", ASK)
        status, _, counted = post(server, "/v1/messages/count_tokens", ASK)
    kinds = [event["type"] for event in events(data)]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert events(data)[0]["message"]["usage"] == {
        "input_tokens": 30,
        "output_tokens": 1,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 10,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 0},
    }
    assert (status, json.loads(counted)) == (200, {"input_tokens": len(json.dumps(ASK)) // 4})


def test_the_script_is_played_in_order_and_its_end_is_reported() -> None:
    with WireServer([Reply("a"), lambda body: Reply(body["model"] * 2)]) as server:
        answers = [post(server, "/chat/completions", ASK) for _ in range(3)]
        assert [status for status, _, _ in answers] == [200, 200, 400]
        assert b'"content": "mm"' in answers[1][2]
        assert json.loads(answers[2][2])["error"]["code"] == "script_over"
        assert server.bodies == [ASK] * 3
        assert server.left == 0


def test_journal_hides_keys_and_wakes_those_who_wait() -> None:
    with WireServer([Reply("a")], key="sk-right") as server:
        status, _, _ = post(server, "/chat/completions", ASK, authorization="Bearer sk-wrong")
        post(server, "/v1/messages", ASK, x_api_key="sk-right")
        server.wait(lambda s: len(s.requests) == 2, 1)
        assert status == 401
        assert [exchange.api for exchange in server.requests] == ["chat", "messages"]
        assert server.requests[0].headers["authorization"] == "***"
        assert server.requests[1].headers["x-api-key"] == "***"
        with pytest.raises(TimeoutError, match="2 requests came"):
            server.wait(lambda s: len(s.requests) == 3, 0.05)


@pytest.mark.parametrize("api", PATHS)
@pytest.mark.parametrize("fault", ["cut", "half-line", "reset"])
def test_a_cut_fault_breaks_the_connection(api: str, fault: FaultName) -> None:
    with (
        WireServer([Reply("hello there, all of you", fault=fault)]) as server,
        pytest.raises((http.client.IncompleteRead, ConnectionResetError)),
    ):
        post(server, PATHS[api], BODIES[api])


@pytest.mark.parametrize("api", PATHS)
def test_a_clean_end_fault_lacks_the_terminal_event(api: str) -> None:
    with WireServer([Reply("hello there", fault="no-end")]) as server:
        status, _, data = post(server, PATHS[api], BODIES[api])
    assert status == 200
    assert not any(word in data for word in (b"[DONE]", b"response.completed", b"message_stop"))


def test_raw_answers_and_dropped_connections_are_played() -> None:
    with WireServer(
        [rate_limited(retry_after="2"), redirect("http://127.0.0.1:9/"), Answer(502, "<html>"), Drop()]
    ) as server:
        first, second, third = (post(server, "/chat/completions", ASK) for _ in range(3))
        assert (first[0], first[1]["retry-after"]) == (429, "2")
        assert (second[0], second[1]["location"]) == (307, "http://127.0.0.1:9/")
        assert (third[0], third[2]) == (502, b"<html>")
        with pytest.raises(http.client.RemoteDisconnected):
            post(server, "/chat/completions", ASK)


def test_a_client_that_hangs_up_is_noticed_during_a_stall() -> None:
    with WireServer([Reply("hello", fault="stall", seconds=30)]) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("POST", "/chat/completions", json.dumps(ASK))
        response = connection.getresponse()
        response.read(10)
        response.close()
        connection.close()
        server.wait(lambda s: s.hung_up == 1, 3)


CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
TORN: dict[str, list[dict[str, Any]]] = {
    "chat": [
        {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "user", "content": "x"}]},
        {"messages": [{"role": "tool", "tool_call_id": "c9", "content": "x"}]},
        {"messages": [{"role": "assistant", "content": ""}]},
        {"messages": [], "tools": [{"function": {"name": "no spaces"}}]},
    ],
    "responses": [
        {"input": [{"type": "function_call", "call_id": "c", "name": "x"}, {"role": "user", "content": "x"}]},
        {"input": [{"type": "function_call_output", "call_id": "c"}]},
        {"input": [{"type": "function_call", "call_id": "c", "name": ""}]},
    ],
    "messages": [
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        {"messages": [{"role": "user", "content": "x"}], "system": [{"cache_control": 1}] * 5},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
    ],
}


@pytest.mark.parametrize(("api", "body"), [(api, body) for api, bodies in TORN.items() for body in bodies])
def test_requests_that_real_hosts_refuse_are_refused(api: str, body: dict[str, Any]) -> None:
    with WireServer([Reply("never")]) as server:
        status, _, _ = post(server, PATHS[api], body)
        assert (status, len(server.refused), server.left) == (400, 1, 1)


def test_the_wire_server_runs_as_a_process(tmp_path: Path) -> None:
    script, journal = tmp_path / "script.json", tmp_path / "journal.jsonl"
    script.write_text(json.dumps([{"text": "from a file", "usage": {"input": 5, "output": 2}}, {"status": 529}]))
    words = [sys.executable, "-m", "tests.wire.server", str(script), "--journal", str(journal)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline().rpartition(":")[2])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", "/v1/chat/completions", json.dumps(ASK))
            assert b"from a file" in connection.getresponse().read()
            connection.close()
        finally:
            process.terminate()
    assert [json.loads(line)["body"] for line in journal.read_text().splitlines()] == [ASK]
