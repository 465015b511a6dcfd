"""Offers instruction files for the files at hand: in order, without repetitions, within their share of the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ctxe.domain.section import Chunk, Omission, Priority, Section, Task, digest
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.beginnings import largest_fitting
from ctxe.knowledge.fence import Fenced, fence
from ctxe.knowledge.rules.contradictions import RuleUnit
from ctxe.knowledge.rules.overlap import Merged, merge, units_of
from ctxe.knowledge.rules.rulefiles import Rule, RulePlaces, find_rules
from ctxe.lexical.similarity import paragraphs

LIMIT = 32_768
"""Bytes of all instructions together, after repetitions are removed."""
HEADING = 12
MANY = 3
"""Number of cut files from which on one notice covers all of them."""
LEAST = 40
"""Minimum tokens for a cut file; with less room it is left out."""


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """The status of one instruction file: whether and why it is in the request, and its cost.

    ``state`` is ``loaded``, ``cut``, ``waits`` (no file in its scope is touched), ``repeats`` (others say all of it),
    ``left out`` or ``refused``. ``tokens`` are those sent; ``repeats`` are pairs (item, file that says it).
    """

    path: str
    state: str
    why: str
    tokens: int = 0
    repeats: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _LiveRule:
    """A rule in effect: its text without what other rules say already, fenced and plain, and those repetitions."""

    rule: Rule
    fenced: Fenced
    words: str
    repeats: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Instructions:
    """Offers instruction files. ``count`` returns the tokens of a text."""

    places: RulePlaces
    count: Callable[[str], int]
    _merged: dict[str, Merged] = field(default_factory=dict, repr=False, compare=False)

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """Rules for everything, in the system prompt, and rules for the task's files, next to the user's words.

        Without words, as at a fold, the latter are in the system prompt too.
        """
        everything, scoped_rules, rules = self._selected(task, room)
        always = self._section("instructions", everything, "system")
        scoped = self._section("instructions for these files", scoped_rules, "task" if task.words else "system")
        if task.words:
            scoped = replace(scoped, left_out=(*scoped.left_out, *self._waiting(rules, task)))
        return [section for section in (always, scoped) if section.chunks or section.left_out]

    def _waiting(self, rules: Iterable[Rule], task: Task) -> Iterator[Omission]:
        """Rules for files that the task does not touch."""
        touched = (*task.files, *task.named)
        for rule in rules:
            if rule.scope and rule.text and rule.offered and not rule.bears_on(touched):
                yield Omission(rule.path, self.count(rule.text), f"waits for a file in {', '.join(rule.scope)}")

    def sources(self, task: Task, room: int) -> tuple[InstructionFile, ...]:
        """Every instruction file, in order, loaded or not."""
        everything, scoped_rules, rules = self._selected(task, room)
        placed = {live.rule.path: (live, chunk) for live, chunk in (*everything, *scoped_rules)}
        return tuple(self._status_of(rule, placed) for rule in rules)

    def notices(self, task: Task, room: int) -> tuple[str, ...]:
        """Lines for the user: files cut or refused, invisible characters, contradictions."""
        everything, scoped_rules, rules = self._selected(task, room)
        lines = [f"{rule.path}: {rule.problem}" for rule in rules if rule.problem]
        short: dict[str, str] = {}
        for live, chunk in (*everything, *scoped_rules):
            lines += live.fenced.notices
            if chunk is None and live.words:
                short[live.rule.path] = "LEFT OUT"
            elif chunk is not None and chunk.tier != "full":
                short[live.rule.path] = "CUT"
        lines += _cut_notices(short)
        in_effect = [live.rule for live, _ in (*everything, *scoped_rules)]
        for conflict in self._merge(in_effect).conflicts:
            one, other = conflict.first, conflict.second
            files = f"{in_effect[one.file].path} and {in_effect[other.file].path}"
            both = self.count(one.text) + self.count(other.text)
            lines.append(f"{files} disagree: {_quoted(one)} / {_quoted(other)} ({both} tokens a request)")
        return tuple(lines)

    def advice(self, task: Task, room: int, readme: str, tracked: Sequence[str]) -> tuple[str, ...]:
        """Useless cost: items that repeat the README, and scopes that match no file of the project."""
        everything, scoped_rules, rules = self._selected(task, room)
        known = [RuleUnit(0, unit.text) for unit in units_of(readme) if not unit.level]
        lines = []
        for live, _ in (*everything, *scoped_rules):
            repeated = [u for u, _ in merge(["\n\n".join(u.text for u in known), live.words]).dropped if u.file == 1]
            if repeated:
                tokens = sum(self.count(unit.text) for unit in repeated)
                lines.append(f"{live.rule.path}: {len(repeated)} items repeat the README ({tokens} tokens a request)")
        idle = (rule for rule in rules if rule.scope and not rule.bears_on(tracked))
        return (*lines, *(f"{rule.path}: no file is in its scope ({', '.join(rule.scope)})" for rule in idle))

    def for_files(self, touched: Sequence[str], room: int) -> tuple[Chunk, ...]:
        """The rules for files that were touched in the middle of a turn, for a note to the model."""
        _, some, _ = self._selected(Task("", tuple(touched)), room)
        return tuple(chunk for _, chunk in some if chunk)

    def _selected(
        self, task: Task, room: int
    ) -> tuple[list[tuple[_LiveRule, Chunk | None]], list[tuple[_LiveRule, Chunk | None]], tuple[Rule, ...]]:
        """(rules for everything, rules for the task's files), each with its chunk or None, and all rules found."""
        touched = (*task.files, *task.named)
        rules = find_rules(self.places, touched)
        usable = [rule for rule in rules if rule.text and rule.offered and rule.bears_on(touched)]
        live = [rule for rule in usable if not rule.scope] + [rule for rule in usable if rule.scope]
        rules_in_effect = self._live_rules(live)
        # The system prompt must not change with the files at hand, so its rules are fitted first and alone.
        first = [one for one in rules_in_effect if not one.rule.scope]
        everything = self._fitted(first, room - HEADING, LIMIT)
        tokens_left = room - HEADING * 2 - sum(self._cost(chunk.text) for _, chunk in everything if chunk)
        bytes_left = LIMIT - sum(len(chunk.text.encode()) for _, chunk in everything if chunk)
        return everything, self._fitted(rules_in_effect[len(first) :], tokens_left, bytes_left), rules

    def _live_rules(self, live: Sequence[Rule]) -> list[_LiveRule]:
        merged = self._merge(live)
        repeats: dict[int, list[tuple[str, str]]] = {}
        for unit, twin in merged.dropped:
            repeats.setdefault(unit.file, []).append((_quoted(unit), live[twin.file].path))
        return [
            _LiveRule(rule, _fenced(rule, text), text, tuple(repeats.get(number, ())))
            for number, (rule, text) in enumerate(zip(live, merged.texts, strict=True))
        ]

    def _merge(self, live: Sequence[Rule]) -> Merged:
        texts = [rule.text for rule in live]
        key = digest("\0".join(texts))
        known = self._merged.get(key)
        if known is None:
            known = merge(texts)
            self._merged.clear()  # another thread may be here too
            self._merged[key] = known
        return known

    def _fitted(self, live: Sequence[_LiveRule], room: int, most: int) -> list[tuple[_LiveRule, Chunk | None]]:
        """Each rule with its chunk. If all together are too long, the longest are cut and short ones stay whole."""
        sizes = [(self._cost(one.fenced.text), len(one.fenced.text.encode())) if one.words else (0, 0) for one in live]
        tokens = fair_share([size[0] for size in sizes], room)
        volume = fair_share([size[1] for size in sizes], most)
        return [
            (one, self._chunk(one, whole=size[0] <= tokens and size[1] <= volume, tokens=tokens, volume=volume))
            for one, size in zip(live, sizes, strict=True)
        ]

    def _chunk(self, one: _LiveRule, *, whole: bool, tokens: int, volume: int) -> Chunk | None:
        rule = one.rule
        if not one.words:
            return None
        if whole:
            return Chunk(rule.path, one.fenced.text, rule.why, path=rule.path)
        text = self._cut(rule, one.words, tokens, volume)
        return Chunk(rule.path, text, f"{rule.why}; cut", "region", rule.path) if text else None

    def _cut(self, rule: Rule, words: str, tokens: int, volume: int) -> str:
        """The fenced text with as many of its first paragraphs as fit; empty if fewer than LEAST tokens are left."""
        parts = paragraphs(words[: volume * 2])
        note = f"\n\n[the rest of {rule.path} is left out: too long]"

        def cut(number: int) -> str:
            return _fenced(rule, "\n\n".join(parts[:number]) + note).text

        def fits(number: int) -> bool:
            text = cut(number)
            return len(text.encode()) <= volume and self._cost(text) <= tokens

        kept = largest_fitting(len(parts), fits)
        return cut(kept) if kept and tokens >= LEAST else ""

    def _section(self, name: str, placed: Iterable[tuple[_LiveRule, Chunk | None]], placement: str) -> Section:
        pairs = list(placed)
        left_out = tuple(
            Omission(one.rule.path, self.count(one.words), "over the instructions share")
            for one, chunk in pairs
            if chunk is None and one.words
        )
        chunks = tuple(chunk for _, chunk in pairs if chunk)
        section = Section(name, Priority.INJECTED, chunks, "system", "instructions", left_out)
        return section if placement == "system" else replace(section, placement="task")

    def _status_of(self, rule: Rule, placed: dict[str, tuple[_LiveRule, Chunk | None]]) -> InstructionFile:
        if rule.path not in placed:
            if rule.problem and not rule.text:
                return InstructionFile(rule.path, "refused", rule.problem)
            return InstructionFile(rule.path, "waits", rule.why if rule.text else "is empty")
        live, chunk = placed[rule.path]
        if chunk:
            state = "loaded" if chunk.tier == "full" else "cut"
            return InstructionFile(rule.path, state, rule.why, self.count(chunk.text), live.repeats)
        return InstructionFile(rule.path, "left out" if live.words else "repeats", rule.why, 0, live.repeats)

    def _cost(self, text: str) -> int:
        return self.count(text) + 1


def fair_share(sizes: Sequence[int], room: int) -> int:
    """The size limit per item with which all fit ``room``: small ones stay whole, the longest share the rest."""
    if sum(sizes) <= room:
        return max(sizes, default=0)
    rest, left = max(0, room), len(sizes)
    for size in sorted(sizes):
        if size * left > rest:
            return rest // left
        rest, left = rest - size, left - 1
    return 0


def _cut_notices(short: Mapping[str, str]) -> list[str]:
    """Notices about files (path → CUT or LEFT OUT) that are too long together: a line each, or one for many."""
    if len(short) < MANY:
        return [f"{path} is {how}: the instructions together are too long" for path, how in short.items()]
    counts = Counter(short.values())
    sums = " and ".join(f"{counts[how]} {how}" for how in ("CUT", "LEFT OUT") if counts[how])
    first = ", ".join(list(short)[: MANY - 1])
    return [f"{len(short)} instruction files are too long together: {sums} ({first}, …); `ctxe memory show --sources`"]


def _fenced(rule: Rule, words: str) -> Fenced:
    return fence(words, rule.path, "instructions", scope=", ".join(rule.scope))


def _quoted(unit: RuleUnit) -> str:
    words = " ".join(unit.text.split())
    return f"“{words if len(words) <= 80 else words[:79] + '…'}”"
