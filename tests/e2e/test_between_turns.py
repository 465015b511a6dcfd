"""Files and branches changed between two turns are reported to the model with the next message, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, anthropic_at, ctxe, environment, git, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

LONG = "".join(f"value_{n} = {n}\n" for n in range(40))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"calc.py": LONG, "gone.py": LONG, "other.py": "y = 1\n"})


@pytest.mark.parametrize("api", [openai_at, anthropic_at])
def test_files_and_branch_changed_between_turns_are_reported_with_the_next_message(
    home: Path, repo: Path, api: object
) -> None:
    reads = [Call("read_file", {"path": path}) for path in ("calc.py", "gone.py")]
    script = [Reply("", reads), Reply("Read."), Reply("I see."), Reply("Nothing new."), Reply("Back.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **api(server.url))  # type: ignore[operator]
        ctxe(repo, env, "-p", "read both")
        (repo / "calc.py").write_text(LONG.replace("value_7 = 7", "value_7 = 77"))
        (repo / "gone.py").unlink()
        git(repo, "checkout", "-qb", "feature")
        told = ctxe(repo, env, "-c", "-p", "and now?")
        ctxe(repo, env, "-c", "-p", "again?")
        git(repo, "checkout", "-q", "main")
        ctxe(repo, env, "-c", "-p", "and back?")
        assert server.refused == []
        second, third, fourth = (json.dumps(body) for body in server.bodies[2:5])
    assert "changes calc.py, gone.py" in told.err
    assert second.index("value_7 = 77") < second.index("and now?")
    assert second.count("gone.py is gone since you last saw it") == 1
    assert second.index("git branch: main") < second.index("git branch: feature")
    for later in (third, fourth):
        assert later.count("since you last saw it, not by an edit of yours") == 2, "told once"
    assert third.count("git branch: ") == 2
    assert fourth.rindex("git branch: main") > fourth.rindex("git branch: feature")
