"""Pictures as they are sent, in messages and in results, on every API; and the line sent to a model without vision."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.model import Image, Message, Request, Text
from ctxe.domain.picture import Picture
from ctxe.providers.pictures import picture_encoder
from tests.pictures import png
from tests.wire.adapters import APIS, HELLO, MODEL, hear, speak
from tests.wire.server import Reply, WireServer

SHOT, PLOT = png(8, 6), png(9, 7)
BYTES = {"d1": SHOT, "d2": PLOT}
DATA = {name: base64.b64encode(data).decode() for name, data in BYTES.items()}
FIRST, SECOND = (Picture("d1", "shot.png", "image/png", 8, 6, 90), Picture("d2", "plot.png", "image/png", 9, 7, 90))
SEEING = replace(MODEL, images=True)
REQUEST: Request = replace(
    HELLO,
    system=(),
    messages=(
        Message("user", (Text("# named files"), Text("[shot]"), Image(FIRST), Text("what is this?"))),
        Message("assistant", (ToolCall("c1", "read_file", "{}"), ToolCall("c2", "read_file", "{}"))),
        Message("user", (ToolResult("c1", "[plot]", picture=SECOND), ToolResult("c2", "no"), Text("a note"))),
    ),
)


def block(name: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA[name]}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def part(name: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA[name]}"}}


def item(name: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": f"data:image/png;base64,{DATA[name]}"}


def said(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


MARK = {"cache_control": {"type": "ephemeral"}}
WANTED: dict[str, list[Any]] = {
    "messages": [
        [text("# named files"), text("[shot]"), block("d1"), text("what is this?")],
        [
            {"type": "tool_result", "tool_use_id": "c1", "content": [text("[plot]"), block("d2")]},
            {"type": "tool_result", "tool_use_id": "c2", "content": "no"},
            text("a note") | MARK,
        ],
    ],
    "chat": [
        [text("# named files\n\n[shot]"), part("d1"), text("what is this?")],
        [text("[picture plot.png, 9x7 PNG, 1 kB, of c1]"), part("d2"), text("a note")],
    ],
    "responses": [
        [said("# named files"), said("[shot]"), item("d1"), said("what is this?")],
        [said("a note")],
    ],
}
GONE = "[picture shot.png, 8x6 PNG, 1 kB: it cannot be shown to you]"


def sent(api: str, seeing: bool) -> dict[str, Any]:
    model = replace(SEEING, images=seeing)
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        look = picture_encoder(model, BYTES.get)
        adapter = speak(api, server.url, model=model)
        adapter.look = look
        hear(adapter, REQUEST)
        hear(adapter, REQUEST)
        assert server.refused == []
        first, second = server.requests
        assert first.raw == second.raw
        return dict(first.body)


@pytest.mark.parametrize("api", APIS)
def test_pictures_are_sent_in_messages_and_in_results(api: str) -> None:
    body = sent(api, True)
    items = body.get("messages") or body["input"]
    assert [one["content"] for one in items if one.get("role") == "user"] == WANTED[api]
    if api == "chat":
        tools = [(one["tool_call_id"], one["content"]) for one in items if one["role"] == "tool"]
        assert tools == [("c1", "[plot]"), ("c2", "no")]
    if api == "responses":
        outputs = [one["output"] for one in items if one.get("type") == "function_call_output"]
        assert outputs == [[said("[plot]"), item("d2")], "no"]


@pytest.mark.parametrize("api", APIS)
def test_a_model_without_vision_is_sent_a_line_instead(api: str) -> None:
    body = str(sent(api, False))
    assert DATA["d1"] not in body
    assert DATA["d2"] not in body
    assert GONE in body
    assert GONE.replace("shot.png, 8x6", "plot.png, 9x7") in body
