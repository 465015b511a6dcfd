"""Runs one headless session with scripted calls, and reads what it sent and what was left on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.harness import KEY, Ran, ctxe, environment, openai_at
from tests.wire.server import Call, Reply, WireServer


def texts(server: WireServer) -> str:
    return "\n".join(exchange.raw.decode() for exchange in server.exchanges)


def results(body: Any) -> list[str]:
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def one_shot(
    home: Path, repo: Path, calls: list[Call], words: str = "go", *more: str, **env: str
) -> tuple[Ran, str, list[str]]:
    """One turn in which the model makes these calls; how it ended, all that left the machine, what each call gave."""
    with WireServer([Reply("Working.", calls), Reply("Done.")], key=KEY) as server:
        done = ctxe(repo, {**environment(home, **openai_at(server.url)), **env}, "chat", "-p", words, *more)
        assert (done.code, server.refused) == (0, []), done.err
        return done, texts(server), results(server.bodies[-1])


def allow(home: Path, *rules: str) -> None:
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text(f"[approval]\nallow = {json.dumps(rules)}\n")
