"""Taking a task apart into views: title, first words, prose, code-shaped words, and pasted text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.lexical.symbols import Symbols, symbols_in
from ctxe.lexical.words import STOP, term_counts, terms
from ctxe.repo.indexing.scan import KEYWORDS

HEAD, TAIL = 60_000, 20_000
"""Characters of a very long task that are read at its beginning and at its end."""
LEAD_WORDS = 60
LONGEST_TITLE = 220
MOST_TERMS = 70

LONGEST_WORD = 400
"""Characters of a word that are read; longer ones are encoded data."""

_ENDLESS = pattern(r"\S{401,}")
_COMMENT = pattern(r"<!--.*?-->", re.DOTALL)
_ADDRESS = pattern(
    r"""https?://[^\s/)>\]]+(?:/[\w.-]+/[\w.-]+/(?:(?:issues|pull|discussions|(?:-/)?merge_requests)/(?P<number>\d+)\S*
    |(?:-/)?(?:blob|tree|raw)/[\w.-]+))?""",
    re.VERBOSE,
)
"""The part of an address that says nothing about the code: its host, and all before a path or an issue's number."""
_COMMIT = pattern(r"https?://[^\s/]+/\S+/commits?/(?P<name>[0-9a-f]{7,40})\b[^\s)>\]]*")
_POLITE = frozenset(term_counts("please pls kindly thanks thank"))
_TRAILER = pattern(r"\s*(?:signed-off|co-authored|co-developed|reviewed|acked|tested|reported|suggested)-by:", re.I)
_FENCE = pattern(r"\s*(?:```|~~~)")
_FORM = pattern(
    r"""^\s*(?:\#{1,6}\s*|\*\*|[-*]\s*\[[ x]\]\s*)?(?:(?:steps?|how)\ to\ reproduce|to\ reproduce|reproduction
    |(?:expected|actual)(?:\ (?:behaviou?r|results?|output))?|describe\ the\ bug|description
    |environment|versions?|system\ info\w*|additional\ (?:context|info\w*)|checklist|(?:issue|bug)\ summary|summary
    |problem
    |code\ for\ reproduction|outcome|what\ (?:happened|did\ you\ expect).*|minimal\ (?:working\ )?example|motivation
    |i\ have\ (?:read|searched|checked)\ .*|screenshots?|possible\ solution|proposed\ solution|related\ issues?)
    \s*[:*?.]*\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
_TRACE = pattern(
    r"""\s*(?:File\ ".*",\ line\ \d+|at\ .*[(:]\d+|Traceback\ \(most|(?:In|Out)\ ?\[\d+\]|\.\.\.\ |>>>|\$\ \w
    |\[?\d{4}-\d\d-\d\d[T ]\d\d:)
    |-{4,}>?\s*\d+|\s+\d+\s{2,}\S""",
    re.VERBOSE,
)
_SCOPE = pattern(r"\s*(?:[a-z]+\(([^)]{1,60})\)!?:|([\w./,\- ]{2,40}?)!?:)\s")
_KINDS_OF_CHANGE = frozenset(
    (
        "fix",
        "fixes",
        "feat",
        "chore",
        "refactor",
        "perf",
        "docs",
        "doc",
        "test",
        "tests",
        "bug",
        "feature",
        "build",
        "ci",
        "style",
        "revert",
        "add",
        "remove",
        "wip",
        "note",
        "re",
        "fwd",
    )
)
_SENTENCE = pattern(r".{20,220}?[.!?](?=\s)")
_NAME = pattern(r"[A-Za-z_$][\w$]*")
_PLAIN = pattern(r"[A-Za-z][A-Za-z0-9]*|[.,;:!?()]")
_QUOTED = pattern(r"`([^`\n]{1,120})`")
_CODE_SHAPED = pattern(
    r"_*[A-Za-z]\w*_\w*$|_+[A-Za-z]\w*$|[a-z]+[a-z0-9]*[A-Z]\w*$|[A-Z]+[a-z0-9]+[A-Z]\w*$|[A-Z]{2,}[a-z]{2,}\w*$"
)

View = dict[str, float]
"""Search terms with their weights."""


@dataclass(frozen=True, slots=True)
class TaskReading:
    """A task taken apart; ``names`` are code-shaped words of title and prose, ``pasted_names`` names in the rest."""

    title: str
    prose: str
    pasted: str
    lead: str
    scope: tuple[str, ...] = ()
    names: Counter[str] = field(default_factory=Counter)
    pasted_names: Counter[str] = field(default_factory=Counter)
    mentions: Symbols = field(default_factory=Symbols)

    @property
    def faults(self) -> str:
        """Error messages in the task."""
        return "\n".join(f"{fault.kind} {fault.message}" for fault in self.mentions.errors)[:3000]

    def views(self) -> dict[str, View]:
        """The weighted search terms of each view: title, lead, prose, code, paste, fault, compound."""
        code: Counter[str] = Counter()
        for name, times in self.names.items():
            for term in terms(name):
                code[term] += times
        views = {
            "title": dict.fromkeys(bag(self.title), 1.0),
            "lead": dict.fromkeys(bag(self.lead), 1.0),
            "prose": _damped(bag(f"{self.title}\n{self.prose}")),
            "code": _damped(code),
            "paste": _damped(bag(self.pasted[:6000])),
            "fault": _damped(bag(self.faults)),
            "compound": dict.fromkeys(compounds(f"{self.title} . {self.prose[:6000]}"), 1.0),
        }
        pieces = {piece for name in self.mentions.commits for piece in terms(name) if piece != name}
        return {name: _without(view, pieces) for name, view in views.items()} if pieces else views


def _without(view: View, words: Collection[str]) -> View:
    return {term: weight for term, weight in view.items() if term not in words}


def bag(text: str) -> Counter[str]:
    """How often each search term occurs, by the index's rules and without polite words."""
    counts = term_counts(text)
    for common in (KEYWORDS | _POLITE) & counts.keys():
        del counts[common]
    return counts


def compounds(text: str) -> Iterator[str]:
    """Identifiers that neighbouring words of a text would make: "hue order" is ``hue_order`` and ``hueorder``."""
    words = [word.lower() for word in _PLAIN.findall(text)]
    for count in (2, 3):
        for place in range(len(words) - count + 1):
            group = words[place : place + count]
            if any(len(word) < 2 or word in STOP or not word.isalnum() for word in group):
                continue
            for joined in ("_".join(group), "".join(group)):
                yield joined
                if count == 2 and joined.endswith("s"):
                    yield joined[:-1]


def _damped(counts: Counter[str]) -> View:
    return {term: min(times, 3) ** 0.5 for term, times in counts.items()}


def _shorten_address(address: re.Match[str]) -> str:
    """The replacement for the beginning of an address: the number of the issue it names, or an ellipsis."""
    return f"…#{address['number']}" if address["number"] else "…"


def read_task(task: str) -> TaskReading:
    """Take a task apart; any text will do, of any length."""
    text = task if len(task) <= HEAD + TAIL else task[:HEAD] + "\n" + task[-TAIL:]
    text = _ENDLESS.sub(lambda match: match.group(0)[:LONGEST_WORD] + " ", text)
    text = _COMMIT.sub(lambda match: match["name"], text)
    mentions = symbols_in(text)
    lines = _ADDRESS.sub(_shorten_address, _COMMENT.sub(" ", text)).split("\n")
    first = next((row for row, line in enumerate(lines) if line.strip()), len(lines))
    title, rest = _title(lines[first] if first < len(lines) else "")
    if _TRACE.match(title) and mentions.errors:
        # the task begins with a trace, so its last error message is the title
        (title, _), rest = _title(" ".join((mentions.errors[-1].kind, mentions.errors[-1].message))), lines[first]
    prose, pasted = _prose_and_pasted([rest, *lines[first + 1 :]])
    title_and_prose = f"{title}\n{prose}"
    names = Counter(name for name in _NAME.findall(title_and_prose) if code_shaped(name))
    for quoted in _QUOTED.findall(title_and_prose):
        names.update(_NAME.findall(quoted))
    return TaskReading(
        title, prose, pasted, " ".join(f"{title} {prose}".split()[:LEAD_WORDS]), _scope(title), names,
        Counter(name for name in _NAME.findall(pasted) if len(name) > 3), mentions,
    )  # fmt: skip


def code_shaped(name: str) -> bool:
    """Whether a word looks like an identifier: ``a_b``, ``aB``, ``AbCd``, ``_a``, ``HTTPx``."""
    return bool(_CODE_SHAPED.match(name))


def _title(line: str) -> tuple[str, str]:
    """The title in the first line, and the rest of the line."""
    line = line.strip().lstrip("#").strip()
    if len(line) <= LONGEST_TITLE:
        return line, ""
    sentence = _SENTENCE.match(line)
    title = sentence.group(0) if sentence else line[:LONGEST_TITLE]
    return title, line[len(title) :]


def _prose_and_pasted(lines: list[str]) -> tuple[str, str]:
    """(prose, pasted text).

    Fenced blocks, indented code, traces and logs are pasted; headings of issue forms are dropped.
    """
    prose: list[str] = []
    pasted: list[str] = []
    fenced = False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced or _TRACE.match(line) or len(line) > 600 or _indented(line):
            pasted.append(line)
        elif not _FORM.match(line) and not _TRAILER.match(line):
            prose.append(line)
    return "\n".join(prose), "\n".join(pasted)


def _indented(line: str) -> bool:
    return line.startswith(("    ", "\t")) and not re.match(r"\s*(?:[-*+•]|\d+[.)])\s", line)


def _scope(title: str) -> tuple[str, ...]:
    """The words of a title's prefix that name a part of the code: ``fix(cli): ...``, ``net/http: ...``."""
    match = _SCOPE.match(title)
    if not match:
        return ()
    words = (word.strip("/") for word in re.split(r"[\s,]+", match.group(1) or match.group(2)))
    return tuple(word for word in words if word and word.lower() not in _KINDS_OF_CHANGE and word.lower() not in STOP)
