"""The provider that plays a script: what it yields, what it counts, and how it says that a script is wrong."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Usage
from ctxe.domain.errors import BadReply, ConfigError, ProviderError, RateLimited
from ctxe.domain.model import CallDelta, Message, ReasoningDelta, Request, Text, TextDelta, ToolSchema, Waiting
from ctxe.providers.scripted import ERRORS, Play, Scripted, load
from tests.support.counting import count_words
from tests.wire.adapters import HELLO, MODEL, hear


def test_replies_come_in_order_and_requests_are_kept() -> None:
    def third(request: Request) -> Play:
        return Play(f"You sent {len(request.messages)}.")

    provider = Scripted(
        ["One", Play("Two", [("run", {"x": "ü"}), ("run", "{}", "own")]), third], MODEL, count=count_words
    )
    assert provider.left == 3
    assert hear(provider)[1] == Reply("One", usage=Usage(11, 1), model=MODEL.id)
    deltas, reply = hear(provider)
    assert reply.calls == (ToolCall("scripted_2_1", "run", '{"x": "ü"}'), ToolCall("own", "run", "{}"))
    assert deltas == [TextDelta("Two"), CallDelta("run", 10), CallDelta("run", 2)]
    assert hear(provider)[1].text == "You sent 1."
    assert (provider.requests, provider.left) == ([HELLO] * 3, 0)


def test_a_script_without_replies_left_says_so() -> None:
    provider = Scripted(["One"], MODEL, name="demo.json")
    hear(provider)
    with pytest.raises(BadReply) as caught:
        hear(provider)
    assert caught.value.message == "demo.json holds 1 reply; this is request 2"


def test_usage_counts_every_part_and_the_prefix_shared_with_the_last_request() -> None:
    tool = ToolSchema("run", "Run it.", {"type": "object"})
    first = Request((tool,), ("be brief",), (Message("user", (Text("one two three"),)),), 100)
    grown = replace(
        first,
        messages=(
            *first.messages,
            Message("assistant", (ToolCall("a", "run", "x y"),)),
            Message("user", (ToolResult("a", "four five six seven"),)),
        ),
    )
    other = replace(grown, system=("be long now",))
    provider = Scripted([Play("a b", [("run", "p q r")]), "ok", "ok"], MODEL, count=count_words)
    schema = count_words(json.dumps(["run", "Run it.", {"type": "object"}])) + 4
    base = schema + (2 + 4) + (3 + 4)
    assert hear(provider, first)[1].usage == Usage(base, count_words("a bp q r"))
    assert hear(provider, grown)[1].usage == Usage(base + (3 + 4) + (4 + 4), 1, cache_read=base)
    assert hear(provider, other)[1].usage == Usage(base + 1 + 7 + 8, 1, cache_read=schema)


def test_reasoning_waits_delays_and_usage_are_played() -> None:
    slept: list[float] = []
    play = Play("x" * 50, reasoning="hm", waits=[(2.0, "rate limit")], delay=0.5, usage=Usage(1, 2, 1))
    deltas, reply = hear(Scripted([play], MODEL, sleep=slept.append))
    assert deltas[:2] == [Waiting(2.0, "rate limit"), ReasoningDelta("hm")]
    assert "".join(delta.text for delta in deltas[2:] if isinstance(delta, TextDelta)) == "x" * 50
    assert (slept, reply.usage) == ([0.5] * 4, Usage(1, 2, 1))


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_can_be_played(name: Any) -> None:
    with pytest.raises(ERRORS[name]) as caught:
        hear(Scripted([Play(error=name, message="as told")], MODEL))
    assert str(caught.value) == "as told"
    assert isinstance(caught.value, ProviderError)


def test_a_cut_answer_streams_half_and_raises() -> None:
    stream = Scripted([Play("x" * 96, cut=True)], MODEL).stream(HELLO)
    assert [next(stream), next(stream)] == [TextDelta("x" * 24)] * 2
    with pytest.raises(BadReply, match="cuts the answer"):
        next(stream)


def test_calls_of_a_reply_cut_by_the_limit_are_dropped() -> None:
    reply = hear(Scripted([Play("x", [("run", "{}")], stop="length")], MODEL))[1]
    assert (reply.calls, reply.stop) == ((), "length")


LINES = [
    {"text": "One", "usage": {"input": 5, "output": 1}},
    "Two",
    {"calls": [{"name": "run", "arguments": {"a": 1}}, {"name": "run", "arguments": "{", "id": "own"}]},
    {"error": "rate limit", "waits": [{"seconds": 1, "why": "busy"}]},
]
PLAYS = [
    Play("One", (), usage=Usage(5, 1)),
    Play("Two"),
    Play("", (("run", {"a": 1}), ("run", "{", "own"))),
    Play(error="rate limit", waits=((1.0, "busy"),)),
]


def test_a_script_file_is_a_list_or_one_value_per_line(tmp_path: Path) -> None:
    whole, lines = tmp_path / "whole.json", tmp_path / "lines.jsonl"
    whole.write_text(json.dumps(LINES, indent=1))
    lines.write_text("// a demo\n\n" + "\n".join(json.dumps(line) for line in LINES) + "\n")
    assert load(whole) == load(lines) == PLAYS
    with pytest.raises(RateLimited):
        hear(Scripted(load(lines)[3:], MODEL))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "{file}, reply 1 is neither words nor an object"),
        ('["a", {"txt": "b"}]', "{file}, reply 2 has no field 'txt'"),
        ('[{"error": "boom"}]', "{file}, reply 1: no error is called 'boom'"),
        ('[{"calls": [{"arguments": {}}]}]', "{file}, reply 1 cannot be used: 'name'"),
        ('[{"usage": {"inputs": 1}}]', "{file}, reply 1 cannot be used: "),
        ('"a"\n{"text": \n', "{file}, line 2: Expecting value"),
        ('[\n"a",\n}', "{file}, line 3: Expecting value"),
    ],
)
def test_a_broken_script_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.message.startswith(message.format(file=file))
    assert caught.value.hint


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for file, why in ((tmp_path / "none.json", "No such file or directory"), (binary, "it is not UTF-8")):
        with pytest.raises(ConfigError) as caught:
            load(file)
        assert caught.value.message == f"the script {file} cannot be read: {why}"
