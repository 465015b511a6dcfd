"""While the user types, a session loads what its first request needs, without sending a request or losing anything."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.wire.server import Reply, WireServer


def said_after_a_while(repo: Path, env: dict[str, str], words: str) -> None:
    """A session whose user takes some time to type, until the answer is there."""
    with Terminal(repo, env, ("chat",), anew=True) as terminal:
        terminal.ready()
        terminal.settle(2.5)
        terminal.enter(words)
        terminal.wait("Poured.")
        terminal.leave()


def test_no_request_is_sent_before_the_first_message(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"pot.py": "def pour(pot):\n    return pot\n", "cup.py": "def fill(): ...\n"})
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    with WireServer([Reply('{"drop": [], "add": []}')], then=Reply("Poured."), key=KEY) as server:
        settings = "[plan]\nrefine = true\n[model]\ncheap = 'openai/gpt-5-mini'\nname = 'openai/gpt-5'\n"
        vectors = f'[retrieval]\nembeddings = "local/words"\nbase_url = "{server.url}/v1"\n'
        (home / ".config/ctxe/config.toml").write_text(settings + vectors)
        said_after_a_while(repo, environment(home, **openai_at(server.url)), "pour the pot into the cup")
    asked = [json.dumps(body) for body in server.bodies]
    assert ["pour the pot into the cup" in body for body in asked] == [True, True]
    embedded = [exchange.body["input"] for exchange in server.exchanges if exchange.path.endswith("/embeddings")]
    assert embedded[-1] == ["pour the pot into the cup"]
    assert len(embedded) == 2, embedded


def test_a_long_memory_is_recalled_when_preparation_ran_while_typing(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"pot.py": "def pour(pot):\n    return pot\n"})
    subjects = ("kettle", "sieve", "spoon", "tray", "stove", "cellar", "garden")
    facts = [
        {"id": f"f{n}", "kind": "fact", "title": f"The {subjects[n % 7]} of room {n}", "text": f"It holds {n} grams."}
        for n in range(400)
    ]
    rows = "\n".join(json.dumps(fact) for fact in [*facts, {"id": "pot", "kind": "fact", "title": "The samovar leaks"}])
    with WireServer(then=Reply("Poured."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "memory", "import", "-", stdin=rows).code == 0
        said_after_a_while(repo, env, "why does the samovar lose water?")
        said_after_a_while(repo, env, "why does the samovar lose water?")
    assert ["The samovar leaks" in json.dumps(body) for body in server.bodies] == [True, True]
