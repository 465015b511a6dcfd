"""Recognizes lines of the user's that are worth remembering: decisions, standing wishes, corrections; few are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxe.domain.pattern import pattern
from ctxe.knowledge.corrections import is_correction

LONGEST = 300
"""Characters of a wish; a longer line is a task."""
_CLAUSE = r"(?:^|[,;:.!–—-]\s*|\b(?:and|but|also|please|so|then|that|here|ok|no)\s+)"
_DOES = (
    r"(?:use|write|put|run|keep|name|call|commit|add|import|test|log|return|throw|raise|merge|squash|format|indent"
    r"|prefer"
    r"|avoid|mock|deploy|tag|sort|document|want|allow|do)"
)
_WISH = pattern(
    rf"{_CLAUSE}(?:please )?(?:always|never)\s+(?!an?\b|the\b|been\b|ends?\b|mind\b|happens?\b|works?\b|returns?\b"
    rf"|fails?\b)\w+"
    rf"|\b(?:you (?:must|should)|make sure (?:to|you)|(?:i|we)(?: want you to)?) (?:always|never) {_DOES}\b"
    rf"|\bmust (?:always|never)\b|{_CLAUSE}(?:in this (?:repo|repository|project|codebase),? )?we (?:only |all )?"
    rf"{_DOES}\b"
    rf"|\bwe (?:don't|do not) {_DOES}\b|\bfrom now on\b|\b(?:i|please) prefer\b|\b(?:don't|do not) ever\b|\bas a rule\b"
    r"|\bin this (?:repo|repository|project|codebase),? (?:all|every|each|no|only|never|always|use|tests? (?:are"
    r"|live|run))\b"
    rf"|{_CLAUSE}(?:ab (?:jetzt|sofort)|(?:bitte )?(?:immer|niemals?)\b|dorénavant|toujours|jamais|siempre|nunca"
    rf"|sempre)\b",
    re.IGNORECASE,
)
_ONCE = pattern(
    r"\b(?:for (?:now|the moment|this (?:one|time|task|test|pr))|just this once|this (?:once|time)|temporarily|today"
    r"|until (?:then|tomorrow|we|i)|in the meantime|as a (?:test|quick fix|stopgap|workaround)|vorerst|erstmal"
    r"|diesmal)\b",
    re.IGNORECASE,
)
"""What holds only for a while is not worth remembering."""
_QUESTION = pattern(
    r"\?\W*$|^\s*(?:why|what|when|where|how|who|is|are|does|do(?! not\b)|can|could|should|did|would|shall|warum|wie)\b",
    re.IGNORECASE,
)
_DECIDED = pattern(
    r"\b(?:let'?s (?:use|go with|keep|drop|stick (?:to|with)|switch to|stay with)"
    r"|we(?:'ll| will|'re going to)? (?:go with|decided|settled on|agreed)"
    r"|(?:i|we)(?:'ve| have) decided|i decided|decision:(?=\s)|it is decided|wir (?:nehmen|verwenden|nutzen"
    r"|bleiben bei))(?!\w)",
    re.IGNORECASE,
)
_THAT = pattern(
    r"\b(?:use|with|keep|drop|to|on|decided|agreed),? (?:the )?(?:(?:first|second|third|last|latter|former|other"
    r"|simpler?|easier"
    r"|same|current) ?(?:one|option|approach|way|version|solution)?|option \S+|plan \S+|variant \S+|that|this|it|those"
    r"|both|yours?|what you\b.*|your \w+|#?\d+|[ab]|going|trying|working|at it|it \w+)(?=\s*(?:$|[,.;!]|\b(?:then"
    r"|please|and|for|instead)\b))",
    re.IGNORECASE,
)
"""A choice among things just mentioned means nothing to a later reader."""
_QUOTED = pattern(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`|(?<!\w)'[^']*'(?!\w)")
_REPORTED = pattern(
    r"^\s*(?:>|[|+]|\$ |\d+[:|]|at |File |[\w./-]+:\d+)"
    r"|\b(?:says?|reads?|according to|(?:error|message|docs?|readme|comment|log) (?:is|was|says?|tells?))\b",
    re.IGNORECASE,
)
"""Lines that somebody else wrote, or that report what somebody else wrote."""
MOST_LINES = 12
"""Lines of the user's own; a longer message quotes a text, so only its first and last lines are used."""
EDGE = 3
_INSTEAD = pattern(
    r"\b(?:instead|rather than|not \w+ but|use \w+|must(?:n't| not)?|should(?:n't| not)?)\b", re.IGNORECASE
)


def own_lines(words: str) -> Iterator[tuple[int, str]]:
    """The lines that the user wrote, with their numbers; quoted code and pasted pages are left out."""
    lines: list[tuple[int, str]] = []
    fenced = False
    for place, line in enumerate(words.splitlines()):
        mark = line.lstrip().startswith(("```", "~~~"))
        fenced ^= mark
        if not (fenced or mark or line.startswith(("    ", "\t"))):
            lines.append((place, line))
    yield from lines if len(lines) <= MOST_LINES else (*lines[:EDGE], *lines[-EDGE:])


def kind_of(words: str, answered: str | None) -> str:
    """The kind of memory that a line of the user's gives; "" for none.

    ``answered`` is the answer that the line may correct; None if there is none or the line is not the first.
    """
    if not words or len(words) > LONGEST or _QUESTION.search(words) or _ONCE.search(words) or _REPORTED.search(words):
        return ""
    text = _QUOTED.sub("…", words)
    if _DECIDED.search(text) and not _THAT.search(text):
        return "decision"
    put_right = (
        answered is not None and is_correction(text, answered) and _INSTEAD.search(text) and not _THAT.search(text)
    )
    return "preference" if _WISH.search(text) or put_right else ""
