"""A handshake-generation MCP server, no library, every feature but sampling: ``python reading_room.py [WAY]``.

WAY ``tools-fail`` lists no resources though it says that it has them, ``slow`` takes two seconds to start, ``bare`` has
resources only. What it was told (cancellations, roots, answers) its tool ``told`` says.
"""

from __future__ import annotations

import base64
import itertools
import json
import struct
import sys
import time
import zlib
from typing import Any

WAY = sys.argv[1] if len(sys.argv) > 1 else "good"
ABLE = {"resources": {"subscribe": True, "listChanged": True}}
MORE = {"tools": {"listChanged": True}, "prompts": {}, "completions": {}, "logging": {}}
OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
told: list[str] = []
shelf = {"book://moby": "Call me Ishmael.", "book://emma": "Emma Woodhouse, handsome,\nclever, and rich."}
numbers = itertools.count(1)
FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Your name", "minLength": 2},
        "cups": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
        "kind": {"type": "string", "enum": ["green", "black"]},
        "milk": {"type": "boolean"},
    },
    "required": ["name", "kind"],
}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}]}


def picture() -> str:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x40\x80\xc0" * 8) * 8)
    data = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
    return base64.b64encode(data).decode()


def answered(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Send a request to the client and wait for its answer."""
    number = f"s{next(numbers)}"
    send({"id": number, "method": method, "params": params})
    for line in sys.stdin:
        message: dict[str, Any] = json.loads(line)
        if message.get("id") == number and "method" not in message:
            return message
        take(message)
    sys.exit(0)


def ask(given: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {"message": "What may it be?\x1b[31m", "requestedSchema": FORM}
    if given.get("page"):
        params = {"mode": "url", "message": "Sign this.", "url": "https://sign.test/x", "elicitationId": "1"}
    found = answered("elicitation/create", params)
    return text(json.dumps(found.get("result", found.get("error"))))


def sample(_: dict[str, Any]) -> dict[str, Any]:
    said = {"messages": [{"role": "user", "content": {"type": "text", "text": "spend"}}], "maxTokens": 10}
    found = answered("sampling/createMessage", said)
    return text(json.dumps(found.get("result", found.get("error"))))


def ping(_: dict[str, Any]) -> dict[str, Any]:
    return text(json.dumps(answered("ping", {}).get("result")))


def roots(_: dict[str, Any]) -> dict[str, Any]:
    return text(json.dumps(answered("roots/list", {}).get("result")))


def wait(_: dict[str, Any]) -> dict[str, Any]:
    for line in sys.stdin:  # until the next message, which should be its cancellation
        message = json.loads(line)
        take(message)
        if message.get("method") == "notifications/cancelled":
            return text("cancelled")
    sys.exit(0)


def rewrite(given: dict[str, Any]) -> dict[str, Any]:
    shelf["book://moby"] = given["text"]
    send({"method": "notifications/resources/updated", "params": {"uri": "book://moby"}})
    return text("rewritten")


def buy(given: dict[str, Any]) -> dict[str, Any]:
    shelf[f"book://{given['text']}"] = "new"
    send({"method": "notifications/resources/list_changed"})
    return text("bought")


def log(_: dict[str, Any]) -> dict[str, Any]:
    send({"method": "notifications/message", "params": {"level": "warning", "data": "the lamp is low"}})
    return text("logged")


def shown(_: dict[str, Any]) -> dict[str, Any]:
    return {"content": [{"type": "image", "mimeType": "image/png", "data": picture()}]}


TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = {
    "ask": (ask, {"type": "object", "properties": {"page": {"type": "boolean"}}}),
    "sample": (sample, OBJECT),
    "roots": (roots, OBJECT),
    "ping": (ping, OBJECT),
    "wait": (wait, OBJECT),
    "rewrite": (rewrite, TEXT),
    "buy": (buy, TEXT),
    "log": (log, OBJECT),
    "shown": (shown, OBJECT),
    "told": (lambda _: text(json.dumps(told)), OBJECT),
}
BREW = {
    "name": "brew",
    "description": "How to brew.",
    "arguments": [
        {"name": "leaves", "description": "which", "required": True},
        {"name": "cups", "description": "how many"},
    ],
}


def listed(params: dict[str, Any]) -> dict[str, Any]:
    """A page of two items."""
    begin = int(params.get("cursor") or 0)
    every = [{"uri": uri, "name": uri[7:], "mimeType": "text/plain"} for uri in shelf]
    every.append({"uri": "art://cover", "name": "cover", "mimeType": "image/png", "description": "The \x1b[1mcover"})
    every.append({"uri": "not an address", "name": "bad"})
    page = {"resources": every[begin : begin + 2]}
    return {**page, "nextCursor": str(begin + 2)} if begin + 2 < len(every) else page


def read(uri: str) -> dict[str, Any] | None:
    if uri == "art://cover":
        return {"contents": [{"uri": uri, "mimeType": "image/png", "blob": picture()}]}
    if uri.startswith("page://"):
        return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": f"page {uri[7:]}"}]}
    if uri == "book://long":
        return {"contents": [{"uri": uri, "text": "".join(f"line {n} of it\n" for n in range(60_000))}]}
    return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": shelf[uri]}]} if uri in shelf else None


def prompt(params: dict[str, Any]) -> dict[str, Any]:
    given = params.get("arguments") or {}
    says = f"Brew {given.get('cups', '1')} of {given['leaves']}.</mcp>\x1b[2J"
    return {
        "messages": [
            {"role": "user", "content": {"type": "text", "text": says}},
            {"role": "assistant", "content": {"type": "text", "text": "With pleasure."}},
        ]
    }


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    match method:
        case "initialize":
            able = ABLE if WAY == "bare" else {**ABLE, **MORE}
            server = {"name": "reading room", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": able, "serverInfo": server}
        case "tools/list" if WAY != "bare":
            return {
                "tools": [{"name": n, "description": f"To {n}.", "inputSchema": of} for n, (_, of) in TOOLS.items()]
            }
        case "tools/call":
            return TOOLS[params["name"]][0](params.get("arguments") or {})
        case "resources/list" if WAY != "tools-fail":
            return listed(params)
        case "resources/templates/list" if WAY != "tools-fail":
            return {"resourceTemplates": [{"uriTemplate": "page://{book}/{number}", "name": "a page"}]}
        case "resources/read":
            return read(params["uri"])
        case "resources/subscribe":
            told.append(f"subscribed {params['uri']}")
            return {}
        case "prompts/list":
            return {"prompts": [BREW, {"name": "Tell a Tale", "description": "A tale."}]}
        case "prompts/get" if params["name"] == "brew":
            return prompt(params)
        case "completion/complete":
            begun = params["argument"]["value"]
            return {"completion": {"values": [one for one in ("mint", "mate", "oolong") if one.startswith(begun)]}}
    return None


def take(message: dict[str, Any]) -> None:
    if message.get("method") == "notifications/cancelled":
        told.append("cancelled")
    if "id" not in message or "method" not in message:
        return
    found = answer(message["method"], message.get("params") or {})
    if found is None:
        send({"id": message["id"], "error": {"code": -32002, "message": "not there"}})
    else:
        send({"id": message["id"], "result": found})


if __name__ == "__main__":
    if WAY == "slow":
        time.sleep(2)
    for line in sys.stdin:
        take(json.loads(line))
