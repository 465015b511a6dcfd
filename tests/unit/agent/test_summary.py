"""The summary of a log; a fork does not count its origin's costs again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxe.agent.log import Log
from ctxe.agent.summary import ReplyCost, has_turn, newest_first, summary
from ctxe.agent.summary_cache import summaries
from ctxe.domain.conversation import Reply, Usage
from ctxe.domain.errors import SessionError
from ctxe.domain.events import Kept, ModelChosen, ReplyReceived, TurnFinished, TurnStarted
from ctxe.project.sessions import events, path_of

USAGE = Usage(100, 10, 50)
FIRST: tuple[Kept, ...] = (ModelChosen("m"), TurnStarted("go"), ReplyReceived(Reply("a", usage=USAGE), 0.5))
MORE: tuple[Kept, ...] = (TurnFinished("answered"), TurnStarted("on"), ReplyReceived(Reply("b", usage=USAGE), 0.25))


def written(folder: Path, name: str, fork: str = "", copied: int = 0) -> Path:
    log = Log.create(folder, name, "p", lambda: "2026-01-02T03:04:05Z", fork, copied)
    for event in (*FIRST, *MORE):
        log.append(event)
    return log.path


def test_the_summary_of_a_log_counts_its_turns_tokens_and_costs(tmp_path: Path) -> None:
    found = summary(written(tmp_path, "one"))
    spent = tuple(ReplyCost("2026-01-02T03:04:05Z", "m", USAGE, usd) for usd in (0.5, 0.25))
    assert (found.id, found.words, found.turns, found.model, found.spent) == ("one", "go", 2, "m", spent)
    assert (found.usd, found.usage, found.outcome) == (0.75, Usage(200, 20, 100), "running")


def test_a_fork_spends_only_what_came_after_it(tmp_path: Path) -> None:
    found = summary(written(tmp_path, "two", "one", copied=3))
    assert (found.fork, found.turns, found.usd, found.usage) == ("one", 2, 0.25, USAGE)


def test_a_damaged_number_in_a_log_counts_as_zero(tmp_path: Path) -> None:
    path = written(tmp_path, "two", "one", copied=3)
    path.write_text(path.read_text().replace('"copied":3', '"copied":"three"').replace('"n":3', '"n":[]'))
    assert summary(path).usd == 0.75


ODD = (
    '{"n":1,"type":"reply_received","reply":{"text":"x","usage":{"input":1,"output":"two","later":3}},"usd":0.5}',
    '{"n":2,"type":"reply_received","reply":{"text":"x","usage":{"input":2}},"usd":"much"}',
    '{"n":3,"type":"reply_received","reply":null,"usd":9}',
    '{"n":4,"type":"consulted","why":"x","model":"other/one","usage":{"output":4},"usd":1}',
    '{"n":5,"type":"summarized","usage":"none"}',
    '{"type":"reply_received","x":' + "[" * 5_000,
)


def test_invalid_and_newer_fields_hide_no_session_from_the_list(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text("\n".join(('{"v":1,"fork":7}', *ODD)) + "\n")
    (tmp_path / "bad.jsonl").write_text('{"v":"1"}\n')
    written(tmp_path, "one")
    found = {one.id: one for one in summaries(tmp_path)}
    assert list(found) == ["one", "odd"] or list(found) == ["odd", "one"]
    assert found["odd"].spent == (
        ReplyCost("", "", Usage(1), 0.5),
        ReplyCost("", "", Usage(2), None),
        ReplyCost("", "other/one", Usage(0, 4), 1.0),
    )
    assert (found["odd"].usd, found["odd"].usage, found["odd"].fork) == (1.5, Usage(3, 4), "7")


def test_the_session_used_last_is_found_by_the_times_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"v":"1"}\n')
    (tmp_path / "bad.jsonl").chmod(0o600)
    assert newest_first(tmp_path) == [tmp_path / "bad.jsonl"]
    with pytest.raises(SessionError, match="no session here yet"):
        path_of(tmp_path)
    log = Log.create(tmp_path, "empty", "p", lambda: "2026-01-02T03:04:05Z")
    log.append(ModelChosen("m"))
    empty = log.path
    assert path_of(tmp_path) == empty
    one, two, public = (written(tmp_path, name) for name in ("one", "two", "public"))
    public.chmod(0o644)
    for moment, path in enumerate((one, two, public, tmp_path / "bad.jsonl", empty)):
        os.utime(path, (moment, moment))
    assert [path.stem for path in newest_first(tmp_path)] == ["empty", "bad", "public", "two", "one"]
    assert [has_turn(path) for path in newest_first(tmp_path)] == [False, False, True, True, True]
    assert path_of(tmp_path) == two


def test_an_event_type_late_in_its_record_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, "one")
    late = '{"words":"' + "x" * 300 + '","n":9,"type":"turn_started"}\n'
    path.write_text(path.read_text() + late)
    assert summary(path).turns == 3


def test_a_session_from_a_clock_ahead_does_not_hide_later_ones(tmp_path: Path) -> None:
    ahead = 4_000_000_000
    early, late, third = (written(tmp_path, name) for name in ("early", "late", "third"))
    for moment, path in ((ahead, early), (ahead + 60, late)):
        os.utime(path, (moment, moment))
    assert newest_first(tmp_path) == [late, early, third]
    assert path_of(tmp_path) == late
    resumed = Log(third, lambda: "2026-01-02T03:04:05Z", count=1)
    resumed.open_file()
    resumed.append(ModelChosen("m"))
    assert newest_first(tmp_path) == [third, late, early]
    begun = written(tmp_path, "begun")
    assert newest_first(tmp_path) == [begun, third, late, early]


def test_among_logs_of_equal_time_the_one_begun_last_comes_first(tmp_path: Path) -> None:
    for name in ("20260101-000000-ffffff", "20260102-000000-000000"):
        os.utime(written(tmp_path, name), (5, 5))
    assert [path.stem for path in newest_first(tmp_path)] == ["20260102-000000-000000", "20260101-000000-ffffff"]


def test_the_session_used_last_is_not_passed_over_when_a_newer_ctxe_wrote_it(tmp_path: Path) -> None:
    older = written(tmp_path, "older")
    newer = tmp_path / "newer.jsonl"
    newer.write_text('{"v":99,"session":"newer"}\n')
    newer.chmod(0o600)
    os.utime(older, (5, 5))
    assert path_of(tmp_path) == newer
    with pytest.raises(SessionError, match="newer ctxe"):
        events(path_of(tmp_path))
    older.unlink()
    assert path_of(tmp_path) == newer
