"""In a window of usual width the list of entries shows what each is about, however long its paths are."""

from __future__ import annotations

import io
import time

from ctxe.cli.memory_pages import entries_table
from ctxe.terminal.screen import Screen


def test_a_long_scope_leaves_room_for_the_title_in_the_list() -> None:
    title = "chompBalanced stops at depth 512 and never throws"
    scope = ["src/test/java/org/jsoup/parser/TokenQueueTest.java"]
    row = {"id": "e80df91e-0220", "title": title, "scope": scope, "at": time.time(), "uses": 0, "tokens": 64}
    row |= {
        "number": 1,
        "rival": None,
        "status": "resolved",
        "files": scope,
        "same_as": None,
        "stale": [],
        "problems": [],
    }
    drawn = entries_table([row], Screen(io.StringIO(), io.StringIO(), io.StringIO(), columns=100))
    assert title[:25] in drawn
    assert scope[0][:20] in drawn
