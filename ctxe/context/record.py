"""The running record: what stands for folded steps, chosen line by line from the originals.

Entries about the same file, command or remark stand together under one heading that says in which steps they were and
what they ask for, word for word. Below it stand the lines that are worth most per token (greedily; what a name is worth
is taken once). Nothing is reworded, so what a later action has to spell exactly is there exactly.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence

from ctxe.context.lines import Entry, Line, core_of, names_in
from ctxe.context.nearness import near_use
from ctxe.context.survey import Survey, file_key
from ctxe.context.tokens import Count
from ctxe.context.worth import worth_of_lines, worth_of_name
from ctxe.domain.value import dataclass

SAMPLE = 20_000
"""Characters that are counted to price lines; what is chosen is counted."""

HEADING = 8.0
"""Tokens of a heading's own line, about."""

TITLE_LINES = 3
"""Lines of what was asked for that a heading shows."""

_LOUD = re.compile(r"error|exception|fail|fatal|panic|cannot |not found|undefined", re.IGNORECASE)


@dataclass(slots=True)
class Topic:
    """Entries about the same thing, oldest first, under one heading of so many tokens; ``open`` once it is shown."""

    entries: list[Entry]
    cost: float
    open: bool = False
    must: bool = False

    @property
    def title(self) -> tuple[str, ...]:
        """What was asked for last."""
        return tuple(line.strip() for line in self.entries[-1].title[:TITLE_LINES])


@dataclass(slots=True)
class Candidate:
    """A line that may be chosen: its topic, its place there, its own worth, and its price in tokens."""

    topic: Topic
    place: tuple[int, int]
    line: Line
    own: float
    cost: float


def record(
    survey: Survey,
    entries: Sequence[Entry],
    covered: Iterable[str],
    room: int,
    count: Count,
    earlier: Sequence[str] = (),
    since: int = 0,
) -> str:
    """The text, of at most ``room`` tokens, that stands for ``entries`` (oldest first); empty when nothing fits.

    ``covered`` are names that stand elsewhere in the request and are worth nothing here. ``earlier`` are the parts of
    the record that stand already, for all steps up to ``since``: their lines are not told again.
    """
    if not entries:
        return ""
    density = _density(entries, count)
    topics = _grouped(entries, density)
    left = {name: worth_of_name(name, seen, survey) for name, seen in survey.names.items()}
    left.update(dict.fromkeys(covered, 0.0))
    told = {core_of(line) for text in earlier for line in text.splitlines()}
    spent = _open_what_must_stand(topics, left, room / 2, since)
    candidates = [one for one in _candidates(topics, survey, density) if one.line.core not in told]
    order = _chosen(candidates, left, room - spent)
    return _fitted(topics, order, room, count, since)


def _density(entries: Sequence[Entry], count: Count) -> float:
    """Tokens a character, by the newest lines."""
    sample, size = list[str](), 0
    for entry in reversed(entries):
        for line in entry.lines:
            sample.append(line.text)
            size += len(line.text) + 1
            if size >= SAMPLE:
                break
    return count("\n".join(sample)) / size if size else 1.0


def _grouped(entries: Sequence[Entry], density: float) -> list[Topic]:
    """Groups in the order of their newest entries."""
    topics: dict[str, list[Entry]] = {}
    for entry in entries:
        key = file_key(entry.path) if entry.path else "\n".join(entry.title) or f"{entry.what} {entry.step}"
        topics.setdefault(key, []).append(entry)
    made = [Topic(found, 0.0) for found in topics.values()]
    for topic in made:
        topic.cost = HEADING + sum(1 + density * len(line) for line in topic.title)
    return sorted(made, key=lambda topic: topic.entries[-1].step)


def _candidates(topics: Sequence[Topic], survey: Survey, density: float) -> list[Candidate]:
    """Every line that was not replaced, once, at its newest place, if it or a name in it is worth anything."""
    home = {id(entry): (topic, e) for topic in topics for e, entry in enumerate(topic.entries)}
    found, worth = [], worth_of_lines(survey, near_use(survey))
    for seen in survey.lines.values():
        at = home.get(id(seen.entry))
        if at is None or seen.gone:
            continue
        line, own = seen.line, worth(seen)
        if own or line.names:
            found.append(Candidate(at[0], (at[1], seen.place), line, own, 1 + density * len(line.text)))
    return found


