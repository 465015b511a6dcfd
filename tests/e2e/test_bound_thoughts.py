"""Reasoning that a host accepts only behind its original prefix: folds, other models, resumed sessions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Terminal, anthropic_at, ctxe, environment, repository
from tests.wire.server import Call, Reply, WireServer

MODEL = "anthropic/claude-sonnet-5-5"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", {f"m{n}.py": f"value_{n} = {n}\n" * 60 for n in range(30)})


def reading(first: int, last: int) -> list[Reply]:
    """A model that thinks before it reads each of some files, and before it answers."""
    reads = [Reply("", [Call("read_file", {"path": f"m{n}.py"})], reasoning=f"now {n}") for n in range(first, last)]
    return [*reads, Reply("Read.", reasoning="enough")]


def thoughts(body: Mapping[str, Any]) -> list[str]:
    contents = (message["content"] for message in body["messages"])
    blocks = (block for content in contents if isinstance(content, list) for block in content)
    return [block["thinking"] for block in blocks if block["type"] == "thinking"]


def at(server: WireServer, home: Path, **more: str) -> dict[str, str]:
    return environment(home, **anthropic_at(server.url), **more) | {"CTXE_MODEL": MODEL}


def test_a_fold_drops_the_reasoning_before_it_and_keeps_the_reasoning_after_it(home: Path, repo: Path) -> None:
    with WireServer(reading(0, 24)) as server:
        ran = ctxe(repo, at(server, home, CTXE_BUDGET_WINDOW="12000"), "-p", "read the modules", "--no-memory")
        assert (ran.out.strip(), server.refused) == ("Read.", [])
        thought = [thoughts(body) for body in server.bodies]
    folded = [n for n in range(1, len(thought)) if len(thought[n]) <= len(thought[n - 1])]
    assert len(folded) >= 2
    assert all(thought[n] == [] for n in folded)
    assert all(thought[n] == [*thought[n - 1], f"now {n - 1}"] for n in range(1, len(thought)) if n not in folded)


def test_reasoning_is_sent_again_after_a_resume_but_not_to_another_model(home: Path, repo: Path) -> None:
    with WireServer([*reading(0, 3), *reading(3, 5), *reading(5, 7), *reading(7, 9)]) as server:
        env = at(server, home)
        assert ctxe(repo, env, "-p", "read the first").code == 0
        assert ctxe(repo, env, "-c", "-p", "read on").code == 0
        resumed = thoughts(server.bodies[4])
        with Terminal(repo, env, ("-c",)) as terminal:
            terminal.ready()
            terminal.enter("/model claude-opus-5-5")
            terminal.enter("and on")
            terminal.wait(lambda _: len(server.requests) == 10)
            terminal.ready()
            terminal.enter("/model claude-sonnet-5-5")
            terminal.enter("and the last")
            terminal.wait(lambda _: len(server.requests) == 13)
            terminal.ready()
            terminal.leave()
        other, back = thoughts(server.bodies[7]), thoughts(server.bodies[12])
        assert server.refused == []
    assert resumed == ["now 0", "now 1", "now 2", "enough"]
    assert (other, back) == ([], ["now 7", "now 8"])
