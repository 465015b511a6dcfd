"""A session prepares in a second thread: what is found does not depend on which thread read the memory first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker

SUBJECTS = ("socket", "parser", "ledger", "cursor", "palette", "scanner", "router", "kernel")
ENTRIES = [
    Entry(f"e{n}", "fact", f"Retry the {SUBJECTS[n % 8]} of module {n}", text=f"number{n} waits {n % 7} seconds")
    for n in range(400)
]
ASKED = [Query(f"how does the {subject} with number{n} retry", k=3) for n, subject in enumerate(SUBJECTS[:4])]


def found(ranker: Ranker, query: Query, entries: list[Entry]) -> list[tuple[str, float]]:
    return [(one.entry.id, one.score) for one in ranker.ranked(query, entries)[:3]]


def test_postings_saved_by_one_thread_are_read_by_another(tmp_path: Path) -> None:
    alone = [found(Ranker(), query, ENTRIES) for query in ASKED]
    assert all(alone)
    for _ in ("written", "read back"):
        ranker = Ranker(tmp_path)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(found, ranker, ASKED[0], ENTRIES).result() == alone[0]
        assert [found(ranker, query, ENTRIES) for query in ASKED] == alone


def test_two_threads_with_different_entries_get_the_results_of_each_alone(tmp_path: Path) -> None:
    halves = [ENTRIES[:330], ENTRIES[60:], ENTRIES]
    alone = [[found(Ranker(), query, half) for query in ASKED] for half in halves]
    ranker = Ranker(tmp_path)

    def asked(turn: int) -> bool:
        return [found(ranker, query, halves[turn % 3]) for query in ASKED] == alone[turn % 3]

    with ThreadPoolExecutor(6) as several:
        assert all(several.map(asked, range(12)))
