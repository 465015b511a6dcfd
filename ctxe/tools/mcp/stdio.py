"""A server on its own standard streams, below the keeper: what it says is bounded, and it never outlives us."""

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
"""Bytes of one message."""
FLOOD = 64_000_000
"""Bytes that may come between two calls."""
MOST_NOISE = 1_000
"""Lines that are no messages: programs print greetings, but not without end."""
GRACE_SECONDS = 0.5
"""How long a server may take to end once its input is closed, before it is ended."""
LAST_SECONDS = 2.5
"""How long the keeper may take to end it and all it started."""
MOST_LOG = 64_000
"""Bytes of what it says on standard error that are kept, the newest."""


@dataclass(slots=True)
class ServerState:
    """What is known of a running server beside its messages: why it ended, and the end of its standard error.

    ``refused`` is the status with which an address answered last, where that was an error; ``needs`` what may help.
    """

    why: str = ""
    refused: str = ""
    needs: str = ""
    flow: int = 0
    noise: int = 0
    log: deque[bytes] = field(default_factory=deque)
    held: int = 0

    def note(self, piece: bytes) -> None:
        """Keep a piece of standard error; the oldest gives way."""
        self.log.append(piece)
        self.held += len(piece)
        while self.held > MOST_LOG and len(self.log) > 1:
            self.held -= len(self.log.popleft())

    @property
    def text(self) -> str:
        """The end of standard error."""
        return b"".join(self.log)[-MOST_LOG:].decode("utf-8", "replace")

    @property
    def quoted(self) -> str:
        """The last thing it said there, as an addition to why it failed; empty when it said nothing."""
        last = next((said for row in reversed(self.text.splitlines()) if (said := one_line(row, 160))), "")
        return f"; it said: {last}" if last else ""


@contextlib.asynccontextmanager
async def stdio_streams(
    launch: Launch, heard: ServerState, ended: Callable[[], None]
) -> AsyncIterator[TransportStreams]:
    """The streams of messages from and to a started server. ``ended`` is called once it has gone.

    Raises ToolError when it cannot be started.
    """
    import anyio
    from mcp.shared.message import SessionMessage

    process, told, hold = await _start(launch)
    coming, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, going = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        async with coming:
            heard.why = await _read(process, heard, coming.send)
        heard.why = heard.why or f"{_ending(told, launch)}{heard.quoted}"
        ended()
        assert process.stdout is not None
        while await process.stdout.read(PIECE):  # what is still said hinders its end
            pass

    tasks = [asyncio.create_task(one) for one in (read(), _write(process, going), _listen(process, heard))]
    try:
        yield incoming, outgoing
    finally:
        with anyio.CancelScope(shield=True):
            for stream in (incoming, outgoing, going):
                stream.close()
            await _end(process, hold)
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # nothing public closes the pipes of one that was not read to its end
            process._transport.close()  # type: ignore[attr-defined]
            await asyncio.sleep(0)
            os.close(told)


async def _start(launch: Launch) -> tuple[asyncio.subprocess.Process, int, int]:
    """A server below its keeper, the pipe with the keeper's report, and the one that lets it live while it is open.

    Raises ToolError when it cannot be started.
    """
    told, tell = os.pipe()
    life, hold = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *keeping(launch.command, tell, life),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=launch.cwd,
            env=dict(launch.environment),
            pass_fds=(tell, life),
            start_new_session=True,
            limit=MOST_LINE,
        )
    except (OSError, ValueError) as error:
        os.close(told)
        os.close(hold)
        raise ToolError(f"it cannot be started: {getattr(error, 'strerror', None) or error}") from None
    finally:
        os.close(tell)
        os.close(life)
    return process, told, hold


async def _read(process: asyncio.subprocess.Process, heard: ServerState, give: Callable[..., object]) -> str:
    """Pass on every message until the stream ends; why it was given up, if it was."""
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
        heard.flow += len(line)
        if heard.flow > FLOOD:
            return f"it sent more than {FLOOD // 1_000_000} MB without being asked and was ended"
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            heard.noise += 1
            if heard.noise > MOST_NOISE:
                return "what it sends are no messages of the protocol; it was ended"
            continue
        try:
            await give(SessionMessage(message))  # type: ignore[misc]
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return ""


async def _write(process: asyncio.subprocess.Process, going: AsyncIterable[SessionMessage]) -> None:
    """Send every message until there are no more, or nobody reads them."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, RuntimeError):
        async for message in going:
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(line.encode() + b"\n")
            await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, heard: ServerState) -> None:
    assert process.stderr is not None
    while piece := await process.stderr.read(PIECE):
        heard.note(piece)


def _ending(told: int, launch: Launch) -> str:
    """Why a server whose output ended has ended, from the keeper's report."""
    os.set_blocking(told, False)
    try:
        code = report_of(os.read(told, 4096).decode("ascii", "replace"), launch.command[0])
    except BlockingIOError:
        return "it closed its output"
    except ToolError as error:
        return str(error)
    return "it ended" if code is None else f"it ended with exit code {code}"


async def _end(process: asyncio.subprocess.Process, hold: int) -> None:
    """Close its input, wait a moment, then let the keeper end it and whatever it started."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    finally:
        os.close(hold)
    try:
        await asyncio.wait_for(process.wait(), LAST_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
