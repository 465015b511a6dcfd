"""Parsing server-sent events: tolerant where the standard is, strict where an answer would be garbled.

The SDKs' parsers raise on frames without data, let transport errors through and build an object for each delta; with
one parser the three APIs behave alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes above which an unfinished line, event or plain answer is abandoned."""
LONGEST_STREAM = 256 * 1024 * 1024
"""Bytes above which an answer is abandoned: five times the longest answers of models, with one delta per token."""
DONE: Mapping[str, Any] = {}
"""Stands for ``[DONE]``, by which a server marks the end of a complete answer."""


class Garbled(Exception):
    """The bytes are not an event stream. ``page``: they look like a web page."""

    def __init__(self, why: str, *, page: bool = False) -> None:
        super().__init__(why)
        self.page = page


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends (LF or CR LF), without an unfinished last one. Raises Garbled for too long ones."""
    buffer, received = bytearray(), 0
    for chunk in chunks:
        received += len(chunk)
        if received > LONGEST_STREAM:
            raise Garbled("an endless answer")
        scanned = len(buffer)
        buffer += chunk
        start = 0
        while (end := buffer.find(b"\n", max(start, scanned))) >= 0:
            yield bytes(buffer[start:end]).removesuffix(b"\r")
            start = end + 1
        del buffer[:start]
        if len(buffer) > LONGEST_LINE:
            raise Garbled("an endless line")


def events(chunks: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """The JSON object of each event; comments and frames without data are skipped, ``[DONE]`` gives DONE.

    When a server answers with a plain JSON object instead of a stream, it is the only event. Raises Garbled for a web
    page, bytes that are not UTF-8, and data that is not a JSON object.
    """
    stream = lines(chain(chunks, (b"\n",)))  # plain JSON may lack a final newline
    first = next((line for line in stream if line.strip()), b"").removeprefix(b"\xef\xbb\xbf")
    if first.lstrip().startswith(b"<"):
        raise Garbled("a web page instead of an answer", page=True)
    if first.lstrip().startswith(b"{"):
        yield _object(b"\n".join(_bounded(chain((first,), stream))))
        return
    data: list[bytes] = []
    size = 0
    for line in chain((first,), stream):
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
            size += len(line)
            if size > LONGEST_LINE:
                raise Garbled("an endless event")
        elif not line:
            event_data = b"\n".join(data)
            data.clear()
            size = 0
            if event_data.startswith(b"[DONE]"):
                yield DONE
            elif event_data.strip():
                yield _object(event_data)


def _bounded(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a plain answer. Raises Garbled when it is too long."""
    size = 0
    for line in stream:
        size += len(line) + 1
        if size > LONGEST_LINE:
            raise Garbled("an endless answer")
        yield line


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except UnicodeDecodeError:
        raise Garbled("bytes that are not text") from None
    except (ValueError, RecursionError):
        raise Garbled("broken JSON") from None
    if not isinstance(value, dict):
        raise Garbled("JSON that is not an object")
    return value
