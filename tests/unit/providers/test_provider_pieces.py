"""The pure parts of the providers: event streams, thoughts, marks, ids and names, layouts of carried blocks."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.conversation import Reply, ToolCall
from ctxe.domain.model import Block, Carry, Text
from ctxe.providers import anthropic, openai_responses, sse
from ctxe.providers.anthropic import REACH, mark
from ctxe.providers.chat_answer import AnswerReader
from ctxe.providers.draft import Draft, as_object, usage_of
from ctxe.providers.echo import layout, legal_id, legal_json, legal_name, placed
from ctxe.providers.faults import RequestFault
from ctxe.providers.think import Thinking
from ctxe.providers.transport import encode
from tests.wire.adapters import APIS, HELLO, MODEL, speak


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[first:last] for first, last in pairwise(edges)]


STREAM = (
    b': hello\r\n\r\nevent: a\r\ndata: {"n": 1,\r\ndata:  "s": "\xc3\xa4"}\r\n\r\nid: 1\nretry: 5\n\n'
    b'data:{"n":2}\n\ndata: \n\nbogus line\nevent: x\n\ndata: [DONE]\n\ndata: {"n": 3}\n\ndata: {"cut'
)


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_stream_events_do_not_depend_on_byte_boundaries(places: list[int]) -> None:
    assert list(sse.events(cut(STREAM, places))) == [{"n": 1, "s": "ä"}, {"n": 2}, sse.DONE, {"n": 3}]


@given(st.lists(st.integers(0, 100), max_size=5))
def test_a_plain_json_body_is_the_only_event(places: list[int]) -> None:
    assert list(sse.events(cut(b'\xef\xbb\xbf {"choices": [\n1, 2]\n}', places))) == [{"choices": [1, 2]}]
    assert list(sse.events(cut(b'\n\n{"a": 1}', places))) == [{"a": 1}]


@pytest.mark.parametrize("data", [b"", b"\n\n", b": only comments\n\n", b'data: {"half', b"nothing like it"])
def test_an_empty_body_has_no_event(data: bytes) -> None:
    assert list(sse.events([data])) == []


@pytest.mark.parametrize(
    ("data", "why", "page"),
    [
        (b"\n <!DOCTYPE html><html>", "a web page instead of an answer", True),
        (b'data: {"a": \n\n', "broken JSON", False),
        (b"data: [1]\n\n", "JSON that is not an object", False),
        (b'data: "\xff\xfe"\n\n', "bytes that are not text", False),
        (b'{"a": 1', "broken JSON", False),
        (b"data: " + b"[" * 100_000 + b"\n\n", "broken JSON", False),
    ],
)
def test_a_body_that_is_no_event_stream_is_named(data: bytes, why: str, page: bool) -> None:
    with pytest.raises(sse.Garbled) as caught:
        list(sse.events([data]))
    assert (str(caught.value), caught.value.page) == (why, page)


@pytest.mark.parametrize(
    ("head", "rest", "why"),
    [
        (b"x", b"x" * 1_000_000, "an endless line"),
        (b"", b"data: " + b"x" * 1_000_000 + b"\n", "an endless event"),
        (b"{", b"\n" + b" " * 1_000_000, "an endless answer"),
        (b"", (b'data: {"a": "' + b"x" * 1_000_000 + b'"}\n\n'), "an endless answer"),
    ],
    ids=["line", "event", "plain", "stream"],
)
def test_an_endless_event_stream_is_given_up(head: bytes, rest: bytes, why: str) -> None:
    def endless() -> Iterator[bytes]:
        yield head
        while True:
            yield rest

    with pytest.raises(sse.Garbled, match=why):
        for _ in sse.events(endless()):
            pass


THOUGHTS = [
    ("<think>one\ntwo</think>\n\nthree", [("one\ntwo", True), ("three", False)]),
    (" \n<think>\none</think>two</think>", [("one", True), ("two</think>", False)]),
    ("no <think>tags</think> here", [("no <think>tags</think> here", False)]),
    ("<thin ice", [("<thin ice", False)]),
    ("<think>never closed</thi", [("never closed</thi", True)]),
    ("<think></think>", []),
    ("<", [("<", False)]),
    ("", []),
]


@pytest.mark.parametrize(("text", "wanted"), THOUGHTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_think_tags_are_separated_however_they_are_streamed(
    text: str, wanted: list[tuple[str, bool]], size: int
) -> None:
    thinking = Thinking()
    pieces = [piece for at in range(0, len(text), size) for piece in thinking.split(text[at : at + size])]
    joined: list[tuple[str, bool]] = []
    for words, is_thought in [*pieces, *thinking.rest()]:
        if joined and joined[-1][1] == is_thought:
            joined[-1] = (joined[-1][0] + words, is_thought)
        else:
            joined.append((words, is_thought))
    assert joined == wanted


KINDS = st.lists(st.sampled_from(["text", "tool_use", "tool_result", "text", "text", "thinking"]), max_size=120)


@given(KINDS, st.integers(1, 4))
def test_cache_marks_are_few_and_near_the_end(kinds: list[str], marks: int) -> None:
    blocks: list[dict[str, Any]] = [{"type": kind} for kind in kinds]
    mark(blocks, marks)
    marked = [at for at, block in enumerate(blocks) if "cache_control" in block]
    able = [at for at, kind in enumerate(kinds) if kind != "thinking"]
    assert len(marked) <= marks
    assert all(kinds[at] != "thinking" for at in marked)
    assert (marked[-1:] == able[-1:]) if able else marked == []
    for first, second in pairwise(marked):
        assert second - first <= REACH
    if all(kind != "thinking" for kind in kinds) and marked:
        assert len(marked) == marks or marked[0] <= REACH


def test_cache_marks_after_many_parallel_calls_reach_the_previous_prefix() -> None:
    before = [{"type": "text"} for _ in range(30)]
    mark(before, 3)
    after: list[dict[str, Any]] = [{"type": "text"} for _ in range(30 + 40)]
    mark(after, 3)
    written = {at for at, block in enumerate(before) if "cache_control" in block}
    looked_up = {at - back for at, block in enumerate(after) if "cache_control" in block for back in range(20)}
    assert max(written) in looked_up


def test_one_cache_mark_is_set_behind_the_prefix_that_survives_a_fold() -> None:
    blocks: list[dict[str, Any]] = [{"type": "text"} for _ in range(60)]
    mark(blocks, 3, 4)
    assert [at for at, block in enumerate(blocks) if "cache_control" in block] == [3, 59 - REACH, 59]
    short: list[dict[str, Any]] = [{"type": "text"} for _ in range(4)]
    mark(short, 3, 4)
    assert [at for at, block in enumerate(short) if "cache_control" in block] == [3]


@given(st.text(max_size=80))
def test_names_and_ids_are_made_legal_once(text: str) -> None:
    name, long, short = legal_name(text), legal_id(text), legal_id(text, short=True)
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}", name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", long)
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", short)
    assert (legal_name(name), legal_id(long), legal_id(short, short=True)) == (name, long, short)


@pytest.mark.parametrize("name", ["read_file", "a", "mcp-x_Y9"])
def test_legal_names_stay(name: str) -> None:
    assert (legal_name(name), legal_id(name)) == (name, name)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("{}", {}),
        ('{"a": [1, {"b": "ü"}]}', {"a": [1, {"b": "ü"}]}),
        ("", None),
        ("[1]", None),
        ("null", None),
        ('{"a": NaN}', None),
        ('{"a": 1', None),
        ("[" * 200_000, None),
    ],
)
def test_arguments_are_objects_or_nothing(arguments: str, value: Any) -> None:
    assert as_object(arguments) == value
    assert isinstance(json.loads(legal_json(arguments)), dict)


@given(
    st.lists(
        st.one_of(
            st.text(max_size=5),
            st.sampled_from([ToolCall("a", "x", "{}"), ToolCall("b", "y", "{}")]),
            st.just({"t": 1}),
        ),
        max_size=8,
        unique_by=lambda part: part.id if isinstance(part, ToolCall) else id(part),
    )
)
def test_carried_blocks_come_back_where_they_stood(parts: list[Any]) -> None:
    text = "".join(part for part in parts if isinstance(part, str))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    carry = layout(parts)
    blocks: list[Block] = [Carry(carry, "m"), Text(text), *calls] if carry else [Text(text), *calls]
    back = [block.text if isinstance(block, Text) else block for block in placed(blocks, "m")]
    kept = [part for part in parts if part != ""]
    merged = [text, *calls] if text else calls
    assert [part for part in back if part != ""] == (kept if carry else merged)


def test_a_shortened_text_stays_whole_among_carried_blocks() -> None:
    carry = Carry('[{"t":1},5,{"t":2},6,"gone"]', "m")
    assert list(placed([carry, Text("short"), ToolCall("new", "x", "{}")], "m")) == [
        {"t": 1},
        Text("short"),
        {"t": 2},
        ToolCall("new", "x", "{}"),
    ]


@pytest.mark.parametrize("broken", ["{", "3", '"x"', "null"])
def test_broken_carried_blocks_are_ignored(broken: str) -> None:
    assert list(placed([Carry(broken, "m"), Text("a")], "m")) == [Text("a")]


@given(st.integers(), st.integers(), st.integers(), st.integers())
def test_usage_is_never_negative_or_inconsistent(total: int, output: int, read: int, write: int) -> None:
    usage = usage_of(total, output, read, write)
    assert usage is None or (
        usage.input >= usage.cache_read + usage.cache_write and min(usage.input, usage.output) >= 0
    )


def test_request_bytes_are_compact_and_encoding_never_fails() -> None:
    assert encode({"b": "ä\ud800", "a": [1, None]}) == '{"b":"ä?","a":[1,null]}'.encode()


KEYS = [
    "type",
    "choices",
    "delta",
    "message",
    "content",
    "text",
    "thinking",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "index",
    "id",
    "finish_reason",
    "usage",
    "prompt_tokens",
    "completion_tokens",
    "prompt_tokens_details",
    "error",
    "code",
    "x_groq",
    "reasoning_content",
    "reasoning_details",
    "item",
    "response",
    "output",
    "output_index",
    "content_block",
    "partial_json",
    "signature",
    "stop_reason",
    "incomplete_details",
    "status",
    "refusal",
    "input_tokens",
    "input_tokens_details",
    "extra_content",
    "encrypted_content",
    "call_id",
    "input",
]
WORDS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "error",
    "text_delta",
    "thinking",
    "text",
    "input_json_delta",
    "thinking_delta",
    "signature_delta",
    "tool_use",
    "redacted_thinking",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "function_call",
    "response.function_call_arguments.delta",
    "response.reasoning_text.delta",
    "reasoning",
    "message",
    "stop",
    "length",
    "tool_calls",
]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(allow_nan=False), st.sampled_from(WORDS))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=12,
)
EVENTS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), max_size=6)


@given(EVENTS, st.sampled_from(APIS))
def test_any_events_end_in_a_reply_or_a_fault(events: list[dict[str, Any]], api: str) -> None:
    provider, draft = speak(api, "http://127.0.0.1:9"), Draft()
    if api == "chat":
        deltas = AnswerReader(draft, provider.transport, echo_reasoning=True).read(iter(events))
    else:
        read = anthropic.read if api == "messages" else openai_responses.read
        deltas = read(iter(events), draft, provider.transport)
    try:
        items = list(draft.finish(deltas, provider.transport.endpoint, HELLO, MODEL.id))
    except RequestFault:
        return
    for item in items[:-1]:
        assert isinstance(getattr(item, "text", getattr(item, "name", None)), str)
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert isinstance(json.loads(reply.carry or "[]"), list | dict)
    assert all(isinstance(part, str) for call in reply.calls for part in (call.id, call.name, call.arguments))
