"""Within an epoch every request begins with the one before, whatever changes around the session meanwhile."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

FILES = {"AGENTS.md": "Use tabs.\n", "src/AGENTS.md": "Return strings.\n", "src/a.py": "x = 1\n", "src/b.py": "y = 1\n"}
SKILL = "---\nname: parsing\ndescription: how parsing is done here\n---\nParse twice.\n"


def disturbed(repo: Path, number: int) -> None:
    """Rules, memory, modules and files become others, and older or newer than they were."""
    (repo / "AGENTS.md").write_text(f"Use {number} spaces.\n")
    (repo / ".ctxe").mkdir(exist_ok=True)
    (repo / ".ctxe/MEMORY.md").write_text(f"We chose parser number {number}.\n")
    skill = repo / ".ctxe/skills/parsing/SKILL.md"
    skill.parent.mkdir(parents=True, exist_ok=True)
    skill.write_text(SKILL + f"And {number} times more.\n")
    (repo / "src/a.py").write_text(f"x = {number}\n")
    os.utime(repo / "src/b.py", (number, number))


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_rules_memory_modules_and_files_may_change_in_mid_session(home: Path, repo: Path, locale: str) -> None:
    numbers = itertools.count(2)

    def answer(body: Mapping[str, Any]) -> Reply:
        number = next(numbers)
        disturbed(repo, number)
        if number % 4 == 1:
            return Reply("Done.")
        return Reply("", [Call("read_file", {"path": f"src/{'ab'[number % 2]}.py"})])

    with WireServer(answer, key=KEY) as server:
        env = environment(home, LANG=locale, PYTHONHASHSEED=str(len(locale)), **openai_at(server.url))
        lines = "fix the parsing\nnow parse again\nand remember it\n"
        assert ctxe(repo, env, "chat", stdin=lines).code == 0
        assert server.refused == []
        bodies = server.bodies
    assert len(bodies) == 12
    for before, after in itertools.pairwise(bodies):
        assert json.dumps(after["tools"]) == json.dumps(before["tools"])
        assert after["messages"][: len(before["messages"])] == before["messages"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)
