"""The difference between two texts: hunks, a unified diff for people, and a count of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from ctxe.domain.value import dataclass
from ctxe.tools.text import split

CONTEXT = 3
MOST_COMPARED = 4_000
"""Changed lines on both sides above which they become one hunk, since the search for smaller ones is quadratic."""

NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines ``[a, b)`` of the old text became lines ``[c, d)`` of the new one, counted from 0."""

    a: int
    b: int
    c: int
    d: int


def hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """The differences between two lists of lines, in order; common lines at both ends are skipped first."""
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    remaining = min(len(old), len(new)) - head
    equal_tail = takewhile(lambda count: old[-count] == new[-count], range(1, remaining + 1))
    tail = sum(1 for _ in equal_tail)
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if not old_middle and not new_middle:
        return []
    if len(old_middle) > MOST_COMPARED and len(new_middle) > MOST_COMPARED:
        return [Hunk(head, head + len(old_middle), head, head + len(new_middle))]
    codes = SequenceMatcher(None, old_middle, new_middle).get_opcodes()
    return [Hunk(a + head, b + head, c + head, d + head) for tag, a, b, c, d in codes if tag != "equal"]


def change_counts(changes: Sequence[Hunk]) -> str:
    """Lines added and removed, as in ``+3 −2``."""
    return f"+{sum(hunk.d - hunk.c for hunk in changes)} −{sum(hunk.b - hunk.a for hunk in changes)}"


def unified(path: str, old: str | None, new: str | None) -> str:
    """A unified diff of one file; None stands for a missing file.

    Carriage returns are left out when every line of both texts has one, and shown otherwise.
    """
    same = _all_crlf(old) and _all_crlf(new)
    before, after = (split((text or "").replace("\r\n", "\n") if same else text or "") for text in (old, new))
    differences = hunks(before, after)
    lines = [f"--- {'/dev/null' if old is None else 'a/' + path}", f"+++ {'/dev/null' if new is None else 'b/' + path}"]
    for group in _groups(differences):
        lines.extend(_hunk_lines(group, before, after))
    return "\n".join(lines) + "\n"


def _all_crlf(text: str | None) -> bool:
    return text is None or text.count("\r\n") == text.count("\n")


def _groups(differences: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    """Group hunks whose context lines would touch."""
    group: list[Hunk] = []
    for hunk in differences:
        if group and hunk.a - group[-1].b > 2 * CONTEXT:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _hunk_lines(group: Sequence[Hunk], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    start, end = max(0, group[0].a - CONTEXT), min(len(before), group[-1].b + CONTEXT)
    shift = group[0].c - group[0].a
    size = end - start + sum((hunk.d - hunk.c) - (hunk.b - hunk.a) for hunk in group)
    yield f"@@ -{_span(start, end - start)} +{_span(start + shift, size)} @@"
    position = start
    for hunk in group:
        yield from _with_sign(" ", before[position : hunk.a])
        yield from _with_sign("-", before[hunk.a : hunk.b])
        yield from _with_sign("+", after[hunk.c : hunk.d])
        position = hunk.b
    yield from _with_sign(" ", before[position:end])


def _span(start: int, size: int) -> str:
    first = start + 1 if size else start
    return str(first) if size == 1 else f"{first},{size}"


def _with_sign(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line.removesuffix("\n")
        if not line.endswith(("\n", "\r")):
            yield NO_NEWLINE
