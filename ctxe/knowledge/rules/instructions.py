"""Offers instruction files for the files at hand: in order, without repetitions, within their share of the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ctxe.domain.section import Chunk, Omission, Placement, Priority, Section, Task, digest
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.rules.contradictions import RuleUnit
from ctxe.knowledge.rules.fitting import FittedRule, LiveRule, fenced_rule, fit
from ctxe.knowledge.rules.overlap import Merged, merge, units_of
from ctxe.knowledge.rules.rulefiles import Rule, RulePlaces, find_rules

LIMIT = 32_768
"""Bytes of all instructions together, after repetitions are removed."""
HEADING = 12
MANY = 3
"""Number of cut files from which on one notice covers all of them."""


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
class SelectedRules:
    """The rules for everything, those for the task's files, and all rules ``found``."""

    everything: Sequence[FittedRule]
    scoped: Sequence[FittedRule]
    found: tuple[Rule, ...]

    @property
    def in_effect(self) -> tuple[FittedRule, ...]:
        """Those for everything, then those for the task's files."""
        return (*self.everything, *self.scoped)


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
        selected = self._selected(task, room)
        always = self._section("instructions", selected.everything, "system")
        scoped = self._section("instructions for these files", selected.scoped, "task" if task.words else "system")
        if task.words:
            scoped = replace(scoped, left_out=(*scoped.left_out, *self._waiting(selected.found, task)))
        return [section for section in (always, scoped) if section.chunks or section.left_out]

    def _waiting(self, rules: Iterable[Rule], task: Task) -> Iterator[Omission]:
        """Rules for files that the task does not touch."""
        touched = (*task.files, *task.named)
        for rule in rules:
            if rule.scope and rule.text and rule.offered and not rule.bears_on(touched):
                yield Omission(rule.path, self.count(rule.text), f"waits for a file in {', '.join(rule.scope)}")

    def sources(self, task: Task, room: int) -> tuple[InstructionFile, ...]:
        """Every instruction file, in order, loaded or not."""
        selected = self._selected(task, room)
        by_path = {one.path: one for one in selected.in_effect}
        return tuple(self._status_of(rule, by_path.get(rule.path)) for rule in selected.found)

    def notices(self, task: Task, room: int) -> tuple[str, ...]:
        """Lines for the user: files cut or refused, invisible characters, contradictions."""
        selected = self._selected(task, room)
        lines = [f"{rule.path}: {rule.problem}" for rule in selected.found if rule.problem]
        short: dict[str, str] = {}
        for one in selected.in_effect:
            lines += one.live.fenced.notices
            if one.chunk is None and one.live.words:
                short[one.path] = "LEFT OUT"
            elif one.chunk is not None and one.chunk.tier != "full":
                short[one.path] = "CUT"
        lines += _cut_notices(short)
        in_effect = [one.live.rule for one in selected.in_effect]
        for conflict in self._merge(in_effect).conflicts:
            first, second = conflict.first, conflict.second
            files = f"{in_effect[first.file].path} and {in_effect[second.file].path}"
            both = self.count(first.text) + self.count(second.text)
            lines.append(f"{files} disagree: {_quoted(first)} / {_quoted(second)} ({both} tokens a request)")
        return tuple(lines)

    def advice(self, task: Task, room: int, readme: str, tracked: Sequence[str]) -> tuple[str, ...]:
        """Useless cost: items that repeat the README, and scopes that match no file of the project."""
        selected = self._selected(task, room)
        known = [RuleUnit(0, unit.text) for unit in units_of(readme) if not unit.level]
        lines = []
        for one in selected.in_effect:
            merged = merge(["\n\n".join(unit.text for unit in known), one.live.words])
            repeated = [unit for unit, _ in merged.dropped if unit.file == 1]
            if repeated:
                tokens = sum(self.count(unit.text) for unit in repeated)
                lines.append(f"{one.path}: {len(repeated)} items repeat the README ({tokens} tokens a request)")
        idle = (rule for rule in selected.found if rule.scope and not rule.bears_on(tracked))
        return (*lines, *(f"{rule.path}: no file is in its scope ({', '.join(rule.scope)})" for rule in idle))

    def for_files(self, touched: Sequence[str], room: int) -> tuple[Chunk, ...]:
        """The rules for files that were touched in the middle of a turn, for a note to the model."""
        return _chunks(self._selected(Task("", tuple(touched)), room).scoped)

    def _selected(self, task: Task, room: int) -> SelectedRules:
        """The rules for a task, fitted into ``room`` tokens."""
        touched = (*task.files, *task.named)
        found = find_rules(self.places, touched)
        usable = [rule for rule in found if rule.text and rule.offered and rule.bears_on(touched)]
        ordered = [rule for rule in usable if not rule.scope] + [rule for rule in usable if rule.scope]
        live = self._live_rules(ordered)
        # The system prompt must not change with the files at hand, so its rules are fitted first and alone.
        unscoped = [one for one in live if not one.rule.scope]
        everything = fit(unscoped, room - HEADING, LIMIT, self._cost)
        taken = [chunk.text for chunk in _chunks(everything)]
        tokens_left = room - HEADING * 2 - sum(map(self._cost, taken))
        bytes_left = LIMIT - sum(len(text.encode()) for text in taken)
        return SelectedRules(everything, fit(live[len(unscoped) :], tokens_left, bytes_left, self._cost), found)

    def _live_rules(self, live: Sequence[Rule]) -> list[LiveRule]:
        merged = self._merge(live)
        repeats: dict[int, list[tuple[str, str]]] = {}
        for unit, twin in merged.dropped:
            repeats.setdefault(unit.file, []).append((_quoted(unit), live[twin.file].path))
        return [
            LiveRule(rule, fenced_rule(rule, text), text, tuple(repeats.get(number, ())))
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

    def _section(self, name: str, rules: Sequence[FittedRule], placement: Placement) -> Section:
        left_out = tuple(
            Omission(one.path, self.count(one.live.words), "over the instructions share")
            for one in rules
            if one.chunk is None and one.live.words
        )
        return Section(name, Priority.INJECTED, _chunks(rules), placement, "instructions", left_out)

    def _status_of(self, rule: Rule, fitted: FittedRule | None) -> InstructionFile:
        if fitted is None:
            if rule.problem and not rule.text:
                return InstructionFile(rule.path, "refused", rule.problem)
            return InstructionFile(rule.path, "waits", rule.why if rule.text else "is empty")
        live, chunk = fitted.live, fitted.chunk
        if chunk:
            state = "loaded" if chunk.tier == "full" else "cut"
            return InstructionFile(rule.path, state, rule.why, self.count(chunk.text), live.repeats)
        return InstructionFile(rule.path, "left out" if live.words else "repeats", rule.why, 0, live.repeats)

    def _cost(self, text: str) -> int:
        return self.count(text) + 1


def _chunks(rules: Iterable[FittedRule]) -> tuple[Chunk, ...]:
    return tuple(one.chunk for one in rules if one.chunk)


def _cut_notices(short: Mapping[str, str]) -> list[str]:
    """Notices about files (path → CUT or LEFT OUT) that are too long together: a line each, or one for many."""
    if len(short) < MANY:
        return [f"{path} is {how}: the instructions together are too long" for path, how in short.items()]
    counts = Counter(short.values())
    sums = " and ".join(f"{counts[how]} {how}" for how in ("CUT", "LEFT OUT") if counts[how])
    first = ", ".join(list(short)[: MANY - 1])
    return [f"{len(short)} instruction files are too long together: {sums} ({first}, …); `ctxe memory show --sources`"]


def _quoted(unit: RuleUnit) -> str:
    words = " ".join(unit.text.split())
    return f"“{words if len(words) <= 80 else words[:79] + '…'}”"
