"""Joins the diffs of successive edits of a file: what they change together, block by block."""

from __future__ import annotations

from collections import Counter

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field

_HUNK = pattern(r"@@ -(\d+)")


@dataclass(slots=True)
class ChangedBlock:
    """Neighbouring changed lines of a diff, from line ``at`` of the old file."""

    at: int
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [*(f"-{line}" for line in self.removed), *(f"+{line}" for line in self.added)]
        return "\n".join([f"@@ -{self.at} @@", *rows])


def blocks(diff: str) -> list[ChangedBlock]:
    """The blocks of a unified diff, in order; changed lines alone, without a header, count from line 1."""
    found: list[ChangedBlock] = []
    at, apart = 1, True
    for row in diff.splitlines():
        if hunk := _HUNK.match(row):
            at, apart = int(hunk[1]), True
        elif row[:1] in ("-", "+") and row[:3] not in ("---", "+++"):
            found += [ChangedBlock(at)] if apart else []
            (found[-1].removed if row[0] == "-" else found[-1].added).append(row[1:])
            at, apart = at + (row[0] == "-"), False
        else:
            at, apart = at + 1, True
    return found


def joined(earlier: str, later: str) -> str:
    """One diff for two edits of a file, the newer one's blocks first.

    Lines that the earlier edit added and the later one changed again appear as they are now.
    """
    if not earlier or not later:
        return later or earlier
    old = blocks(earlier)
    adder = {line: block for block in reversed(old) for line in block.added if _is_code(line)}
    new: dict[int, ChangedBlock] = {}
    for block in blocks(later):
        home = next((adder[line] for line in block.removed if line in adder), None)
        if home:
            _rewrite(home, block)
        for line in block.removed:
            adder.pop(line, None)
        new[id(home or block)] = home or block
    kept = (block for block in old if id(block) not in new)
    return "\n".join(str(block) for block in (*new.values(), *kept) if block.removed != block.added)


def adds_to(edit: str, whole: str) -> bool:
    """Whether a line of code that one diff adds is among those that another adds."""
    added = {line for block in blocks(whole) for line in block.added if _is_code(line)}
    return any(line in added for block in blocks(edit) for line in block.added)


def _is_code(line: str) -> bool:
    return any(map(str.isalnum, line))


def _rewrite(home: ChangedBlock, block: ChangedBlock) -> None:
    """Let ``home`` add what it adds after ``block``."""
    left = Counter(block.removed)
    kept: list[str] = []
    at: int | None = None
    for line in home.added:
        if left[line]:
            left[line] -= 1
            at = len(kept) if at is None else at
        else:
            kept.append(line)
    home.added = [*kept[:at], *block.added, *(kept[at:] if at is not None else ())]
    for line in block.removed:
        if left[line]:
            left[line] -= 1
            home.removed.append(line)
