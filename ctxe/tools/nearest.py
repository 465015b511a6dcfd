"""The error for a search text that is not in the file: the place probably meant, and how it differs."""

from __future__ import annotations

from collections import Counter

from ctxe.domain.value import dataclass
from ctxe.safety.display import strip_invisible
from ctxe.tools.text import numbered

MOST_LINES = 24
"""Lines of the nearest region that are shown."""

LEAST_SIMILARITY = 60.0
"""Per cent of similarity below which no region is shown."""

MOST_WORK = 40_000_000
"""Characters of the text times characters sought above which only whole lines are compared (about 0.2 s)."""


@dataclass(frozen=True, slots=True)
class NearestLines:
    """Lines ``first`` to ``last`` (from 1), and their similarity in per cent."""

    first: int
    last: int
    alike: float


def no_match_message(text: str, old: str, new: str, name: str) -> str:
    r"""The message for a search text that is not in ``text``; both have only ``\n`` as line ends."""
    head = f"old is not in {name}"
    if new.strip() and text.count(new) == 1 and len(new) > len(old) // 2:
        line = text.count("\n", 0, text.index(new)) + 1
        return f"{head}, but new already is, at line {line}; nothing is left to do there"
    region = nearest(text, old)
    if region is None:
        return f"{head}, nor anything like it; read_file shows what is there"
    lines = text.split("\n")[region.first - 1 : region.last]
    shown = [numbered(line, region.first + offset) for offset, line in enumerate(lines[:MOST_LINES])]
    more = [f"[{len(lines) - MOST_LINES} more lines]"] if len(lines) > MOST_LINES else []
    why = _difference("\n".join(lines), old)
    span = f"line {region.first}" if len(lines) == 1 else f"lines {region.first}-{region.last}"
    return "\n".join([f"{head}; nearest is {span} ({why or f'{region.alike:.0f} % alike'}):", *shown, *more])


def nearest(text: str, old: str) -> NearestLines | None:
    """The region most similar to ``old``, found by common lines or else by similar characters; None for none."""
    wanted = old.strip("\n").split("\n")
    lines = text.split("\n")
    start = _by_lines(lines, wanted)
    if start is None:
        return _by_characters(text, old.strip("\n"))
    from rapidfuzz import fuzz

    start = max(0, start)
    end = min(len(lines), start + len(wanted))
    alike = fuzz.ratio("\n".join(lines[start:end]), "\n".join(wanted))
    return (
        NearestLines(start + 1, end, alike) if alike >= LEAST_SIMILARITY / 2 else _by_characters(text, old.strip("\n"))
    )


def _by_lines(lines: list[str], wanted: list[str]) -> int | None:
    """The line (from 0) at which most lines of ``wanted`` match, rare lines counting more; None when none does."""
    rows_of: dict[str, list[int]] = {}
    for row, line in enumerate(wanted):
        if len(line.strip()) > 3:
            rows_of.setdefault(" ".join(line.split()), []).append(row)
    hits = [(key, line_row) for line_row, line in enumerate(lines) if (key := " ".join(line.split())) in rows_of]
    occurrences = Counter(key for key, _ in hits)
    votes: Counter[int] = Counter()
    for key, line_row in hits:
        if occurrences[key] <= 50:
            for row in rows_of[key]:
                votes[line_row - row] += 1000 // occurrences[key]
    return min(votes, key=lambda start: (-votes[start], start)) if votes else None


def _by_characters(text: str, old: str) -> NearestLines | None:
    from rapidfuzz import fuzz

    if not old or len(text) * len(old) > MOST_WORK * 10 or (len(old) > 200 and len(text) * len(old) > MOST_WORK):
        return None
    place = fuzz.partial_ratio_alignment(old, text, score_cutoff=LEAST_SIMILARITY)
    if place is None or len(old) > len(text):
        return None
    first = text.count("\n", 0, place.dest_start) + 1
    last = text.count("\n", 0, max(place.dest_start, place.dest_end - 1)) + 1
    return NearestLines(first, last, place.score)


def _difference(region: str, old: str) -> str:
    """The difference between two regions, when there is only one kind; empty otherwise."""
    if strip_invisible(region)[0].split() == old.split() != region.split():
        return "it holds invisible characters there; give less of the line, or rewrite it by run_command"
    if region.split() != old.split():
        return "they differ in case" if region.split() and region.lower().split() == old.lower().split() else ""
    if ("\t" in region) != ("\t" in old):
        return "it is indented with tabs" if "\t" in region else "it has spaces, not tabs"
    same_stripped = [line.strip() for line in region.strip().split("\n")] == [
        line.strip() for line in old.strip().split("\n")
    ]
    return "they differ in indentation or spaces at line ends" if same_stripped else "they differ in white space"
