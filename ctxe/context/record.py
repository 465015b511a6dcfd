"""The running record: lines chosen verbatim from the originals that replace folded steps.

Entries about the same file, command or remark share one heading, which names their steps and quotes what they ask for.
Below it stand the lines worth most per token, chosen greedily (the worth of a name counts once). Nothing is reworded,
so the record has exactly what a later action must spell exactly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from ctxe.context.greedy import HEADING, Candidate, Topic, choose_lines
from ctxe.context.lines import HistoryEntry, core_of
from ctxe.context.nearness import near_use
from ctxe.context.repeats import is_passed
from ctxe.context.survey import LineSightings, Survey, file_key
from ctxe.context.tokens import Count
from ctxe.context.trim import is_below
from ctxe.context.worth import pending_in_listings, worth_of_lines, worth_of_name
from ctxe.domain.pattern import pattern

SAMPLE = 20_000
"""Characters counted to estimate the price of lines; the chosen text is counted exactly."""

Shown = tuple[Topic, LineSightings]
"""The topic whose heading a chosen line stands under, and the line."""

_FIGURES = pattern(r"0x[0-9a-fA-F]+|[0-9]+")
_WORD = pattern(r"[^\W\d_]{3}")
_LOUD = pattern(r"error|exception|fail|fatal|panic|cannot |not found|undefined", re.IGNORECASE)
_STATED = pattern(
    r"^E\s{2}|^\s*not ok\b|panicked at"
    r"|(?:^|[\s:\[])\w*(?:error|exception|fail(?:ed|ure)?|fatal)\b(?:\s?\[[^\]]*\]|\(\w*\))?(?::|\]| -)",
    re.IGNORECASE,
)
"""Lines that state an error, where others only mention one (`def test_error_message():`)."""
_BANNER = pattern(r"[\W\d_]*(?:errors?|failed|failures?)[\W\d_]*", re.IGNORECASE)
"""Lines that only head the errors below them."""


def record(
    survey: Survey,
    entries: Sequence[HistoryEntry],
    covered: Iterable[str],
    room: int,
    count: Count,
    earlier: Sequence[str] = (),
    since: int = 0,
) -> str:
    """The text, of at most ``room`` tokens, that replaces ``entries`` (oldest first); empty when nothing fits.

    ``covered`` are names that stand elsewhere in the request and are worth nothing here. The lines of ``earlier``, such
    as the existing parts of the record for all steps up to ``since``, are not repeated.
    """
    if not entries:
        return ""
    density = _density(entries, count)
    topics = _grouped(entries, density)
    left = {name: worth_of_name(name, seen, survey) for name, seen in survey.names.items()}
    for path, likelier in pending_in_listings(survey).items():
        left[path] *= likelier
    left.update(dict.fromkeys(covered, 0.0))
    recorded = {core_of(line) for text in earlier for line in text.splitlines()}
    spent = _open_required(topics, left, room / 2, since)
    order = choose_lines(_candidates(topics, survey, density, recorded), left, room - spent)
    return _fitted(topics, order, room, count, since)


def _density(entries: Sequence[HistoryEntry], count: Count) -> float:
    """Tokens per character, measured on the newest lines."""
    sample, size = list[str](), 0
    for entry in reversed(entries):
        for line in entry.lines:
            sample.append(line.text)
            size += len(line.text) + 1
            if size >= SAMPLE:
                break
    return count("\n".join(sample)) / size if size else 1.0


def _grouped(entries: Sequence[HistoryEntry], density: float) -> list[Topic]:
    """Topics in the order of their newest entries."""
    topics: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        about = entry.path if entry.is_edit or entry.kind not in ("shell", "search") else ""
        key = file_key(about) if about else "\n".join(entry.title) or f"{entry.what} {entry.step}"
        topics.setdefault(key, []).append(entry)
    made = [Topic(found, 0.0) for found in topics.values()]
    for topic in made:
        topic.cost = HEADING + sum(1 + density * len(line) for line in topic.title)
    return sorted(made, key=lambda topic: topic.entries[-1].step)


def _candidates(topics: Sequence[Topic], survey: Survey, density: float, recorded: Collection[str]) -> list[Candidate]:
    """Every line not replaced or ``recorded``, once, at its newest place, if it has worth or contains a name.

    Of a test that passed only a path counts as a name: whole suites would stand there, of which nobody speaks again.
    """
    home = {entry: topic for topic in topics for entry in topic.entries}
    found, worth = list[Candidate](), worth_of_lines(survey, near_use(survey))
    empty = _uninformative(survey)
    for core, seen in survey.lines.items():
        topic = home.get(seen.entry)
        if topic is None or seen.replaced > seen.written or core in recorded or _settled(seen.entry, topic):
            continue
        line, passed = seen.line, is_passed(core)
        own = 0.0 if core in empty or passed else worth(seen)
        names = tuple(name for name in line.names if "/" in name) if passed else line.names
        if own or names:
            found.append((topic, seen, names, own, 1 + density * len(line.text)))
    return found


def _settled(entry: HistoryEntry, topic: Topic) -> bool:
    """Whether a command failed that went well when it was run again: what it said then would read as its outcome."""
    newest = topic.entries[-1]
    return entry.kind == "shell" and not entry.ok and newest.ok and newest.title == entry.title


def _uninformative(survey: Survey) -> set[str]:
    """Cores of command output without a word (bars, rules), or repeated later with other figures; never of an error.

    Also those that only head errors.
    """
    forms: dict[str, list[tuple[int, int, str]]] = {}
    for core, seen in survey.lines.items():
        if seen.entry.kind == "shell" and seen.line.origin == "result" and not _is_loud(core):
            form = _FIGURES.sub("#", core)
            forms.setdefault(form if _WORD.search(form) else "", []).append((seen.entry.step, seen.place, core))
    empty = {core for form, same in forms.items() for _, _, core in (sorted(same)[:-1] if form else same)}
    return empty | set(filter(_BANNER.fullmatch, survey.lines))


def _open_required(topics: Sequence[Topic], left: dict[str, float], room: float, since: int) -> float:
    """Open the topics of edited files and of what failed last, newest first; returns the tokens spent.

    Topics of steps up to ``since`` are in the record already.
    """
    spent = 0.0
    for topic in reversed(topics):
        if topic.entries[-1].step <= since:
            break
        if spent + topic.cost <= room and (not topic.entries[-1].ok or any(entry.is_edit for entry in topic.entries)):
            spent += topic.cost
            topic.is_shown = topic.is_required = True
            left.update(dict.fromkeys(topic.names, 0.0))
    return spent


def _fitted(topics: Sequence[Topic], order: Sequence[Shown], room: int, count: Count, since: int) -> str:
    """The record of about the longest prefix of ``order`` that fits: prices are estimates, so it is counted and cut."""
    while True:
        text = _rendered(topics, order, since)
        size = count(text)
        if size <= room:
            return text
        if not order:
            return ""
        order = order[: min(len(order) - 1, int(0.99 * len(order) * room / size))]


def _rendered(topics: Sequence[Topic], order: Sequence[Shown], since: int) -> str:
    """The text of a record: which steps it stands for, then the topics with chosen lines and those that must stand."""
    lines: dict[int, list[LineSightings]] = {id(topic): [] for topic in topics}
    for topic, seen in order:
        lines[id(topic)].append(seen)
    last = topics[-1].entries[-1].step
    which = f"Steps {since + 1} to {last}" if since + 1 < last else f"Step {last}"
    parts = [f"[{which}, folded. Below are lines of them, word for word; `recall s{last}` shows step {last}.]"]
    if not last:
        parts = ["[Words of the user before the first step, folded. Below are lines of them, word for word.]"]
    for topic in topics:
        if (picked := lines[id(topic)]) or topic.is_required:
            parts += _topic_lines(topic, picked)
    return "\n".join(parts)


def _topic_lines(topic: Topic, lines: list[LineSightings]) -> list[str]:
    """Heading, title and chosen lines; after a failed last entry at least its first line that states an error."""
    newest = topic.entries[-1]
    heading = "; ".join(f"s{entry.step} {entry.what}{'' if entry.ok else ', failed'}" for entry in topic.entries[-2:])
    title = () if newest.what == "user" else topic.title
    numbers = {entry: n for n, entry in enumerate(topic.entries)}
    lines.sort(key=lambda seen: (numbers[seen.entry], seen.place))
    body = [text for text in _with_file_names(lines) if text.strip() not in title]
    if not newest.ok:
        body += _missing_error(newest, body)
    return [f"[{heading}]", *title, *body]


def _missing_error(entry: HistoryEntry, shown: Sequence[str]) -> list[str]:
    """The first line of a failed entry that states its error, or else mentions one; empty if one is shown."""
    results = [line.text for line in entry.lines if line.origin == "result" and not is_passed(line.core)]
    stated = list(filter(_STATED.search, results)) or list(filter(_is_loud, results))
    return [] if any(text in shown for text in stated) else stated[:1]


def _is_loud(text: str) -> bool:
    return bool(_LOUD.search(text)) and not _BANNER.fullmatch(text)


def _with_file_names(lines: Sequence[LineSightings]) -> Iterator[str]:
    """The lines in order, with the file's name above lines that a search found in it."""
    above: tuple[HistoryEntry, str] | None = None
    for seen in lines:
        file = _file_above(seen) if seen.entry.kind == "search" else ""
        if file and above != (seen.entry, file):
            yield file
        above = seen.entry, file or seen.line.text.strip()
        yield seen.line.text


def _file_above(seen: LineSightings) -> str:
    """The line above a search hit that names its file; empty when the hit names it itself."""
    if not is_below(seen.line.text):
        return ""
    before = reversed(seen.entry.lines[: seen.place])
    return next((line.text.strip() for line in before if line.origin == "result" and not is_below(line.text)), "")
