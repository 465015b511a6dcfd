"""The session log keeps every event, survives damage, and is never shortened."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.agent.log import Log, from_record, header_of, read_events, read_timed, timed_events, to_record
from ctxe.domain.conversation import Fold, Position, Reply, ToolCall, ToolResult, Touch, Usage
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.events import (
    Consulted,
    ContextAssembled,
    EffortChosen,
    EpochStarted,
    FileChosen,
    Folded,
    Kept,
    ModeChosen,
    ModelChosen,
    Noted,
    Notice,
    Pinned,
    Queued,
    Recorded,
    ReplyReceived,
    StepFinished,
    Summarized,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.section import Chunk, Omission, Priority, Section

FILES = Section("files", Priority.INJECTED, (Chunk("a", "text", "named", "region", "a.py"),), "task", "files")
EVERY: tuple[Kept, ...] = (
    ModelChosen("openai/gpt-5"),
    EffortChosen("high"),
    ModeChosen("auto-edit"),
    EpochStarted((Section("rules", Priority.SYSTEM, (Chunk("r", "be right"),), "system"),)),
    TurnStarted("fix ünïcode \ud83d", (FILES, Section("m", Priority.MEMORY, left_out=(Omission("x", 3, "over"),)))),
    ContextAssembled(
        Ledger("m", 100, 10, (Row("files", "a", Priority.INJECTED, 5, 3, "task", "why", "full", True, "d"),), False)
    ),
    ReplyReceived(Reply("hi", (ToolCall("1", "run", "{}"),), "tools", Usage(5, 2, 3, 1), "m", "[]"), 0.25, 1.5),
    ToolStarted("1", "run", "run ls", "user"),
    ToolFinished(
        ToolResult("1", "out", False, "o1", (Touch("a", "edit", "d"),)), "run", "ls", "", "full", 0.1, {"n": [1]}
    ),
    StepFinished(1),
    Noted((Chunk("n", "changed"),)),
    Folded(Fold(Position(0, 1), (Chunk("r", "record"),), {"1": "masked"}, "threshold", 9, 5)),
    Unfolded(),
    Consulted("look over the plan", "openai/gpt-5-mini", Usage(7, 3), 0.02),
    Consulted("delegate d1", "openai/gpt-5-mini", Usage(7, 3), 0.02, "20261121-101502-3fa29c-d1"),
    Summarized("it was so", 3, "openai/gpt-5", Usage(5, 2), 0.1),
    Pinned("always this"),
    FileChosen("a.py", "read-only"),
    Queued((Chunk("c", "$ ls"),)),
    Recorded("decision", "0001-abcd", "Use JSONL", "user", ".ctxe/decisions/0001.md"),
    Notice("careful", "warning"),
    TurnFinished("answered", Usage(1, 2), 0.5, 2.0, ""),
)


def clock() -> str:
    return "2026-11-21T10:00:00Z"


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    log = Log.create(tmp_path, "s1", "demo", clock)
    for event in EVERY:
        log.append(event)
    assert read_events(log.path) == (list(EVERY), [], len(EVERY))
    numbers = [json.loads(line)["n"] for line in log.path.read_text().splitlines()[1:]]
    assert numbers == list(range(1, len(EVERY) + 1))


def test_every_kind_of_kept_event_is_in_the_round_trip() -> None:
    assert {type(event) for event in EVERY} == set(get_args(Kept))


@given(st.text(), st.text(), st.booleans())
def test_any_text_survives_a_record(text: str, more: str, ok: bool) -> None:
    event = ToolFinished(ToolResult("c", text, ok), "run", more, text, more)
    assert from_record(json.loads(json.dumps(to_record(event)))) == event


def test_a_torn_last_line_is_skipped_and_reported_and_the_file_only_grows(tmp_path: Path) -> None:
    log = Log.create(tmp_path, "s1", "demo", clock)
    log.append(StepFinished(1))
    with log.path.open("ab") as file:
        file.write(b'{"n":2,"type":"notice","te')
    before = log.path.read_bytes()
    events, notices, last = read_events(log.path)
    assert (events, notices, last) == ([StepFinished(1)], ["s1.jsonl:3: torn last line left out"], 1)
    assert log.path.read_bytes() == before
    log.append(StepFinished(2))
    assert log.path.read_bytes().startswith(before)
    assert read_events(log.path)[0] == [StepFinished(1), StepFinished(2)]


@pytest.mark.parametrize(
    "damage", [b"\0\0\0\n", b"[1]\n", b"{broken\n", b'{"type":"from the future"}\n', b"\xff\xfe\n"]
)
def test_a_damaged_line_costs_only_itself(tmp_path: Path, damage: bytes) -> None:
    log = Log.create(tmp_path, "s1", "demo", clock)
    log.append(StepFinished(1))
    with log.path.open("ab") as file:
        file.write(damage)
    log.append(StepFinished(2))
    events, notices, _ = read_events(log.path)
    assert events == [StepFinished(1), StepFinished(2)]
    assert len(notices) == 1


def test_logs_of_a_newer_version_and_other_files_are_refused_unchanged(tmp_path: Path) -> None:
    newer, other = tmp_path / "n.jsonl", tmp_path / "o.jsonl"
    newer.write_text('{"v":99,"session":"n"}\n')
    other.write_text("hello\n")
    odd = tmp_path / "v.jsonl"
    odd.write_text('{"v":"1","session":"v"}\n')
    with pytest.raises(SessionError, match="is not a session log"):
        header_of(odd)
    with pytest.raises(SessionError, match="newer ctxe"):
        header_of(newer)
    with pytest.raises(SessionError, match="is not a session log"):
        header_of(other)
    with pytest.raises(SessionError, match="no session gone"):
        header_of(tmp_path / "gone.jsonl")


def test_a_log_that_cannot_be_written_names_file_and_cause(tmp_path: Path) -> None:
    (tmp_path / "s1.jsonl").mkdir()
    log = Log.create(tmp_path, "s1", "demo", clock)
    with pytest.raises(StoreError, match=r"cannot append to .*s1\.jsonl: Is a directory"):
        log.append(StepFinished(1))
    assert log.count == 0


def test_a_log_that_is_removed_while_its_session_runs_is_written_again_whole(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    log = Log.create(folder, "s1", "demo", clock)
    for event in EVERY[:3]:
        log.append(event)
        shutil.rmtree(folder)
    log.append(EVERY[3])
    assert read_events(log.path) == (list(EVERY[:4]), [], 4)
    assert log.path.stat().st_mode & 0o777 == 0o600
    resumed = Log(log.path, clock, 4)
    resumed.open_file()
    shutil.rmtree(folder)
    resumed.append(EVERY[4])
    assert read_events(log.path) == (list(EVERY[:5]), [], 5)


def test_a_forked_log_begins_with_the_events_and_times_of_its_origin(tmp_path: Path) -> None:
    moments = iter(f"2026-01-0{day}T00:00:00Z" for day in range(1, 10))
    log = Log.create(tmp_path, "one", "p", lambda: next(moments))
    for event in EVERY[:3]:
        log.append(event)
    timed, _, last = read_timed(log.path)
    assert ([event for _, event in timed], last) == (list(EVERY[:3]), 3)
    copy = Log.create(tmp_path, "two", "p", lambda: "2026-02-01T00:00:00Z", fork="one", copied=3)
    copy.copy_events(timed)
    copy.append(EVERY[3])
    assert list(timed_events(copy.path)) == [*timed, ("2026-02-01T00:00:00Z", EVERY[3])]
    assert header_of(copy.path)["copied"] == 3
    assert [json.loads(line).get("n") for line in copy.path.read_text().splitlines()] == [None, 1, 2, 3, 4]
    assert copy.path.stat().st_mode & 0o777 == 0o600


def test_forking_an_empty_log_leaves_no_file(tmp_path: Path) -> None:
    copy = Log.create(tmp_path, "two", "p", str, fork="one")
    copy.copy_events(())
    assert not copy.path.exists()
