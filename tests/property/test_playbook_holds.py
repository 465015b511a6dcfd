"""The memory never shrinks by accident: whatever is added, credited, merged or retired, every word stays on disk."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.upkeep import playbook, review
from ctxe.storage.counters import Counters

SUBJECTS = ("port", "nginx", "tests", "deploy", "friday", "cache", "parser", "retry", "token", "schema")
WORDS = st.lists(st.sampled_from(SUBJECTS), min_size=2, max_size=9).map(" ".join)
KINDS = st.sampled_from(["fact", "routine", "preference", "decision"])
ADD = st.tuples(st.just("add"), KINDS, WORDS, WORDS)
PROPOSE = st.tuples(st.just("propose"), KINDS, WORDS, WORDS)
PICK = st.integers(0, 30)
Step = tuple[str, str, str, str] | tuple[str, int, int]
STEPS = st.lists(
    st.one_of(
        ADD, ADD, PROPOSE, st.tuples(st.sampled_from(["blame", "praise", "join", "accept", "merge"]), PICK, PICK)
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_no_playbook_operation_loses_a_word(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chance = (f"{n:016x}" for n in itertools.count())
        base = Path(folder) / ".ctxe"
        store = Store(base, base / "cache", lambda: 1_795_262_400.0, lambda _size: next(chance))
        counters = Counters(base / "cache" / "counters.db")
        said: list[tuple[str, str]] = []
        for step in steps:
            _take(store, counters, step, said)
            held = "\n".join(f"{entry.title}\n{entry.text}" for entry in store.entries())
            assert all(title in held and text in held for title, text in said), step
        counters.close()


def _take(store: Store, counters: Counters, step: Step, said: list[tuple[str, str]]) -> None:
    if len(step) == 4:
        what, kind, title, text = step
        store.add(Entry("", kind, title, "current" if what == "add" else "proposed", text=text))
        said.append((title, text))
        return
    what, one, other = step
    entries = store.entries()
    live = [entry for entry in entries if entry.status == "current"]
    waiting = review.pending_proposals(store)
    if what in ("blame", "praise") and live:
        ids = [live[one % len(live)].id]
        for _ in range(1 + other % 4):
            playbook.credit(counters, ids, store.now(), helped=what == "praise")
        before = {entry.id for entry in live}
        gone = {entry.id for entry in playbook.retire(store, counters, ids)}
        after = {entry.id for entry in store.entries() if entry.status == "current"}
        assert after == before - gone
        assert gone <= set(ids)
    elif what == "join" and (pairs := playbook.near_duplicates(entries)):
        first, second = pairs[one % len(pairs)]
        playbook.merge_entries(store, first.id, second.id)
    elif what == "accept" and waiting:
        review.accept(store, waiting[one % len(waiting)].id)
    elif what == "merge" and waiting and live:
        review.merge(store, waiting[one % len(waiting)].id, live[other % len(live)].id)
