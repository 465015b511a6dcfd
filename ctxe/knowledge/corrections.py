"""Whether the user's words take back what was done before them: known by how they begin, in English."""

from __future__ import annotations

import re

_BEGINS = re.compile(
    r"\s*(?:no\b(?!,? (?:problem|worries|need)\b)|nope\b|wrong\b|stop\b"
    r"|(?:please )?(?:don't|do not)\b(?! (?:forget|worry|mind|bother|stop)\b)|not (?:like )?(?:that|what i)\b"
    r"|(?:please )?(?:undo|revert)\b(?=\W*$|[.,!;:]| (?:that|this|it|those|these|the|your|all|everything)\b)"
    r"|that(?:'s| is| was)(?: still)? (?:wrong|incorrect|broken|not (?:right|what|true|how|it)\b)"
    r"|(?:this|it)(?:'s| is| was) (?:wrong|incorrect|not what)\b"
    r"|i (?:said|told you|meant|asked)\b"
    r"|you (?:broke|forgot|ignored|misunderst\w+|should not|shouldn't)\b)",
    re.IGNORECASE,
)


def corrects(words: str) -> bool:
    """Whether the user's words begin by taking back what was done before them."""
    return bool(_BEGINS.match(words))
