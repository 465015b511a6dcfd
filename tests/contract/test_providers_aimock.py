"""The adapters against a model server that others wrote (aimock, from npm): a check on our own reading of the formats.

It runs where node and npm are and the package can be had: it is installed once beside the virtual environment, and
without it there are no cases here to run.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.conversation import ToolResult
from ctxe.domain.errors import AuthError, RateLimited
from ctxe.domain.model import Carry, Message, Text, ToolSchema
from tests.wire.adapters import APIS, HELLO, hear, patience, speak

FOLDER = Path(sys.prefix) / "aimock"
PACKAGE = "@copilotkit/aimock@1"


def programs() -> list[str]:
    """The server's program, installed when it is not there yet; none where node, npm or the package is missing."""
    program, without = FOLDER / "node_modules" / ".bin" / "llmock", FOLDER / "could-not-be-had"
    npm = shutil.which("npm") if shutil.which("node") else None
    if npm is None:
        return []
    try:
        FOLDER.mkdir()  # one process tries, once; remove the folder to have it tried again
    except FileExistsError:
        end = time.monotonic() + 90
        while not (program.exists() or without.exists()) and time.monotonic() < end:
            time.sleep(0.1)
    else:
        words = [npm, "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=0", "--prefix", str(FOLDER)]
        installed = subprocess.run([*words, PACKAGE], check=False, capture_output=True, timeout=80)
        if installed.returncode != 0:
            without.touch()
    return [str(program)] if program.exists() else []


PROGRAMS = programs()
__test__ = bool(PROGRAMS)  # read by pytest: nothing is collected here without the program
CALL = {"name": "read_file", "arguments": json.dumps({"path": "a.py"}), "id": "call_own_1"}
FIXTURES = [
    {"match": {"userMessage": "too often"}, "response": {"error": {"message": "slow down"}, "status": 429}},
    {"match": {"userMessage": "no key"}, "response": {"error": {"message": "bad key"}, "status": 401}},
    {"match": {"userMessage": "fix it", "hasToolResult": True}, "response": {"content": "Fixed, naïvely 𝄞."}},
    {"match": {"userMessage": "fix it"}, "response": {"content": "Reading.", "toolCalls": [CALL]}},
    {"match": {"userMessage": "hello"}, "response": {"content": "Hello from the other side of the wire."}},
]
READ = ToolSchema("read_file", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("aimock")
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": FIXTURES}))
    words = [PROGRAMS[0], "-p", "0", "-f", str(folder / "fixtures.json"), "--strict", "--validate-on-load"]
    environment = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as server:
        try:
            assert server.stdout
            url = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
            yield url
        finally:
            server.terminate()


@pytest.mark.parametrize("api", APIS)
def test_a_whole_turn_works_against_an_independent_mock(api: str, aimock: str) -> None:
    provider = speak(api, aimock if api == "messages" else f"{aimock}/v1", patience())
    asked = replace(HELLO, tools=(READ,), messages=(Message("user", (Text("fix it"),)),))
    _, reply = hear(provider, asked)
    assert (reply.text, reply.stop) == ("Reading.", "tools")
    assert [(call.name, json.loads(call.arguments)) for call in reply.calls] == [("read_file", {"path": "a.py"})]
    carry = (Carry(reply.carry, reply.model),) if reply.carry else ()
    said = Message("assistant", (*carry, Text(reply.text), *reply.calls))
    results = Message("user", tuple(ToolResult(call.id, "x = 1") for call in reply.calls))
    _, last = hear(provider, replace(asked, messages=(*asked.messages, said, results)))
    assert (last.text, last.calls, last.stop) == ("Fixed, naïvely 𝄞.", (), "end")


@pytest.mark.parametrize("api", APIS)
def test_errors_of_an_independent_mock_are_reported(api: str, aimock: str) -> None:
    provider = speak(api, aimock if api == "messages" else f"{aimock}/v1", patience())
    for words, error in (("too often", RateLimited), ("no key", AuthError)):
        with pytest.raises(error):
            hear(provider, replace(HELLO, messages=(Message("user", (Text(words),)),)))
