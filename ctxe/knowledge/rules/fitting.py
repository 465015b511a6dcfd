"""Fits the rules in effect into a limit of tokens and bytes: short ones stay whole, the longest are cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass
from ctxe.knowledge.beginnings import largest_fitting
from ctxe.knowledge.fence import Fenced, fence
from ctxe.knowledge.rules.rulefiles import Rule
from ctxe.lexical.similarity import paragraphs

LEAST = 40
"""Minimum tokens for a cut file; with less room it is left out."""


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule in effect: its text without what other rules say already, fenced and plain, and those repetitions."""

    rule: Rule
    fenced: Fenced
    words: str
    repeats: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FittedRule:
    """A rule in effect with its chunk of the request; None when it is left out or says nothing of its own."""

    live: LiveRule
    chunk: Chunk | None

    @property
    def path(self) -> str:
        """The path of its file."""
        return self.live.rule.path


def fit(rules: Sequence[LiveRule], tokens: int, volume: int, cost: Callable[[str], int]) -> list[FittedRule]:
    """Each rule with its chunk. If all together are too long, the longest are cut and short ones stay whole."""
    sizes = [(cost(one.fenced.text), len(one.fenced.text.encode())) if one.words else (0, 0) for one in rules]
    most_tokens = fair_share([size[0] for size in sizes], tokens)
    most_bytes = fair_share([size[1] for size in sizes], volume)
    fitted: list[FittedRule] = []
    for one, size in zip(rules, sizes, strict=True):
        if not one.words:
            fitted.append(FittedRule(one, None))
        elif size[0] <= most_tokens and size[1] <= most_bytes:
            fitted.append(FittedRule(one, Chunk(one.rule.path, one.fenced.text, one.rule.why, path=one.rule.path)))
        else:
            fitted.append(FittedRule(one, _cut(one, most_tokens, most_bytes, cost)))
    return fitted


def _cut(one: LiveRule, tokens: int, volume: int, cost: Callable[[str], int]) -> Chunk | None:
    """As many of its first paragraphs as fit; None if fewer than LEAST tokens are left."""
    rule, parts = one.rule, paragraphs(one.words[: volume * 2])
    note = f"\n\n[the rest of {rule.path} is left out: too long]"

    def cut(number: int) -> str:
        return fenced_rule(rule, "\n\n".join(parts[:number]) + note).text

    def fits(number: int) -> bool:
        text = cut(number)
        return len(text.encode()) <= volume and cost(text) <= tokens

    kept = largest_fitting(len(parts), fits)
    return Chunk(rule.path, cut(kept), f"{rule.why}; cut", "region", rule.path) if kept and tokens >= LEAST else None


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


def fenced_rule(rule: Rule, words: str) -> Fenced:
    """The words of a rule in its fence."""
    return fence(words, rule.path, "instructions", scope=", ".join(rule.scope))
