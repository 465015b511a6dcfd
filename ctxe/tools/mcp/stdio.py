"""Running a server as a process with its messages on standard streams, limited in size; it never outlives us."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TYPE_CHECKING

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field
from ctxe.safety.display import one_line
from ctxe.safety.running.child import keeping, report_of
from ctxe.tools.mcp.launch import Launch

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

PIECE = 65_536
MOST_LINE = 8_000_000
"""Most bytes of one message."""
FLOOD = 64_000_000
"""Most bytes that may come between two calls."""
MOST_NOISE = 1_000
"""Most lines that are not messages; programs may print a greeting."""
GRACE_SECONDS = 0.5
"""How long a server may take to exit after its input is closed, before it is killed."""
LAST_SECONDS = 2.5
"""How long the keeper may take to kill it with all processes it started."""
MOST_LOG = 64_000
"""Newest bytes of standard error that are kept."""


@dataclass(slots=True)
class ServerState:
    """The state of a server's process: ``why`` it ended, and its standard error (``log``).

    ``refused`` is the HTTP status of the last answer if it was an error, ``needs`` a hint for this case. ``flow``
    counts bytes since the last call, ``noise`` lines that were not messages, ``held`` bytes in ``log``.
    """

    why: str = ""
    refused: str = ""
    needs: str = ""
    flow: int = 0
    noise: int = 0
    log: deque[bytes] = field(default_factory=deque)
    held: int = 0

    def note(self, piece: bytes) -> None:
        """Keep a piece of standard error; the oldest ones are dropped."""
        self.log.append(piece)
        self.held += len(piece)
        while self.held > MOST_LOG and len(self.log) > 1:
            self.held -= len(self.log.popleft())

    @property
    def text(self) -> str:
        """The kept end of standard error."""
        return b"".join(self.log)[-MOST_LOG:].decode("utf-8", "replace")

    @property
    def quoted(self) -> str:
        """The last line of standard error, to be added to the reason of a failure; empty for none."""
        last = next((line for row in reversed(self.text.splitlines()) if (line := one_line(row, 160))), "")
        return f"; it said: {last}" if last else ""


@contextlib.asynccontextmanager
async def stdio_streams(
    launch: Launch, server_state: ServerState, ended: Callable[[], None]
) -> AsyncIterator[TransportStreams]:
    """Start a server; gives its message streams. ``ended`` is called when it has ended.

    Raises ToolError when it cannot be started.
    """
    import anyio
    from mcp.shared.message import SessionMessage

    process, report, life_pipe = await _start(launch)
    received, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_send = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        async with received:
            server_state.why = await _read(process, server_state, received.send)
        server_state.why = server_state.why or f"{_ending(report, launch)}{server_state.quoted}"
        ended()
        assert process.stdout is not None
        while await process.stdout.read(PIECE):  # a full pipe would keep it from exiting
            pass

    tasks = [asyncio.create_task(work) for work in (read(), _write(process, to_send), _listen(process, server_state))]
    try:
        yield incoming, outgoing
    finally:
        with anyio.CancelScope(shield=True):
            for stream in (incoming, outgoing, to_send):
                stream.close()
            await _end(process, life_pipe)
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # there is no public way to close pipes that were not read to the end
            process._transport.close()  # type: ignore[attr-defined]
            await asyncio.sleep(0)
            os.close(report)


async def _start(launch: Launch) -> tuple[asyncio.subprocess.Process, int, int]:
    """Start a server under a keeper: the process, the pipe of the keeper's report, and the pipe to close to end it.

    Raises ToolError when it cannot be started.
    """
    report, report_end = os.pipe()
    life_end, life_pipe = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *keeping(launch.command, report_end, life_end),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=launch.cwd,
            env=dict(launch.environment),
            pass_fds=(report_end, life_end),
            start_new_session=True,
            limit=MOST_LINE,
        )
    except (OSError, ValueError) as error:
        os.close(report)
        os.close(life_pipe)
        raise ToolError(f"it cannot be started: {getattr(error, 'strerror', None) or error}") from None
    finally:
        os.close(report_end)
        os.close(life_end)
    return process, report, life_pipe


async def _read(process: asyncio.subprocess.Process, server_state: ServerState, pass_on: Callable[..., object]) -> str:
    """Pass on every message until the stream ends. Returns the reason for giving up; empty for a normal end."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            return f"it sent a message of more than {MOST_LINE // 1_000_000} MB and was ended"
        if not line:
            return ""
        server_state.flow += len(line)
        if server_state.flow > FLOOD:
            return f"it sent more than {FLOOD // 1_000_000} MB without being asked and was ended"
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            server_state.noise += 1
            if server_state.noise > MOST_NOISE:
                return "its output is not in the server protocol; it was ended"
            continue
        try:
            await pass_on(SessionMessage(message))  # type: ignore[misc]
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return ""


async def _write(process: asyncio.subprocess.Process, messages: AsyncIterable[SessionMessage]) -> None:
    """Send every message until there are no more, or the server stops reading."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, RuntimeError):
        async for message in messages:
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(line.encode() + b"\n")
            await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, server_state: ServerState) -> None:
    assert process.stderr is not None
    while piece := await process.stderr.read(PIECE):
        server_state.note(piece)


def _ending(report: int, launch: Launch) -> str:
    """The reason why a server's output ended, from the keeper's report."""
    os.set_blocking(report, False)
    try:
        code = report_of(os.read(report, 4096).decode("ascii", "replace"), launch.command[0])
    except BlockingIOError:
        return "it closed its output"
    except ToolError as error:
        return str(error)
    return "it ended" if code is None else f"it ended with exit code {code}"


async def _end(process: asyncio.subprocess.Process, life_pipe: int) -> None:
    """Close the server's input, wait a moment, then let the keeper kill it with all processes it started."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    finally:
        os.close(life_pipe)
    try:
        await asyncio.wait_for(process.wait(), LAST_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
