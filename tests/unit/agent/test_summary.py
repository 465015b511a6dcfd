"""What a log says at a glance; a fork does not spend again what its origin spent."""

from __future__ import annotations

from pathlib import Path

from ctxe.agent.log import Log
from ctxe.agent.summary import Spent, summary
from ctxe.domain.conversation import Reply, Usage
from ctxe.domain.events import Kept, ModelChosen, ReplyReceived, TurnFinished, TurnStarted

USAGE = Usage(100, 10, 50)
FIRST: tuple[Kept, ...] = (ModelChosen("m"), TurnStarted("go"), ReplyReceived(Reply("a", usage=USAGE), 0.5))
MORE: tuple[Kept, ...] = (TurnFinished("answered"), TurnStarted("on"), ReplyReceived(Reply("b", usage=USAGE), 0.25))


def written(folder: Path, name: str, fork: str = "", copied: int = 0) -> Path:
    log = Log.create(folder, name, "p", lambda: "2026-01-02T03:04:05Z", fork, copied)
    for event in (*FIRST, *MORE):
        log.keep(event)
    return log.path


def test_a_session_at_a_glance(tmp_path: Path) -> None:
    found = summary(written(tmp_path, "one"))
    spent = tuple(Spent("2026-01-02T03:04:05Z", "m", USAGE, usd) for usd in (0.5, 0.25))
    assert (found.id, found.words, found.turns, found.model, found.spent) == ("one", "go", 2, "m", spent)
    assert (found.usd, found.usage, found.outcome) == (0.75, Usage(200, 20, 100), "running")


def test_a_fork_spends_only_what_came_after_it(tmp_path: Path) -> None:
    found = summary(written(tmp_path, "two", "one", copied=3))
    assert (found.fork, found.turns, found.usd, found.usage) == ("one", 2, 0.25, USAGE)


def test_a_damaged_number_costs_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "two", "one", copied=3)
    path.write_text(path.read_text().replace('"copied":3', '"copied":"three"').replace('"n":3', '"n":[]'))
    assert summary(path).usd == 0.75
