"""Server-sent events out of raw bytes, tolerant where the standard is and strict where an answer would be garbled.

The SDKs' own readers raise on frames without data, let transport errors through and build a typed object per delta;
reading bytes ourselves makes the three APIs behave alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes after which a line, an event or a plain answer without an end is taken for noise."""
LONGEST_STREAM = 256 * 1024 * 1024
"""Bytes after which an answer is given up: five times what the longest that models write take, a delta a token."""
DONE: Mapping[str, Any] = {}
"""Stands for ``[DONE]``: the server says that nothing was lost on the way."""


class Garbled(Exception):
    """The bytes are no event stream; ``page`` says that they look like a web page."""

    def __init__(self, why: str, *, page: bool = False) -> None:
        super().__init__(why)
        self.page = page


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends (LF or CR LF), the unfinished last one left out. Raises Garbled for endless ones."""
    buffer, came = bytearray(), 0
    for chunk in chunks:
        came += len(chunk)
        if came > LONGEST_STREAM:
            raise Garbled("an answer without end")
        scanned = len(buffer)
        buffer += chunk
        start = 0
        while (end := buffer.find(b"\n", max(start, scanned))) >= 0:
            yield bytes(buffer[start:end]).removesuffix(b"\r")
            start = end + 1
        del buffer[:start]
        if len(buffer) > LONGEST_LINE:
            raise Garbled("a line without end")


def events(chunks: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of the data fields; comments and frames without data are passed over, ``[DONE]`` gives DONE.

    A server that answers with one plain JSON object instead of a stream gives that object as the only event. Raises
    Garbled for a web page, bytes that are not UTF-8, and data that is not a JSON object.
    """
    stream = lines(chain(chunks, (b"\n",)))  # plain JSON has no final line end; half an SSE line stays void anyway
    first = next((line for line in stream if line.strip()), b"").removeprefix(b"\xef\xbb\xbf")
    if first.lstrip().startswith(b"<"):
        raise Garbled("a web page instead of an answer", page=True)
    if first.lstrip().startswith(b"{"):
        yield _object(b"\n".join(_bounded(chain((first,), stream))))
        return
    data: list[bytes] = []
    held = 0
    for line in chain((first,), stream):
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
            held += len(line)
            if held > LONGEST_LINE:
                raise Garbled("an event without end")
        elif not line:
            whole = b"\n".join(data)
            data.clear()
            held = 0
            if whole.startswith(b"[DONE]"):
                yield DONE
            elif whole.strip():
                yield _object(whole)


def _bounded(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a plain answer. Raises Garbled when they are too much."""
    held = 0
    for line in stream:
        held += len(line) + 1
        if held > LONGEST_LINE:
            raise Garbled("an answer without end")
        yield line


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except UnicodeDecodeError:
        raise Garbled("bytes that are no text") from None
    except (ValueError, RecursionError):
        raise Garbled("broken JSON") from None
    if not isinstance(value, dict):
        raise Garbled("JSON that is no object")
    return value
