"""Long sessions in small windows: no request exceeds the budget, what must survive survives, overflow is handled."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ctxe.storage.vocabulary import count
from tests.e2e.harness import KEY, Ran, ctxe, environment, openai_at, repository
from tests.wire.script import Entry, Part
from tests.wire.server import Answer, Call, Reply, Usage, WireServer, failure

WINDOW = 9_000
RESERVE = WINDOW // 4
OVERFLOW = Answer(400, failure("This model's maximum context length is 8192 tokens.", "context_length_exceeded"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    files = {
        f"big{n}.py": "".join(f"def function_{n}_{k}(x): return x + {k}  # {'word ' * (k % 9)}\n" for k in range(900))
        for n in range(4)
    }
    return repository(tmp_path / "repo", {**files, "AGENTS.md": "# Rules\n\nCANARY-RULE: use tabs.\n"})


def tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a chat request as the contract counts them: content, names, arguments, schemas and framing."""
    total = sum(8 + count(json.dumps(tool["function"], separators=(",", ":"))) for tool in body["tools"])
    for message in body["messages"]:
        total += 4 + count(message["content"] or "")
        for call in message.get("tool_calls") or ():
            total += 6 + count(call["function"]["name"]) + count(call["function"]["arguments"])
    return total


def broken_prefixes(bodies: list[Any]) -> list[int]:
    """Numbers of the requests that do not start with the one before."""
    pairs = enumerate(itertools.pairwise(bodies), start=1)
    return [n for n, (old, new) in pairs if new["messages"][: len(old["messages"])] != old["messages"]]


def events(repo: Path) -> list[dict[str, Any]]:
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()[1:]]


def folds(logged: list[dict[str, Any]]) -> list[int]:
    """Numbers of the requests that were sent right after a fold."""
    found, sent = [], 0
    for event in logged:
        found += [sent] if event["type"] == "folded" else []
        sent += event["type"] == "context_assembled"
    return found


def talk(home: Path, repo: Path, server: WireServer, lines: list[str], *more: str) -> Ran:
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text('[approval]\nallow = ["tool:run_command"]\n')
    env = environment(home, **openai_at(server.url))
    return ctxe(repo, env, "chat", "--budget", str(WINDOW), *more, stdin="\n".join(lines), seconds=120)


@pytest.mark.parametrize(("turns", "usage"), [(40, None), (10, Usage(1, 1))], ids=["no usage", "nonsense"])
def test_a_long_session_stays_within_a_small_window(home: Path, repo: Path, turns: int, usage: Usage | None) -> None:
    steps = itertools.count()

    def answer(body: Mapping[str, Any]) -> Part:
        n = next(steps)
        if body["messages"][-1]["role"] != "user":
            return Reply(f"Answer {n}: " + "lorem ipsum " * 30, usage=usage)
        path = f"big{n % 4}.py"
        big = Call("run_command", {"command": f"cat {path} big{(n + 1) % 4}.py"})
        calls = [Call("read_file", {"path": path, "first": n * 7 % 800 + 1}), big][n % 2 :]
        todo = Call("update_todo", {"items": [{"text": "TODO-CANARY", "state": "doing"}]})
        return Reply(f"Step {n}.", [todo] if n == 0 else calls, usage=usage)

    lines = ["/pin PIN-CANARY: never touch setup.py"]
    lines += [f"WORDS-{n:02d} look at big{n % 4}.py " + "and think " * (n % 20) for n in range(turns)]
    with WireServer(answer, key=KEY) as server:
        done = talk(home, repo, server, lines, "--no-memory")
        assert (done.code, server.refused) == (0, []), done.err
        bodies: list[Any] = server.bodies
    assert len(bodies) == 2 * turns
    assert max(map(tokens, bodies)) <= WINDOW - RESERVE
    logged = events(repo)
    assert len(folds(logged)) >= turns // 8
    assert set(broken_prefixes(bodies)) <= set(folds(logged))
    counted = [
        sum(row.get("given", 0) for row in e["ledger"]["rows"]) for e in logged if e["type"] == "context_assembled"
    ]
    assert all(abs(ours - tokens(body)) <= 0.1 * ours for ours, body in zip(counted, bodies, strict=True))
    for number, body in enumerate(bodies):
        text = json.dumps(body["messages"])
        said = [n for n in range(turns) if f"WORDS-{n:02d}" in text]
        assert said == list(range(number // 2 + 1)), number
        assert "CANARY-RULE" in text
        assert "PIN-CANARY" in text
        assert number < 2 or "TODO-CANARY" in text


def test_messages_and_outputs_larger_than_the_window_are_shortened(home: Path, repo: Path) -> None:
    (repo / "line.txt").write_text("x y" * 2_000_000)
    huge = "FIRST " + " ".join(f"word{n}" for n in range(12_000)) + " END-OF-FIRST"
    script: list[Entry] = [
        Reply("I read.", [Call("run_command", {"command": "cat line.txt"}), Call("read_file", {"path": "line.txt"})]),
        Reply("", [Call("read_file", {"path": f"big{n}.py"}) for n in range(4)]),
        Reply("Done."),
        Reply("Second."),
        Reply("", [Call("run_command", {"command": "cat big*.py"})] * 3),
        Reply("Third."),
    ]
    with WireServer(script, key=KEY) as server:
        done = talk(home, repo, server, [huge, "SECOND " + "w " * 9_000, "THIRD"])
        assert (done.code, server.refused, server.left) == (0, [], 0), done.err
        bodies: list[Any] = server.bodies
    assert max(map(tokens, bodies)) <= WINDOW - RESERVE
    assert done.out.splitlines()[1:] == ["Done.", "Second.", "Third."]
    assert all("FIRST word0" in json.dumps(body["messages"]) for body in bodies)
    assert "THIRD" in json.dumps(bodies[-1]["messages"])


def test_a_context_overflow_folds_once_and_repeats_the_request(home: Path, repo: Path) -> None:
    reads = [Reply("", [Call("read_file", {"path": f"big{n}.py"})]) for n in range(3)]
    script: list[Entry] = [*reads, OVERFLOW, Reply("Smaller."), Reply("On."), *[OVERFLOW] * 2, Reply("Usable.")]
    with WireServer(script, key=KEY) as server:
        done = talk(home, repo, server, ["look", "go on", "too much", "and now?"], "--budget", "60000")
        assert (done.code, server.refused, server.left) == (0, [], 0), done.err
        bodies: list[Any] = server.bodies
    assert done.out.splitlines()[1:] == ["Smaller.", "On.", "Usable."]
    assert tokens(bodies[4]) < 0.6 * tokens(bodies[3])
    assert "the provider says the context is too long" in done.err
    assert folds(events(repo))[:1] == [4]
    assert len(re.findall("maximum context length|too long", done.err)) >= 2
    assert "and now?" in json.dumps(bodies[-1]["messages"])


def test_a_window_too_small_for_the_request_is_reported_and_nothing_is_sent(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "hello", "--budget", "1200", "--output-format", "json")
        assert (done.code, server.exchanges) == (4, [])
    assert "the request cannot fit" in done.err
    assert "--budget" in done.err
    assert (done.json["outcome"], done.json["text"]) == ("failed", "")
