"""What must neither be remembered nor reach a model: secrets, and text that nobody can see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError

if TYPE_CHECKING:
    from ctxe.knowledge.entries.entry import Entry


def check(own: Sequence[str]) -> Callable[[Entry], None]:
    """Refuses an entry with a secret in it by raising StoreError; ``own`` are values known to be secret."""

    def refused(entry: Entry) -> None:
        from ctxe.safety.secrets import refuse

        words = (entry.title, entry.text, entry.command, entry.error, entry.tried, entry.outcome, entry.fix, entry.call)
        more = (entry.by, entry.session, *entry.scope, *entry.files, *entry.evidence)
        if why := refuse("\n".join((*words, *more)), own):
            raise StoreError(f"not remembered: {why}", "secrets belong in no memory")

    return refused


def masking(own: Sequence[str]) -> Callable[[str], str]:
    """Takes secrets out of a text."""

    def masked(text: str) -> str:
        from ctxe.safety.secrets import mask

        return mask(text, own)[0]

    return masked


def cleaning(own: Sequence[str]) -> Callable[[str], str]:
    """Text from outside as a model may get it: no keys, no diffs of files that hold them, nothing invisible."""

    def cleaned(text: str) -> str:
        from ctxe.safety.display import strip_invisible
        from ctxe.safety.excerpts import without_secret_files
        from ctxe.safety.secrets import mask

        return mask(without_secret_files(strip_invisible(text)[0]), own)[0]

    return cleaned
