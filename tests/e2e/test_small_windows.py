"""Local servers that run a model with a smaller window than its maker states: the session keeps to the smaller one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Terminal, ctxe, environment, openai_at, repository
from tests.wire.script import Part
from tests.wire.server import Answer, Call, Reply, WireServer, failure

MODEL = "qwen2.5-coder:7b"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", {"a.py": "".join(f"value_{n} = {n}\n" for n in range(2_000))})


def local(home: Path, server: WireServer, **more: str) -> dict[str, str]:
    return environment(home, CTXE_MODEL=f"ollama/{MODEL}", CTXE_MODEL_BASE_URL=server.url, **more)


def largest(server: WireServer) -> int:
    """Tokens of the largest request and its reply, by the least that a token has in code."""
    return max(len(str(body["messages"])) // 5 + int(body["max_tokens"]) for body in server.bodies)


def reads() -> list[Any]:
    parts = [{"path": "a.py", "start": start} for start in (1, 500, 1_000, 1_500)]
    return [*(Reply("", [Call("read_file", part)]) for part in parts), Reply("Four parts.")]


@pytest.mark.parametrize("windows", [{"windows": {MODEL: 8_192}}, {"loads": {MODEL: 8_192}}])
def test_a_local_server_window_goes_before_the_catalog_window(home: Path, repo: Path, windows: dict[str, Any]) -> None:
    with WireServer(reads(), models=[MODEL], **windows) as server:
        ran = ctxe(repo, local(home, server), "-p", "read all of a.py")
        assert ran.out == "Four parts.\n"
        assert largest(server) < 8_192
    said = f"ollama/{MODEL} runs with a window of 8,192 tokens here, of 32,768 that it could have; a wider one"
    assert ran.err.count(said) == 1


def test_a_configured_window_is_not_asked_of_the_server(home: Path, repo: Path) -> None:
    config = home / ".config/ctxe/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[models."ollama/{MODEL}"]\nwindow = 16384\n')
    with WireServer([Reply("ok")], models=[MODEL], loads={MODEL: 8_192}) as server:
        ran = ctxe(repo, local(home, server), "-p", "hello")
        assert (ran.out, "runs with a window" in ran.err) == ("ok\n", False)
        assert [exchange.path for exchange in server.exchanges] == ["/v1/chat/completions"]


def test_a_window_learnt_from_a_refusal_is_kept(home: Path, repo: Path) -> None:
    parts = iter([1, 400, 800, 1_200, 1_600])
    refused: list[int] = []

    def model(body: Mapping[str, Any]) -> Part:
        size = len(json.dumps([body["tools"], body["messages"]])) // 4
        if size > 8_192:
            refused.append(size)
            said = f"This model's maximum context length is 8192 tokens. However, your messages have {size} tokens."
            return Answer(400, failure(said))
        part = next(parts, None)
        return Reply("Done.") if part is None else Reply("", [Call("read_file", {"path": "a.py", "first": part})])

    with WireServer(model, models=[MODEL]) as server:
        ran = ctxe(repo, local(home, server), "chat", stdin="read all of a.py\ngo on\n")
        assert ran.out.count("Done.") == 2, ran.err
        assert len(refused) == 1
    assert "runs with a window of 8,192 tokens here" in ran.out + ran.err


def test_a_model_is_loaded_while_the_user_types(home: Path, repo: Path) -> None:
    with (
        WireServer([Reply("All well.")], models=[MODEL], loads={MODEL: 8_192}, loading=4) as server,
        Terminal(repo, local(home, server), (), columns=120) as terminal,
    ):
        terminal.ready()
        server.wait(lambda s: any(exchange.path == "/api/generate" for exchange in s.exchanges))
        terminal.enter("hello")
        terminal.wait(lambda screen: f"waiting for ollama to load {MODEL}" in screen)
        terminal.wait(lambda screen: "All well." in screen)
        terminal.wait(lambda screen: "runs with a window of 8,192 tokens" in screen)
        terminal.leave()


def test_a_log_that_is_piped_in_costs_no_window_and_can_be_recalled(home: Path, repo: Path) -> None:
    log = "".join(f"09:{n % 60:02d} worker {n * 7919} took job {n * 104729}\n" for n in range(12_000))

    def recalled(body: Mapping[str, Any]) -> Part:
        found = re.search(r"recall ([0-9a-f]{8})", json.dumps(body["messages"]))
        return Reply("", [Call("recall", {"handle": found[1] if found else "", "first": 6_000})])

    with WireServer([recalled, Reply("The disk is full.")], models=[MODEL]) as server:
        env = environment(home, **openai_at(server.url))
        ran = ctxe(repo, env, "-p", "what went wrong?", stdin=f"{log}ERROR: the disk is full\n{log}")
        assert (ran.out, ran.code) == ("The disk is full.\n", 0)
        first, second = (json.dumps(body["messages"]) for body in server.bodies)
    assert "what went wrong?" in first
    assert "ERROR: the disk is full" in first
    assert len(first) < 220_000 < 2 * len(log)
    assert "are sent; the model can recall the rest" in ran.err
    assert f"worker {5_997 * 7919} took job" in second
    assert f"worker {5_997 * 7919} took job" not in first
