"""Detects whether a message of the user's corrects the work before it, by its first words in the languages listed."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern

_ASIDE = r"\s*(?:(?:hm+|oh|uh|um|well|wait|ok(?:ay)?|sorry|hey|argh|but|please|actually)\b[,.!… -]*)*"
_NO = (
    r"no(?=\s*(?:[,.!;:–—-]|$|\n)|\s(?:not|that|this|don't|do not|use|i|we|you|the|please|wait|stop|leave|keep|put"
    r"|revert|undo|it(?:'s| is| must| should))\b)(?![,.!]? (?:problem|worries|need|thanks|thank you"
    r"|rush|go on|it works|that's (?:fine|ok|okay|all|good|great|it|right)|looks? good|idea)\b)"
    r"|no [\w-]+(?: [\w-]+)?[,;:.!]? (?:please|use|only|instead|i said)\b|nope\b"
)
_ENGLISH = (
    r"wrong(?=\W*$|[,.!:;]|\s(?:\w+\W*$|file|one|place|way|approach|branch|folder|version|name|order)\b)"
    r"|stop(?=\W*$|[,.!:;]|\s(?:\w+ing|it|that|this)\b)"
    r"|(?:don't|do not)\b(?! (?:forget|worry|mind|bother|stop|know|see|understand)\b)|not (?:like )?(?:that|what i)\b"
    r"|(?:undo|revert)\b(?=\W*$|[.,!;:]| (?:that|this|it|those|these|the|your|all|everything)\b)"
    r"|(?:that|this|it)(?:'s| is| was)(?: still)? (?:wrong|incorrect|broken|not (?:right|what|true|how|it)\b)"
    r"|i (?:said|told you|meant|asked (?:you|for)|wanted|did(?:n't| not) (?:ask|want|mean|say))\b"
    r"|you (?:broke|forgot|ignored|missed|misunderst\w+|should(?:n't| not| have)|were (?:not )?supposed)\b"
)
_ELSEWHERE = (
    # German, Dutch, Danish, Swedish
    r"(?:nein|nee|nej|falsch|stopp|doch nicht|(?:bitte )?nicht (?:so|das|da)|das (?:ist|war) (?:falsch|nicht)"
    r"|ich (?:meinte|wollte|sagte|habe (?:doch )?gesagt)|mach das rückgängig|du (?:hast vergessen|solltest))\b"
    # French, Spanish, Italian, Portuguese
    r"|(?:non(?!-)|pas (?:ça|comme)|c'est (?:faux|incorrect)|je (?:voulais|t'ai dit)|j'ai dit|eso no|está mal"
    r"|quise decir|te dije|sbagliato|não|está errado|eu quis dizer)\b"
    # Polish, Russian, Chinese, Japanese, Korean
    r"|(?:nie|źle|нет|не так|неправильно|неверно)\b|不对|不是|错了|不要|違う|違います|いいえ|いや[、,]|아니|틀렸"
)
_BEGINS = pattern(f"{_ASIDE}(?:{_NO}|{_ENGLISH}|{_ELSEWHERE})", re.IGNORECASE)
_ACTUALLY = pattern(r"\s*actually\b,? (?:use|make|let's|it should|keep|put|call|we)\b", re.IGNORECASE)
_MERELY = pattern(rf"{_ASIDE}(?:no|nope|nein|non|não|nie|нет|nee|nej)\b", re.IGNORECASE)
_INSTEAD = pattern(
    r"\b(?:instead|use|should|must|don't|do not|wrong|revert|undo|broke|not what|rather|sondern|stattdessen)\b",
    re.IGNORECASE,
)


def is_correction(words: str, answered: str = "") -> bool:
    """Whether the user's message begins by correcting what was done before it.

    ``answered`` is the model's text before the message: if it ends in a question, a bare "no" is only the answer to it.
    """
    if answered.rstrip().endswith("?") and _MERELY.match(words) and not _INSTEAD.search(words):
        return False
    return bool(_BEGINS.match(words) or _ACTUALLY.match(words))
