"""Reasoning effort: from settings, options and /effort to the request body, shown and saved."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, Usage, WireServer

ASKED: dict[str, tuple[Callable[[str], dict[str, str]], str, Callable[[dict[str, object]], object]]] = {
    "messages": (anthropic_at, "claude-sonnet-5-5", lambda body: (body.get("thinking"), body.get("output_config"))),
    "chat": (openai_at, "gpt-5", lambda body: body.get("reasoning_effort")),
    "responses": (lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"}, "gpt-5", lambda b: b.get("reasoning")),
}
HIGH = {
    "messages": ({"type": "adaptive"}, {"effort": "high"}),
    "chat": "high",
    "responses": {"effort": "high"},
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a + b\n"})


@pytest.mark.parametrize("api", ASKED)
def test_the_effort_option_reaches_the_request_and_reserves_tokens_for_reasoning(
    api: str, home: Path, repo: Path
) -> None:
    at, model, found = ASKED[api]
    with WireServer([Reply("done"), Reply("done"), Reply("done")]) as server:
        env = environment(home, **at(server.url)) | {"CTXE_MODEL_NAME": model}
        for words in (["--effort", "high"], ["--no-memory"]):
            done = ctxe(repo, env, "chat", "-p", "hello", *words)
            assert (done.code, done.out.strip(), server.refused) == (0, "done", [])
        assert ctxe(repo, env | {"CTXE_MODEL_EFFORT": "high"}, "chat", "-p", "hello").code == 0
        flagged, plain, from_settings = server.bodies
    assert (found(flagged), found(from_settings)) == (HIGH[api], HIGH[api])
    assert found(plain) in (None, (None, None))
    limits = [body.get("max_tokens", body.get("max_output_tokens")) for body in (flagged, plain)]
    assert limits == [32_000, 20_000]


def test_an_effort_that_the_model_lacks_is_refused_before_anything_is_sent(home: Path, repo: Path) -> None:
    with WireServer([]) as server:
        env = environment(home, **openai_at(server.url)) | {"CTXE_MODEL_NAME": "gpt-5"}
        wrong = ctxe(repo, env, "chat", "-p", "hello", "--effort", "xhigh")
        odd = ctxe(repo, env, "chat", "-p", "hello", "--effort", "enormous")
        none = ctxe(repo, env | {"CTXE_MODEL_NAME": "gpt-4.1"}, "chat", "-p", "hello", "--effort", "low")
        assert server.requests == []
    assert (wrong.code, odd.code, none.code) == (3, 2, 3)
    assert "openai/gpt-5 has no effort 'xhigh'" in wrong.err
    assert "it takes minimal, low, medium, high" in wrong.err
    assert "openai/gpt-4.1 takes no effort" in none.err


def test_changing_the_effort_in_a_session_is_saved_and_keeps_the_request_prefix(home: Path, repo: Path) -> None:
    script = [Reply("one", usage=Usage(40_000, 1_000)), Reply("two"), Reply("three")]
    with WireServer(script) as server:
        env = environment(home, **openai_at(server.url)) | {"CTXE_MODEL_NAME": "gpt-5"}
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("/effort")
            terminal.wait("/effort LEVEL changes it: minimal, low, medium, high")
            terminal.enter("first")
            terminal.wait("one")
            terminal.enter("/effort high")
            terminal.wait("may read what was said so far anew: 41k tokens")
            terminal.wait("openai/gpt-5  effort high")
            terminal.enter("second")
            terminal.wait("two")
            terminal.enter("/model gpt-4.1")
            terminal.wait("openai/gpt-4.1 takes no effort")
            terminal.enter("/model gpt-5 low")
            terminal.wait("effort low")
            terminal.enter("third")
            terminal.wait("three")
            terminal.enter("/exit")
            assert terminal.ended() == 0
        first, second, _ = server.bodies
        assert [body.get("reasoning_effort") for body in server.bodies] == [None, "high", "low"]
        assert second["messages"][: len(first["messages"])] == first["messages"]
        (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
        events = [json.loads(line) for line in log.read_text().splitlines()]
        chosen = [event.get("effort", "") for event in events if event.get("type") == "effort_chosen"]
        assert chosen == ["high", "", "low"]
        again = ctxe(repo, env, "chat", "-p", "-c", "more")
    assert "the effort was low; now it is the default" in again.err


def test_the_next_greeting_names_what_a_session_chose_and_not_how_it_was_carried_over(home: Path, repo: Path) -> None:
    env = environment(home, **openai_at("http://127.0.0.1:9")) | {"CTXE_MODEL_NAME": "gpt-5"}
    with Terminal(repo, env, ("chat",)) as terminal:
        terminal.ready()
        terminal.enter("/effort low")
        terminal.wait("openai/gpt-5  effort low")
        terminal.enter("/clear")
        terminal.wait(r"openai/gpt-5 \(set by CTXE_MODEL_NAME\), effort low")
        terminal.enter("/model gpt-5-mini low")
        terminal.wait("openai/gpt-5-mini  effort low")
        terminal.enter("/clear")
        terminal.wait(r"openai/gpt-5-mini \(set by /model\), effort low")


def test_switching_models_after_a_fold_counts_only_the_folded_tokens_as_new(home: Path, repo: Path) -> None:
    (repo / "long.txt").write_text("".join(f"line {n} of many_more_words\n" for n in range(1_500)))
    script = [Reply("", [Call("read_file", {"path": "long.txt"})]), *(Reply(f"Answer {n}.") for n in range(3))]
    with WireServer(script) as server:
        env = environment(home, **openai_at(server.url)) | {"CTXE_MODEL_NAME": "gpt-5"}
        done = ctxe(repo, env, "chat", stdin="read it\nand now?\nand then?\n/compact\n/model gpt-4.1\n")
    assert done.code == 0, done.err
    said = done.out + done.err
    (left,) = re.findall(r"folded \S+ → (\S+) tokens", said)
    assert f"said so far anew: {left} tokens" in said
