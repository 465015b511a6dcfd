"""Decides which skills a task is about, by its words and files; none if the signs are weak."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.section import Task
from ctxe.domain.value import dataclass, field
from ctxe.knowledge import globs
from ctxe.knowledge.skills.skill import Skill

NAME, TITLE, HEADING, TEXT = 1.6, 1.0, 0.5, 0.15
"""Weight of a task's word in the skill's name, description, headings and the rest of its body."""
USUAL_LENGTH = 24
"""Distinct words of a description up to which each has full weight."""
FILE = 0.8
"""Weight of a named or touched file in the skill's scope."""
ENOUGH = 1.01
"""Minimum score of a skill that the task may be about: more than one word of its description."""
SURE = 1.5
"""Minimum score of the best skill for it to be loaded unasked."""
AHEAD = 1.15
"""Ratio to the second best score that it also needs for that."""
MOST_ABOUT = 3
"""Skills that a task may be about."""
MOST_TERMS = 400
"""Distinct words of a task that are used."""
LOOKED_AT = 2_000
"""Characters of a body whose words count."""
_HEADINGS = pattern(r"^#{1,6}\s+(.+)$", re.MULTILINE)
# Stems that occur in tasks of every subject.
_USUAL = frozenset(
    re.findall(
        r"\w+",
        """add app applic ask back base best better bug build call case chang check class clean code come
        complet correct creat current data descript develop do doc document done edit error exampl exist explain
        fail featur file find first fix folder follow format full function get give go good guid handl happen
        help implement improv includ issu item keep kind know last like line list look make mean method modul
        move name need new next number old open option order page part place pleas point possibl problem program
        project put python question read remov replac repo repositori result return review right run say see set short
        show simpl softwar start step stop support sure take task tell test thing think time tool tri turn two
        type updat use user valu version want way well word work write wrong""",
    )
)
_FEW = 0.25
"""Weight of a word that nearly every task has."""


@dataclass(frozen=True, slots=True)
class SkillMatch:
    """A skill that a task may be about: its score, and the task's words and files that match."""

    skill: Skill
    score: float
    words: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason, for the user."""
        words = f"your words: {', '.join(self.words[:4])}" if self.words else ""
        return "; ".join(part for part in (words, f"files: {', '.join(self.files[:2])}" if self.files else "") if part)


@dataclass(frozen=True, slots=True)
class _TaskTerms:
    """What of a task is matched: its terms with their counts, each as the user spells it, and its files."""

    counts: Mapping[str, int]
    spellings: Mapping[str, str]
    files: tuple[str, ...]


@dataclass(slots=True)
class Matcher:
    """Ranks skills for tasks; caches the weights of each skill's words."""

    _known: dict[tuple[str, ...], Mapping[str, float]] = field(default_factory=dict, repr=False)

    def __call__(self, task: Task, skills: Sequence[Skill]) -> list[SkillMatch]:
        """Every skill with a positive score, best first; ``likely_matches`` selects those that count."""
        wanted = _task_terms(task)
        weights = [self._term_weights(skill) for skill in skills]
        having = Counter(term for term_weights in weights for term in term_weights.keys() & wanted.counts.keys())
        rarities = {term: rarity(term, count, len(skills)) for term, count in having.items()}
        found = [_match(skill, own, rarities, wanted) for skill, own in zip(skills, weights, strict=True)]
        return sorted((one for one in found if one.score > 0), key=lambda one: (-one.score, one.skill.name))

    def _term_weights(self, skill: Skill) -> Mapping[str, float]:
        """The weight of each term of a skill, from the most telling part that contains it."""
        from ctxe.lexical.words import path_terms, terms

        key = (skill.name, skill.description, skill.keywords, skill.body)
        if key not in self._known:
            description, keywords = terms(skill.description), terms(skill.keywords)
            headings = " ".join(_HEADINGS.findall(skill.body))
            layers: tuple[tuple[float, Iterable[str]], ...] = (
                (TEXT, terms(skill.body[:LOOKED_AT])),
                (HEADING, terms(headings)),
                (_word_weight(keywords), keywords),
                (_word_weight(description), description),
                (NAME, path_terms(skill.name)),
            )
            self._known[key] = {term: worth for worth, given in layers for term in given}
        return self._known[key]


def _task_terms(task: Task) -> _TaskTerms:
    from ctxe.lexical.words import path_terms, term_counts

    counts = Counter(dict(term_counts(task.words).most_common(MOST_TERMS)))
    for path in task.named:
        counts.update(path_terms(path))
    return _TaskTerms(counts, _spellings(task.words), tuple(dict.fromkeys((*task.named, *task.files))))


def _match(skill: Skill, weights: Mapping[str, float], rarities: Mapping[str, float], wanted: _TaskTerms) -> SkillMatch:
    """Score a skill: the weights of its words in the task, each further one counting less, and its files."""
    parts = {term: weights[term] * rarities[term] for term in wanted.counts.keys() & weights.keys()}
    words = sorted(parts, key=lambda term: (-parts[term], term))
    # A long text contains many words by chance, so each further one counts less.
    word_score = sum(parts[term] / math.sqrt(1 + place) for place, term in enumerate(words))
    scope = tuple(path for path in wanted.files if globs.matches(path, skill.scope))
    score = (word_score + FILE * min(1.0, len(scope))) / length_divisor(len(wanted.counts))
    told = tuple(wanted.spellings.get(term, term) for term in words if parts[term] >= _FEW)
    return SkillMatch(skill, score, told, scope)


def _word_weight(terms: Sequence[str]) -> float:
    """Weight of each word of a description; less in a long one."""
    return TITLE / math.sqrt(max(1.0, len(set(terms)) / USUAL_LENGTH))


def _spellings(text: str) -> dict[str, str]:
    """Each term of the task in the user's spelling, for display."""
    from ctxe.lexical.words import terms

    found: dict[str, str] = {}
    for word in list(dict.fromkeys(re.findall(r"\w+", text)))[: 2 * MOST_TERMS]:
        for term in terms(word):
            found.setdefault(term, word)
    return found


def rarity(term: str, having: int, number: int) -> float:
    """How specific a word is: 1 if one skill has it, little if all have it or nearly every task does."""
    if term in _USUAL or len(term) < 2:
        return _FEW * 0.6
    if number < 2 or having <= 1:
        return 1.0
    return max(0.2, 1.0 - math.log(having) / math.log(number + 1))


def length_divisor(words: int) -> float:
    """Divisor for a task with this many distinct words: 1 up to a dozen, 2 at two hundred."""
    return 1.0 + max(0.0, math.log(words / 12.0) / math.log(200 / 12)) if words else 1.0


def likely_matches(matches: Sequence[SkillMatch]) -> list[SkillMatch]:
    """The skills that a task may be about, best first; none if no score is high enough."""
    return [one for one in matches if one.score >= ENOUGH][:MOST_ABOUT]


def certain_match(matches: Sequence[SkillMatch]) -> SkillMatch | None:
    """The one skill that a task is clearly about, judged by more than one word or by a file; else None."""
    if not matches or matches[0].score < SURE or not (matches[0].files or len(matches[0].words) > 1):
        return None
    return matches[0] if len(matches) == 1 or matches[0].score >= AHEAD * matches[1].score else None
