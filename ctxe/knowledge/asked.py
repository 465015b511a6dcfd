"""Detects whether words ask for what is remembered: what was decided, or what went wrong before."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern

_ASIDE = (
    r"\s*(?:(?:so|ok(?:ay)?|and|but|hm+|wait|again|hey|please|sorry|(?:can|could) you|tell me|remind me)\b[,.!:… -]*)*"
)
_QUESTION = (
    r"(?:what|which|why|when|where|how|did|have|had|has|do(?! (?:it|this|that|as|the|not)\b)|does|was|were|is|are|any"
    r"|whether|if)\b"
)
_SAME = r"[^.?!\n]*?"
_DECIDED = pattern(
    rf"{_ASIDE}{_QUESTION}{_SAME}(?:\b(?:we|i|you|they)(?: \w+){{0,2}}? (?:decided?|agreed?|settled?)\b"
    r"|\b(?:was|were|been) (?:\w+ )?(?:decided|agreed|settled)\b|\bdecisions?\b(?=\W*(?:$|[?.!,;:\n])"
    r"|\s(?:about|on|for|to|that|was|were|is|are|we|i|you|they|did|do|have|behind|regarding|against|of"
    r"|covers?|applies|apply|holds?|stands?|says?|forbids?|allows?)\b))",
    re.IGNORECASE,
)
_TROUBLE = (
    r"(?:\b(?:we|i|you) (?:\w+ )?(?:tr(?:y|ied)|seen?|hit|met|had|have)\b"
    r"|\bfail(?:ed|ures?)?\b|\bwrong\b|\bbr(?:eak|oken?)\b|\bhappen(?:ed)?\b)"
)
_WENT_WRONG = pattern(
    rf"{_ASIDE}{_QUESTION}{_SAME}{_TROUBLE}{_SAME}\b(?:before(?=\W*(?:$|[?.!,;\n]))|(?:last time|already|earlier)\b)",
    re.IGNORECASE,
)


def asked_kind(words: str) -> tuple[str, str]:
    """The kind of entries that a question of the user's asks for, and the words on its subject; both mostly empty."""
    for kind, question in (("decision", _DECIDED), ("failure", _WENT_WRONG)):
        if found := question.match(words):
            return kind, words[found.end() :] if kind == "decision" else words
    return "", ""
