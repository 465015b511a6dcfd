"""A whole session on a real repository, a clone of this project, over all three wire formats."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, anthropic_at, ctxe, environment, git, openai_at
from tests.wire.server import Call, Reply, WireServer

ROOT = Path(__file__).resolve().parents[2]
FILE = "ctxe/agent/limits.py"
TESTS = f"{sys.executable} -m pytest -q -p no:cacheprovider tests/unit/agent/test_loop_limits.py -k same_call"
APIS: dict[str, Callable[[str], dict[str, str]]] = {
    "chat": openai_at,
    "messages": anthropic_at,
    "responses": lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"},
}
SCRIPT = [
    Reply("I read the limits.", [Call("read_file", {"path": FILE})]),
    Reply("", [Call("edit_file", {"path": FILE, "old": "REPEATS = 3", "new": "REPEATS = 30"})]),
    Reply("Now the project's own tests.", [Call("run_command", {"command": TESTS})]),
    Reply(
        "That broke one.", [Call("edit_file", {"path": FILE, "old": "REPEATS = 30", "new": "REPEATS = 3  # tested"})]
    ),
    Reply("", [Call("run_command", {"command": TESTS})]),
    Reply(
        "",
        [
            Call("record_failure", {"tried": "REPEATS = 30", "outcome": "circles are told too late", "files": [FILE]}),
            Call("remember", {"kind": "decision", "title": "Circles after three", "text": "REPEATS stays 3."}),
        ],
    ),
    Reply("Three it is."),
]


@pytest.mark.parametrize("api", APIS)
def test_a_session_on_a_clone_of_this_project_edits_fails_fixes_and_remembers(
    api: str, home: Path, tmp_path: Path
) -> None:
    repo = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(repo)], check=True)
    settings = home / ".config/ctxe/config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'[approval]\nmode = "auto-edit"\nallow = ["run:{sys.executable} -m pytest *"]\n')
    with WireServer([*SCRIPT, Reply("I know of circles.")], key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        done = ctxe(repo, env, "chat", "-p", "make the circle limit larger", seconds=110)
        assert (done.code, server.refused) == (0, []), done.err
        assert done.out.strip().endswith("Three it is.")
        for waiting in ctxe(repo, env, "memory", "review", "--json").json:
            assert ctxe(repo, env, "memory", "review", "--accept", waiting["id"]).code == 0
        assert ctxe(repo, env, "chat", "-p", "what about circles and REPEATS?").code == 0
        sent = [json.dumps(body) for body in server.bodies]
    assert "REPEATS = 3" in sent[1]
    assert "1 failed" in sent[3]
    assert "1 passed" in sent[5]
    assert "Circles after three" in sent[-1]
    assert "circles are told too late" in sent[-1]
    assert git(repo, "diff", "--stat").count("limits.py") == 1
