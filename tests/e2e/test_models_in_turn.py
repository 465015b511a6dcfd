"""One session with one model after another: no host is sent what it refuses, whoever answered, whatever was folded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, anthropic_at, ctxe, environment, repository
from tests.wire.script import Part
from tests.wire.server import Call, Reply, WireServer

MODELS = (
    "anthropic/claude-sonnet-5-5",
    "deepseek/deepseek-v4-pro",
    "anthropic/claude-sonnet-4-5 high",
    "openai/gpt-5 high",
    "anthropic/claude-sonnet-5-5",
    "mistral/devstral-latest",
    "gemini/gemini-3.8-flash",
    "anthropic/claude-haiku-4-5 low",
    "moonshot/kimi-k3",
)
KEYS = ("OPENAI_API_KEY", "DEEPSEEK_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY", "MOONSHOT_API_KEY")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", {f"m{n}.py": f"value_{n} = {n}\n" * 60 for n in range(40)})


def worker() -> Callable[[Mapping[str, Any]], Part]:
    """Three steps of parallel reads, then an answer; thoughts where a host gives them, or was asked to."""
    steps = itertools.count(1)

    def answer(body: Mapping[str, Any]) -> Part:
        number = next(steps)
        silent = "-4-5" in str(body["model"]) and not (body.get("thinking") and number % 4 == 1)
        thought = "" if silent else f"thought {number}"
        if number % 4 == 0:
            return Reply("Read.", reasoning=thought)
        reads = [Call("read_file", {"path": f"m{(2 * number + n) % 40}.py"}) for n in range(2)]
        return Reply("", reads, reasoning=thought, stop="length" if number % 23 == 0 else "")

    return answer


@pytest.mark.parametrize("window", ["12000", "64000"])
def test_a_session_that_changes_models_sends_no_host_what_it_refuses(window: str, home: Path, repo: Path) -> None:
    lines = [line for name in (*MODELS, *MODELS[:3]) for line in (f"/model {name}", "read some more")]
    with WireServer(worker()) as server:
        env = environment(home, **anthropic_at(server.url), **dict.fromkeys(KEYS, KEY))
        env |= {"CTXE_MODEL_BASE_URL": f"{server.url}/v1", "CTXE_BUDGET_WINDOW": window}
        ran = ctxe(repo, env, "chat", stdin="\n".join([*lines, "/compact", "and once more"]))
        assert server.refused == []
        assert {str(body["model"]) for body in server.bodies} == {name.split()[0].partition("/")[2] for name in MODELS}
    assert ran.code == 0
    assert ran.out.count("Read.") >= len(MODELS)
