"""Summaries of logs are cached and stay correct, whatever happens to the log or the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from ctxe.agent.log import Log
from ctxe.agent.summary_cache import summaries
from ctxe.domain.conversation import Reply, Usage
from ctxe.domain.events import ModelChosen, ReplyReceived, TurnFinished, TurnStarted

REPLY = ReplyReceived(Reply("a", usage=Usage(100, 10, 50, 20, 5)), 0.5)


def logged(folder: Path, name: str, turns: int = 2) -> Log:
    log = Log.create(folder / "logs", name, "p", lambda: "2026-01-02T03:04:05Z")
    log.append(ModelChosen("m"))
    for number in range(turns):
        for event in (TurnStarted(f"{name} {number} \udc80"), REPLY, TurnFinished("answered")):
            log.append(event)
    return log


def shorter(log: Log) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:-3]))


def edited(log: Log) -> None:
    log.path.write_bytes(log.path.read_bytes().replace(b'"usd":0.5', b'"usd":9.5') + b"{}\n")


def torn(log: Log) -> None:
    with log.path.open("ab") as file:
        file.write(b'{"n":8,"type":"turn_started","wor')


def unended(log: Log) -> None:
    with log.path.open("ab") as file:
        file.write(b'{"n":8,"type":"reply_received","reply":{"usage":{"input":7}},"usd":2}')


def ended(log: Log) -> None:
    summaries(log.path.parent, log.path.parent.parent)
    with log.path.open("ab") as file:
        file.write(b"\n")


def mended(log: Log) -> None:
    unended(log)
    ended(log)


def another(log: Log) -> None:
    log.path.unlink()
    logged(log.path.parent.parent, log.path.stem, turns=5)


CHANGES: tuple[Callable[[Log], object], ...] = (
    lambda log: log.append(TurnStarted("on")),
    lambda log: log.append(REPLY),
    lambda log: logged(log.path.parent.parent, "third"),
    lambda log: log.path.unlink(),
    lambda log: log.path.write_text("no log\n"),
    lambda log: (log.path.parent.parent / "sessions.json").unlink(),
    lambda log: (log.path.parent.parent / "sessions.json").write_bytes(b"\xff\x00{"),
    *(shorter, edited, torn, unended, ended, mended, another),
)


@pytest.mark.parametrize("change", CHANGES)
def test_summaries_are_the_same_with_and_without_the_cache(change: Callable[[Log], object], tmp_path: Path) -> None:
    folder, log = tmp_path / "logs", logged(tmp_path, "first")
    logged(tmp_path, "second")
    assert summaries(folder, tmp_path) == summaries(folder)
    change(log)
    once, again = summaries(folder, tmp_path), summaries(folder, tmp_path)
    assert once == again == summaries(folder)


def test_a_damaged_number_in_the_cache_is_not_believed(tmp_path: Path) -> None:
    folder, kept = logged(tmp_path, "first").path.parent, tmp_path / "sessions.json"
    before = summaries(folder, tmp_path)
    kept.write_text(kept.read_text().replace("0.5", "7.5"))
    assert summaries(folder, tmp_path) == before


def test_only_the_new_part_of_a_grown_log_is_read(tmp_path: Path) -> None:
    """Bytes that were read are not looked at again, but for those before the place where reading goes on."""
    log = logged(tmp_path, "first", turns=40)
    summaries(log.path.parent, tmp_path)
    held, size = log.path.stat(), log.path.stat().st_size
    text = log.path.read_bytes()
    with log.path.open("r+b") as file:  # in place, far before the end: nobody who reads on can see that
        file.seek(text.index(b'"usd":0.5') + len(b'"usd":'))
        file.write(b"9")
    os.utime(log.path, ns=(held.st_atime_ns, held.st_mtime_ns))
    log.append(REPLY)
    (found,) = summaries(log.path.parent, tmp_path)
    assert (found.usd, len(found.spent), log.path.stat().st_size > size) == (20.5, 41, True)


def test_an_unchanged_log_is_not_opened(tmp_path: Path) -> None:
    log = logged(tmp_path, "first")
    before = summaries(log.path.parent, tmp_path)
    log.path.chmod(0)
    held = log.path.stat()
    log.path.chmod(0o600)
    log.path.write_bytes(b"\0" * held.st_size)
    os.utime(log.path, ns=(held.st_atime_ns, held.st_mtime_ns))
    assert summaries(log.path.parent, tmp_path) == before


def asked(folder: Path, times: int) -> None:
    for _ in range(times):
        assert len(summaries(folder / "logs", folder)) >= 1


def test_several_processes_share_the_summary_cache(tmp_path: Path) -> None:
    log = logged(tmp_path, "first")
    others = [get_context("spawn").Process(target=asked, args=(tmp_path, 100)) for _ in range(3)]
    for one in others:
        one.start()
    for _ in range(100):
        log.append(REPLY)
    for one in others:
        one.join()
    assert [one.exitcode for one in others] == [0, 0, 0]
    assert summaries(tmp_path / "logs", tmp_path) == summaries(tmp_path / "logs")
    assert list(tmp_path.glob(".*.tmp")) == []
