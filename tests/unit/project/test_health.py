"""The doctor's report on the machine that ctxe runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.project.health import LEAST_ROOM, disk


@pytest.mark.parametrize(("left", "states"), [(LEAST_ROOM, []), (1_500_000, ["note"]), (0, ["fail"])])
def test_a_full_or_nearly_full_disk_is_reported(left: int, states: list[str]) -> None:
    found = list(disk(Path("/w/repo"), left))
    assert [one.state for one in found] == states
    assert [one.says for one in found] == [f"{left / 1e6:.1f} MB left where /w/repo is"] * len(states)
