"""A command of the user is never stopped by a known failure, and a repeated message is sent whole."""

from __future__ import annotations

from pathlib import Path

from ctxe.domain.events import Notice, ToolFinished
from ctxe.domain.tool import Allow
from ctxe.project import Project
from ctxe.project.session.asides import run_for_user
from ctxe.project.session.opening import open_session
from ctxe.project.session.turns import turn
from ctxe.project.session_options import Opening
from tests.e2e.harness import KEY, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

FAILS = "python3 check.py"


def test_the_gate_never_stops_a_command_of_the_user(tmp_path: Path, home: Path) -> None:
    repo = repository(tmp_path / "repo", {"check.py": "raise ValueError('bad port')\n"})
    with WireServer([Reply("", [Call("run_command", {"command": FAILS})]), Reply("It fails.")], key=KEY) as server:
        project = Project.open(repo, environment(home, **openai_at(server.url)))
        with open_session(project, Opening(interactive=True), lambda *_: Allow()) as live:
            list(turn(live, "run the check"))
            (ended,) = (event for event in run_for_user(live, FAILS) if isinstance(event, ToolFinished))
    assert (ended.facts["exit_code"], ended.facts["by"]) == (1, "user")
    assert "repeats" not in ended.facts


def test_a_repeated_user_message_is_sent_whole_without_a_notice(tmp_path: Path, home: Path) -> None:
    repo = repository(tmp_path / "repo", {"a.py": "x = 1\n"})
    with WireServer([Reply("Yes."), Reply("Yes, again.")], key=KEY) as server:
        project = Project.open(repo, environment(home, **openai_at(server.url)))
        with open_session(project, Opening(interactive=True), lambda *_: Allow()) as live:
            said = [event for _ in range(2) for event in turn(live, " ".join(["is", "it", "so?"]))]
    assert [event for event in said if isinstance(event, Notice)] == []
