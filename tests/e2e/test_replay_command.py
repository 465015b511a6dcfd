"""``ctxe replay`` as another program drives it: one line out for one line in, within the budget, nothing torn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ctxe.storage.vocabulary import count
from tests.e2e.harness import ctxe, environment


def add(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    return {"op": "add", "message": {"role": role, "content": content, **more}}


def call(number: int, arguments: str) -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": "read", "arguments": arguments}}


def tokens(messages: list[dict[str, Any]]) -> int:
    total = 0
    for message in messages:
        total += 4 + count(message.get("content") or "")
        for one in message.get("tool_calls") or ():
            total += 6 + count(one["function"]["name"]) + count(one["function"]["arguments"])
    return total


def test_a_long_replayed_conversation_stays_within_the_budget_with_calls_and_results_paired(
    home: Path, tmp_path: Path
) -> None:
    lines: list[dict[str, Any]] = [add("system", "You are good."), add("user", "Fix the WONDERFUL parser.")]
    for n in range(40):
        lines.append(add("assistant", None, tool_calls=[call(n, json.dumps({"path": f"src/file{n}.py"}))]))
        lines.append(add("tool", "\n".join(f"def f{n}_{i}(): return {i}" for i in range(90)), tool_call_id=f"c{n}"))
        lines.append({"op": "assemble"})
    done = ctxe(
        tmp_path, environment(home), "replay", "--stdin", "--budget", "16000", stdin="\n".join(map(json.dumps, lines))
    )
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, len(answers)) == (0, len(lines)), done.err
    requests = [answer["messages"] for answer in answers if "messages" in answer]
    assert len(requests) == 40
    for messages in requests:
        assert tokens(messages) <= 16_000 - 4_096
        assert messages[0]["role"] == "system"
        assert messages[0]["content"].startswith("You are good.")
        assert messages[1]["role"] == "user"
        assert any("WONDERFUL" in (message["content"] or "") for message in messages)
        for at, message in enumerate(messages):
            wanted = [one["id"] for one in message.get("tool_calls") or ()]
            assert [m["tool_call_id"] for m in messages[at + 1 : at + 1 + len(wanted)]] == wanted
    assert requests[0][1:] == [line["message"] for line in lines[1:4]]


def test_an_invalid_line_is_answered_with_an_error_and_the_next_line_works(home: Path, tmp_path: Path) -> None:
    lines = [
        "not json",
        '{"op":"dance"}',
        json.dumps(add("tool", "x", tool_call_id="none")),
        json.dumps(add("user", "hi")),
    ]
    done = ctxe(tmp_path, environment(home), "replay", "--budget", "9000", stdin="\n".join(lines))
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert ["error" in answer for answer in answers] == [True, True, True, False]
    assert ctxe(tmp_path, environment(home), "replay", "--budget", "4000", stdin="").code == 3
