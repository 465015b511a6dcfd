"""Injects a fault into a stream: yields the frames of a reply, and floats for seconds of silence."""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire import formats
from tests.wire.script import Reply


def spoiled(api: str, frames: list[bytes], reply: Reply) -> Iterator[bytes | float]:
    head, tail = frames[: reply.after], frames[reply.after :]
    match reply.fault:
        case "no-end":
            yield from head
        case "error":
            yield from [*head, formats.error_frame(api)]
        case "stall":
            yield from head
            yield reply.seconds
            yield from tail
        case "drip":
            for frame in frames:
                yield frame
                yield reply.seconds
        case "invalid-utf8":
            yield from [*head[:-1], head[-1].replace(b'"', b'"\xff\xfe', 1), *tail]
        case "malformed-json":
            yield from [*head[:-1], head[-1][: len(head[-1]) * 2 // 3] + b"\n\n", *tail]
        case "id-frames":
            for frame in frames:
                yield b"id: 7\nretry: 1000\n\n" + frame
        case "crlf":
            for frame in frames:
                yield frame.replace(b"\n", b"\r\n")
        case "unknown-events":
            for frame in frames:
                yield b'event: weather\ndata: {"type": "weather", "sky": "blue", "choices": []}\n\n' + frame
        case "comment":
            yield from [b": " + b"x" * reply.size + b"\n\n", *frames]
        case "gzip":
            yield b"this is not gzip at all, whatever the header says"
        case _:
            yield from frames