def _chosen(candidates: list[Candidate], left: dict[str, float], room: float) -> list[Candidate]:
    """Candidates best first by what each still adds per token, until the room is spent (lazy greedy).

    ``left`` is what each name is still worth; it is used up. A first line of a topic pays for the heading.
    """
    heap = [(-_gain(c, left), i) for i, c in enumerate(candidates)]
    heapq.heapify(heap)
    order: list[Candidate] = []
    while heap and room > 0:
        _, i = heapq.heappop(heap)
        candidate = candidates[i]
        gain = _gain(candidate, left)
        if gain <= 0:
            continue
        if heap and gain < -heap[0][0]:
            heapq.heappush(heap, (-gain, i))
            continue
        cost = candidate.cost + (0 if candidate.topic.open else candidate.topic.cost)
        if cost > room:
            continue
        room -= cost
        order.append(candidate)
        _take(candidate, left)
    return order


def _gain(candidate: Candidate, left: dict[str, float]) -> float:
    """Worth per token; half a heading is charged to a line that needs one, since others will share it."""
    names = candidate.line.names
    worth = candidate.own + sum([left.get(name, 0.0) for name in names]) if names else candidate.own
    return worth / (candidate.cost if candidate.topic.open else candidate.cost + HEADING / 2)


def _take(candidate: Candidate, left: dict[str, float]) -> None:
    names = list(candidate.line.names)
    if not candidate.topic.open:
        candidate.topic.open = True
        names += [name for line in candidate.topic.title for name in names_in(line)]
    left.update(dict.fromkeys(names, 0.0))


def _open_what_must_stand(topics: Sequence[Topic], left: dict[str, float], room: float, since: int) -> float:
    """Open the topics of edited files and of what failed last, newest first; the tokens spent on them.

    Those of steps up to ``since`` stand already.
    """
    spent = 0.0
    for topic in reversed(topics):
        if topic.entries[-1].step <= since:
            break
        if spent + topic.cost <= room and (not topic.entries[-1].ok or any(entry.edits for entry in topic.entries)):
            spent += topic.cost
            topic.open = topic.must = True
            left.update(dict.fromkeys((name for line in topic.title for name in names_in(line)), 0.0))
    return spent


def _fitted(topics: Sequence[Topic], order: Sequence[Candidate], room: int, count: Count, since: int) -> str:
    """The record of the longest prefix of ``order`` that fits, about: what was estimated is counted and cut."""
    while True:
        text = _rendered(topics, order, since)
        size = count(text)
        if size <= room:
            return text
        if not order:
            return ""
        order = order[: min(len(order) - 1, int(0.99 * len(order) * room / size))]


def _rendered(topics: Sequence[Topic], order: Sequence[Candidate], since: int) -> str:
    chosen: dict[int, dict[tuple[int, int], Line]] = {}
    for candidate in order:
        chosen.setdefault(id(candidate.topic), {})[candidate.place] = candidate.line
    last = topics[-1].entries[-1].step
    which = f"Steps {since + 1} to {last}" if since + 1 < last else f"Step {last}"
    parts = [f"[{which}, folded. Below are lines of them, word for word; `recall s{last}` shows step {last}.]"]
    if not last:
        parts = ["[Words of the user before the first step, folded. Below are lines of them, word for word.]"]
    for topic in topics:
        lines = chosen.get(id(topic), {})
        if lines or topic.must:
            parts += _shown(topic, [lines[place] for place in sorted(lines)])
    return "\n".join(parts)


def _shown(topic: Topic, lines: Sequence[Line]) -> list[str]:
    """A heading, what was asked for, the chosen lines; of what failed last its first loud line at least."""
    newest = topic.entries[-1]
    heading = "; ".join(f"s{entry.step} {entry.what}{'' if entry.ok else ', failed'}" for entry in topic.entries[-2:])
    title = () if newest.what == "user" else topic.title
    told = [line.text for line in lines if line.text.strip() not in title]
    if not newest.ok and not any(map(_LOUD.search, told)):
        told += [line.text for line in newest.lines if line.origin == "result" and _LOUD.search(line.text)][:1]
    return [f"[{heading}]", *title, *told]
