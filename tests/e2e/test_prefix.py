"""Within an epoch every request begins with the one before, whatever changes around the session meanwhile.

On every API, on the requests that were really sent, through several processes that each have another locale, time
zone (the local date differs by a day) and hash seed (sets and dicts are walked in another order).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.harness import KEY, ctxe, environment, git, repository
from tests.e2e.wire_bodies import APIS, blocks
from tests.wire.server import Call, Reply, WireServer

FILES = {"AGENTS.md": "Use tabs.\n", "src/AGENTS.md": "Return strings.\n", "src/a.py": "x = 1\n", "src/b.py": "y = 1\n"}
SKILL = "---\nname: parsing\ndescription: how parsing is done here\n---\nParse twice.\n"
PLACES = (("C", "Pacific/Kiritimati"), ("tr_TR.UTF-8", "Pacific/Pago_Pago"), ("C.UTF-8", "Asia/Kathmandu"))


def disturbed(repo: Path, number: int) -> None:
    """Rules, memory, modules and files become others, and older or newer than they were; some of it is committed."""
    (repo / "AGENTS.md").write_text(f"Use {number} spaces.\n")
    (repo / "src/AGENTS.md").write_text(f"Return {number} strings.\n")
    (repo / "CLAUDE.md").write_text(f"Be {number} times careful.\n")
    (repo / ".ctxe").mkdir(exist_ok=True)
    (repo / ".ctxe/MEMORY.md").write_text(f"We chose parser number {number}.\n")
    for name in ("parsing", f"other{number}"):
        skill = repo / f".ctxe/skills/{name}/SKILL.md"
        skill.parent.mkdir(parents=True, exist_ok=True)
        skill.write_text(SKILL.replace("parsing", name, 1) + f"And {number} times more.\n")
    (repo / "src/a.py").write_text(f"x = {number}\n")
    os.utime(repo / "src/b.py", (number * 10**8, number * 10**8))
    if number % 3 == 0:
        git(repo, "commit", "-qam", f"Change {number}")


def asked(dice: Random) -> list[Call]:
    """What a model may do that changes what stands before the conversation of the next session."""
    every = [
        Call("read_file", {"path": f"src/{dice.choice('ab')}.py"}),
        Call("use", {"name": "parsing"}),
        Call("remember", {"kind": "decision", "title": f"parse {dice.random()}", "text": "We parse twice."}),
        Call("update_todo", {"items": [{"text": f"part {dice.random()}", "state": "open"}]}),
        Call("edit_file", {"path": "src/b.py", "old": "y = ", "new": "y = 1 + "}),
        Call("find_tools", {"query": "parsing"}),
    ]
    return dice.sample(every, dice.randint(1, 3))


def played(repo: Path, seed: int) -> Callable[[Mapping[str, Any]], Reply]:
    """A model that answers every question in four requests; before each answer everything is disturbed."""
    dice, numbers = Random(seed), itertools.count(2)

    def answer(_: Mapping[str, Any]) -> Reply:
        number = next(numbers)
        disturbed(repo, number)
        return Reply("Done.") if number % 4 == 1 else Reply("", asked(dice))

    return answer


@pytest.mark.parametrize("api", APIS)
def test_requests_keep_their_prefix_whatever_changes_around_the_session(api: str, home: Path, repo: Path) -> None:
    with WireServer(played(repo, len(api)), key=KEY) as server:
        for turn, (locale, zone) in enumerate(PLACES):
            places = {"LANG": locale, "LC_ALL": locale, "TZ": zone, "PYTHONHASHSEED": str(turn)}
            env = environment(home, **APIS[api](server.url)) | places
            goes_on = ["-c"] if turn else []
            ran = ctxe(repo, env, "chat", *goes_on, "-p", f"parse again, {turn}", "--approval", "auto")
            assert ran.code == 0, ran.err
        assert server.refused == []
        sent = [blocks(api, body) for body in server.bodies]
    assert len(sent) == 4 * len(PLACES)
    for before, after in itertools.pairwise(sent):
        assert after[: len(before)] == before
        assert len(after) > len(before)
    for told in ("Parse twice.", "changed since you last saw it", "Use tabs."):
        assert any(told in block for block in sent[-1]), told


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)
