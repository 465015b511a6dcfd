"""A Markdown page by its headings: which parts match a query, and which part stands under a given heading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass
from ctxe.lexical.bm25 import Corpus, FieldWeight
from ctxe.lexical.words import term_counts, terms

FENCES = ("```", "~~~")
OUTLINE = 60
"""Most headings shown as the outline of a page, the higher levels first."""
TITLE = 3.0
"""Weight of a word in a heading, relative to one in the text below it."""
NEAR = 0.3
"""Least score of a part that is kept, relative to the best part."""
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class HeadedPart:
    """Lines ``first`` to ``end`` (exclusive) below a heading of level 1 to 6; level 0: before the first heading."""

    first: int
    end: int
    level: int = 0
    title: str = ""


def parts_of(lines: Sequence[str]) -> list[HeadedPart]:
    """The parts of a Markdown text in order; a part does not include its subsections."""
    heads = [(0, 0, ""), *_headings(lines)]
    ends = [*(place for place, _, _ in heads[1:]), len(lines)]
    made = [HeadedPart(first, end, level, title) for (first, level, title), end in zip(heads, ends, strict=True)]
    return [part for part in made if part.end > part.first]


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(line, level, title) of every heading outside fenced code blocks."""
    fence = ""
    for place, line in enumerate(lines):
        start = line.lstrip()[:3]
        if start in FENCES and (not fence or start == fence):
            fence = "" if fence else start
        elif not fence and line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            if level <= DEEPEST and line[level : level + 1] == " " and line[level:].strip():
                yield place, level, line[level:].strip(" #")


def parts_about(words: str) -> Callable[[Sequence[str]], list[float]]:
    """A scorer for the lines of a page: headings score highest, as an outline, then the parts that match ``words``.

    A part is scored as a whole, so that what is kept reads well: BM25 over its own lines and its headings. When no part
    matches, only headings are marked, and `trim` fills the room from the beginning of the page.
    """

    def near(lines: Sequence[str]) -> list[float]:
        found = parts_of(lines)
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
    """The lines of the wrapper: the opening tag with the page's source, and the closing tag with the notes after it."""
    if lines and lines[0].startswith("<"):
        yield 0
        end = next((place for place in range(len(lines) - 1, 0, -1) if lines[place].startswith("</")), len(lines))
        yield from range(end, len(lines))


def _scores(found: Sequence[HeadedPart], lines: Sequence[str], words: str) -> dict[int, float]:
    """Scores (0 to 1, relative to the best) of the parts that share terms with ``words``, by index."""
    wanted = dict.fromkeys(terms(words), 1.0)
    if not wanted:
        return {}
    index = Corpus({"title": FieldWeight(TITLE, 0.3), "above": FieldWeight(1.0, 0.3), "text": FieldWeight(1.0)})
    above: list[HeadedPart] = []
    for number, part in enumerate(found):
        above = [one for one in above if one.level < part.level]
        titles = " ".join(one.title for one in above)
        body = "\n".join(lines[part.first + bool(part.level) : part.end])
        index.add(
            f"{number:06d}", {"title": term_counts(part.title), "above": term_counts(titles), "text": term_counts(body)}
        )
        above.append(part)
    scores = index.scores(wanted)
    best = max(scores.values(), default=0.0)
    return {int(key): score / best for key, score in scores.items()} if best > 0 else {}


def part_under(text: str, heading: str) -> str:
    """The part under a heading, with its subsections: an exact title, else the closest; empty when no word matches."""
    lines = text.split("\n")
    found = [part for part in parts_of(lines) if part.level]
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
    """The web pages sent with the user's words, by address, each in its newest version."""
    every = (chunk for turn in conversation.turns for section in turn.gathered for chunk in section.chunks)
    return {chunk.id: chunk for chunk in every if "://" in chunk.id and chunk.of}
