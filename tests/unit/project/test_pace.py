"""The expected length of a session is read once from the newest sessions of the project, never from its own log."""

from __future__ import annotations

from pathlib import Path

from ctxe.agent.log import Log
from ctxe.context.cost import USUAL_CALLS
from ctxe.domain.conversation import Reply, Usage
from ctxe.domain.events import Consulted, ReplyReceived
from ctxe.project.window.pace import calls_still_expected


def session(folder: Path, name: str, replies: int) -> None:
    log = Log.create(folder, name, "demo", lambda: "2026-11-21T10:00:00Z")
    for _ in range(replies):
        log.append(ReplyReceived(Reply("hi", usage=Usage(1, 1))))


def test_the_expected_calls_come_from_past_sessions(tmp_path: Path) -> None:
    for name, replies in (("a", 10), ("b", 30), ("c", 50), ("own", 300)):
        session(tmp_path, name, replies)
    (tmp_path / "broken.jsonl").write_text("no log")
    calls = calls_still_expected(tmp_path, "own")
    assert [calls(done) for done in (0, 20, 40)] == [30.0, 20.0, 10.0]
    session(tmp_path, "later", 1_000)
    assert calls(0) == 30.0


def test_replies_of_delegates_do_not_count_as_calls(tmp_path: Path) -> None:
    session(tmp_path, "a", 10)
    log = Log(tmp_path / "a.jsonl", lambda: "2026-11-21T10:00:00Z", 10)
    for _ in range(30):
        log.append(Consulted("delegate d1", "m", Usage(1, 1), 0.1, "a-d1"))
    assert calls_still_expected(tmp_path, "own")(0) == 10.0


def test_without_past_sessions_the_default_number_of_calls_is_expected(tmp_path: Path) -> None:
    assert calls_still_expected(tmp_path / "none", "own")(5) == USUAL_CALLS


def test_a_removed_log_is_not_counted(tmp_path: Path) -> None:
    session(tmp_path, "a", 10)
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "nowhere")
    assert calls_still_expected(tmp_path, "own")(0) == 10.0
