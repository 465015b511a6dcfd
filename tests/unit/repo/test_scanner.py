"""A scanning worker returns segments, small at first, so that little is lost, and then larger ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from ctxe.repo.indexing.worker import SEGMENT_SECONDS, SEGMENT_SHARE, Scanner


def test_index_segments_grow_with_the_build_time(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    now = [0.0]
    scanner = Scanner(tmp_path, 1_000_000, clock=lambda: now[0])
    given = []
    for second in range(1, 401):
        now[0] = float(second)
        if scanner.scan([(second, "a.py")])[1]:
            given.append(second)
    assert given[0] == SEGMENT_SECONDS + 1
    spans = [later - sooner for sooner, later in pairwise(given)]
    assert spans == sorted(spans)
    assert all(
        span <= max(SEGMENT_SECONDS, SEGMENT_SHARE * later) + 1 for span, later in zip(spans, given[1:], strict=True)
    )
    assert len(given) < 15
