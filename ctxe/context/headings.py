"""A page by its headings: which parts bear on what was looked for, and the part that stands under a heading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass
from ctxe.lexical.bm25 import Corpus, FieldWeight
from ctxe.lexical.words import counts, terms

FENCES = ("```", "~~~")
OUTLINE = 60
"""Headings of parts that are left out which are told, the higher ones first."""
TITLE = 3.0
"""What a word in a heading counts beside one in the text below it."""
NEAR = 0.3
"""A part is kept when it is worth at least this much of the best one."""
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class HeadedPart:
    """Lines from ``first`` up to ``end`` below one heading of a level (1 to 6); level 0 before the first heading."""

    first: int
    end: int
    level: int = 0
    title: str = ""


def parts(lines: Sequence[str]) -> list[HeadedPart]:
    """The parts of a Markdown text in order, each with its own lines and without the parts below it."""
    heads = [(0, 0, ""), *_headings(lines)]
    ends = [*(place for place, _, _ in heads[1:]), len(lines)]
    made = [HeadedPart(first, end, level, title) for (first, level, title), end in zip(heads, ends, strict=True)]
    return [part for part in made if part.end > part.first]


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(line, level, title) of every heading; what looks like one inside of a block of code is none."""
    fence = ""
    for place, line in enumerate(lines):
        begun = line.lstrip()[:3]
        if begun in FENCES and (not fence or begun == fence):
            fence = "" if fence else begun
        elif not fence and line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            if level <= DEEPEST and line[level : level + 1] == " " and line[level:].strip():
                yield place, level, line[level:].strip(" #")


def parts_about(words: str) -> Callable[[Sequence[str]], list[float]]:
    """What each line of a page is worth: its headings most, as an outline, then the parts that bear on ``words``.

    A part counts whole, so that what is kept of a page can be read; BM25 over its own lines and its headings. Where
    no part bears on them nothing but headings is marked, and a page is known by how it begins.
    """

    def near(lines: Sequence[str]) -> list[float]:
        found = parts(lines)
        marks = [0.0] * len(lines)
        scores = _scores(found, lines, words)
        for number, part in enumerate(found):
            worth = score if (score := scores.get(number, 0.0)) >= NEAR else 0.0
            marks[part.first : part.end] = [worth] * (part.end - part.first)
        heads = [part for part in found if part.level]
        for part in sorted(heads, key=lambda part: part.level)[:OUTLINE]:
            marks[part.first] = 1.0 + (DEEPEST + 1 - part.level) / 10
        for place in _fence(lines):
            marks[place] = 2.0
        return marks

    return near


def _fence(lines: Sequence[str]) -> Iterator[int]:
    """The lines that say where the page is from and where it ends, with what was noted behind that."""
    if lines and lines[0].startswith("<"):
        yield 0
        end = next((place for place in range(len(lines) - 1, 0, -1) if lines[place].startswith("</")), len(lines))
        yield from range(end, len(lines))


def _scores(found: Sequence[HeadedPart], lines: Sequence[str], words: str) -> dict[int, float]:
    """The worth (0 to 1) of parts that have words of the question, by their number."""
    wanted = dict.fromkeys(terms(words), 1.0)
    if not wanted:
        return {}
    index = Corpus({"title": FieldWeight(TITLE, 0.3), "above": FieldWeight(1.0, 0.3), "text": FieldWeight(1.0)})
    above: list[HeadedPart] = []
    for number, part in enumerate(found):
        above = [one for one in above if one.level < part.level]
        titles = " ".join(one.title for one in above)
        body = "\n".join(lines[part.first + bool(part.level) : part.end])
        index.add(f"{number:06d}", {"title": counts(part.title), "above": counts(titles), "text": counts(body)})
        above.append(part)
    scores = index.scores(wanted)
    best = max(scores.values(), default=0.0)
    return {int(key): score / best for key, score in scores.items()} if best > 0 else {}


def under(text: str, heading: str) -> str:
    """The part of a page under a heading with all parts below it; the nearest by its words, empty when none has any."""
    lines = text.split("\n")
    found = [part for part in parts(lines) if part.level]
    plain = heading.strip(" #").casefold()
    exact = [number for number, part in enumerate(found) if part.title.casefold() == plain]
    number = exact[0] if exact else _nearest(found, heading)
    if number is None:
        return ""
    part = found[number]
    below = (one.first for one in found[number + 1 :] if one.level <= part.level)
    return "\n".join(lines[part.first : next(below, len(lines))]).strip("\n")


def _nearest(found: Sequence[HeadedPart], heading: str) -> int | None:
    wanted = set(terms(heading.replace("-", " ").replace("_", " ")))
    shared = [len(wanted.intersection(terms(part.title))) / (1 + len(terms(part.title))) for part in found]
    best = max(shared, default=0.0)
    return shared.index(best) if best else None


def pages_of(conversation: Conversation) -> dict[str, Chunk]:
    """The pages that were told with the user's words, by address, each as it was told last."""
    told = (chunk for turn in conversation.turns for section in turn.gathered for chunk in section.chunks)
    return {chunk.id: chunk for chunk in told if "://" in chunk.id and chunk.of}
