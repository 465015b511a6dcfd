"""Ctrl-C while an event is drawn is raised in the event generator, and no output is lost."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from ctxe.agent.dispatch import STOPPED
from ctxe.domain.events import Event, Queued, ReplyReceived, ToolFinished, TurnFinished
from ctxe.domain.model import TextDelta
from ctxe.domain.tool import Allow, Progress
from ctxe.project import Project
from ctxe.project.session.asides import run_for_user
from ctxe.project.session.live import Live
from ctxe.project.session.opening import open_session
from ctxe.project.session.turns import turn
from ctxe.project.session_options import Opening
from tests.e2e.harness import KEY, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

TALKS = "touch made; echo words; sleep 60"
SLOW = Reply("", [Call("run_command", {"command": TALKS})])
EDIT = [
    Reply("", [Call("read_file", {"path": "a.py"})]),
    Reply("", [Call("edit_file", {"path": "a.py", "old": "1", "new": "2"})]),
]


@pytest.fixture
def script() -> list[Reply]:
    return [SLOW, Reply("Next.")]


@pytest.fixture
def live(tmp_path: Path, home: Path, script: list[Reply]) -> Iterator[Live]:
    repo = repository(tmp_path / "repo", {"a.py": "x = 1\n"})
    with WireServer(script, key=KEY) as server:
        checked = {"CTXE_CHECKS_TURN": TALKS}
        project = Project.open(repo, environment(home, **openai_at(server.url), **checked))
        with open_session(project, Opening(interactive=True), lambda *_: Allow()) as live:
            yield live
        assert server.refused == []


def pressed_at(events: Iterator[Event], wanted: type[Event]) -> list[Event]:
    """All that came of events when Ctrl-C is pressed while the first of a kind is drawn."""
    came: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        came.extend(_pressed(events, wanted))
    return came


def _pressed(events: Iterator[Event], wanted: type[Event]) -> Iterator[Event]:
    assert isinstance(events, Generator)
    for event in events:
        yield event
        if isinstance(event, wanted):
            yield events.throw(KeyboardInterrupt())
            break
    yield from events


def test_output_of_a_model_command_is_kept(live: Live) -> None:
    came = pressed_at(turn(live, "go"), Progress)
    (finished,) = (event for event in came if isinstance(event, ToolFinished))
    assert finished.result.text == f"words\n{STOPPED}"
    assert isinstance(came[-1], TurnFinished)
    assert (came[-1].outcome, live.session.state.running) == ("interrupted", False)
    assert live.undo.undo() == ["put back: made"]


def test_output_of_a_user_command_is_reported_to_the_model(live: Live) -> None:
    came = pressed_at(run_for_user(live, TALKS), Progress)
    (queued,) = (event for event in came if isinstance(event, Queued))
    assert queued.chunks[0].text == f"[the user ran `{TALKS}`]\nwords\n{STOPPED}"
    assert live.undo.undo() == ["put back: made"]


@pytest.mark.parametrize("script", [[*EDIT, Reply("Done."), Reply("Next.")]])
def test_an_interrupted_check_leaves_its_result(live: Live) -> None:
    came = pressed_at(turn(live, "go"), Progress)
    (check,) = (event for event in came if isinstance(event, ToolFinished) and event.facts.get("by") == "check")
    assert check.result.text == f"words\n{STOPPED}"
    assert live.session.state.turn.outcome == "interrupted"
    assert sorted(live.undo.undo()) == ["put back: a.py", "put back: made"]


@pytest.mark.parametrize("script", [[Reply("Some words that come piece by piece."), Reply("Next.")]])
def test_an_interrupted_answer_is_kept_and_shown(live: Live) -> None:
    came = pressed_at(turn(live, "go"), TextDelta)
    (reply,) = (event for event in came if isinstance(event, ReplyReceived))
    assert reply.reply.stop == "interrupted"
    assert "Some words that come".startswith(reply.reply.text[:4])
    assert isinstance(came[-1], TurnFinished)


AGAIN = Reply("", [Call("run_command", {"command": "echo words; sleep 1"})])


@pytest.mark.parametrize("script", [[AGAIN, AGAIN, Reply("Done.")]])
def test_a_call_stopped_by_the_user_is_no_failure_and_may_run_again(live: Live) -> None:
    pressed_at(turn(live, "go"), Progress)
    finished = [event.result.text for event in turn(live, "run it again") if isinstance(event, ToolFinished)]
    assert finished == ["words\n[exit 0]"]
    assert [entry for entry in live.project.store.entries() if entry.kind == "failure"] == []
