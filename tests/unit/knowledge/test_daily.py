"""The daily log: one line for each turn, read back as entries, older days summarised by week."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctxe.domain.section import digest
from ctxe.knowledge.entries.daily import TurnSummary, day_of, line_of, newest, read_day, weeks, without_costs
from ctxe.knowledge.entries.store import Store

NOON = 1_795_262_400.0


def test_a_turn_becomes_one_line_of_the_daily_log() -> None:
    done = TurnSummary("fix the\nparser", "tests pass", ("a.py", "b.py"), 0.1234, ("decision 0007-3fa2",))
    assert line_of(done, NOON, "s1") == (
        "- 12:00 [s1] fix the parser → tests pass (a.py, b.py; decision 0007-3fa2; $0.12)"
    )
    assert line_of(TurnSummary("hello"), NOON) == "- 12:00 hello"
    assert line_of(TurnSummary("x", files=tuple(f"f{n}.py" for n in range(9))), NOON).endswith(
        "(f0.py, f1.py, f2.py, f3.py and 5 more)"
    )
    assert len(line_of(TurnSummary("long " * 500, "long " * 500), NOON)) <= 400
    assert line_of(TurnSummary("when?"), -1e30) == "- 00:00 when?"


def test_the_model_gets_daily_lines_without_costs_and_known_failures() -> None:
    done = TurnSummary("go on (now)", "ok", ("a.py",), 0.02, ("failure 1d05d6c8-d2f5", "decision 0007-3fa2"))
    bare = replace(done, files=(), recorded=(), task="what (really)?")
    lines = (line_of(done, NOON), line_of(bare, NOON), "- 12:00 why (only) this", "- 12:00 it failed (twice)")
    assert [without_costs(entry) for line in lines for entry in read_day(line.encode(), "daily/2026-11-21.md")] == [
        "go on (now) → ok (a.py; decision 0007-3fa2)",
        "what (really)? → ok",
        "why (only) this",
        "it failed (twice)",
    ]


def test_a_line_with_many_failures_shortens_each_and_a_truncated_one_shows_the_model_none() -> None:
    states = [f"failure {name}-f00d {state}" for state in ("new", "again", "resolved") for name in ("aaaa", "bbbb")]
    done = TurnSummary("mend it", "ok", ("a.py",), 0.02, (*states[:3], "decision 0007-3fa2", *states[3:]))
    assert line_of(done, NOON) == (
        "- 12:00 mend it → ok (a.py; decision 0007-3fa2; failure aaaa-f00d resolved; failure bbbb-f00d resolved; $0.02)"
    )
    many = replace(done, recorded=("decision 0007-3fa2", *(f"failure {n:08x}-f00d new" for n in range(40))))
    [entry] = read_day(line_of(many, NOON).encode(), "daily/2026-11-21.md")
    assert entry.text.endswith("…")
    assert without_costs(entry) == "mend it → ok (a.py; decision 0007-3fa2)"


def test_among_lines_of_one_minute_the_latest_session_is_the_newest() -> None:
    at = "20261121-0900"
    days = read_day(
        f"- 09:00 [{at}40-aa] b\n- 09:00 [{at}10-bb] a\n- 09:00 [{at}50-00] c\n".encode(), "daily/2026-11-21.md"
    )
    assert [entry.text for entry in newest(days, 2)] == ["b", "c"]


def test_daily_lines_with_equal_ids_get_different_ones(tmp_path: Path) -> None:
    one = other = ""
    pairs: dict[str, str] = {}
    for number in range(2_000):
        one = f"- 10:00 [s] line {number}"
        if (other := pairs.setdefault(digest(one)[:4], one)) != one:
            break
    store = Store(tmp_path / ".ctxe", tmp_path / ".ctxe" / "cache")
    day = store.log(other)
    store.log(one)
    kept, gone = store.entries()
    assert (kept.text, gone.text) == (other[12:], one[12:])
    assert kept.id != gone.id
    store.forget(gone.id)
    assert day.read_text() == f"{other}\n"


def test_daily_lines_are_read_as_entries_among_any_other_text() -> None:
    data = b"# notes\n- 09:30 [s1] first\n\n- no time\n* other\n- 09:30 [s1] first\n\xff\0- 10:00 bad\n-\n"
    entries = read_day(data, "daily/2026-11-21.md")
    assert [(entry.created, entry.session, entry.text) for entry in entries] == [
        ("2026-11-21T09:30:00Z", "s1", "first"),
        ("2026-11-21T00:00:00Z", "", "no time"),
    ]
    assert {entry.kind for entry in entries} == {"log"}
    assert all(entry.id.startswith("2026-11-21-") for entry in entries)


def test_the_newest_lines_are_the_last_of_all_days() -> None:
    days = [read_day(f"- 0{n}:00 day {n}\n".encode(), f"daily/2026-11-0{n}.md") for n in range(1, 6)]
    lines = [entry for day in reversed(days) for entry in day]
    assert [entry.text for entry in newest(lines, 2)] == ["day 4", "day 5"]


def test_older_days_are_summarised_by_week_and_keep_decisions() -> None:
    lines = [
        *read_day(b"- 09:00 one (a.py; $0.10)\n- 10:00 two (a.py, b.py; decision 0007-3fa2)\n", "daily/2026-11-03.md"),
        *read_day(b"- 09:00 three\n", "daily/2026-11-05.md"),
        *read_day(b"- 09:00 four\n", "daily/2026-11-10.md"),
        *read_day(b"- 09:00 young\n", "daily/2026-11-20.md"),
    ]
    assert weeks(lines, "2026-11-21") == {
        "2026-W46": ("1 turn on 1 day",),
        "2026-W45": (
            "3 turns on 2 days; most in a.py, b.py",
            "two (a.py, b.py; decision 0007-3fa2)",
        ),
    }
    assert [list(weeks(lines, day)) for day in ("2026-11-16", "2026-11-17")] == [["2026-W45"], ["2026-W46", "2026-W45"]]
    assert weeks(lines, "no day") == {}


def test_the_daily_file_is_named_by_the_clocks_date() -> None:
    assert [day_of(seconds) for seconds in (NOON, 0.0, 1e30)] == ["2026-11-21", "1970-01-01", "1970-01-01"]
