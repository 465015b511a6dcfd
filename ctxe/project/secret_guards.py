"""Keeps secrets and invisible text out of memory and away from models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError

if TYPE_CHECKING:
    from ctxe.knowledge.entries.entry import Entry


def check(own: Sequence[str]) -> Callable[[Entry], None]:
    """A check that raises StoreError for an entry that contains a secret; ``own`` are values known to be secret."""

    def refused(entry: Entry) -> None:
        from ctxe.safety.secrets import refuse

        words = (entry.title, entry.text, entry.command, entry.error, entry.tried, entry.outcome, entry.fix, entry.call)
        more = (entry.by, entry.session, *entry.scope, *entry.files, *entry.evidence)
        if why := refuse("\n".join((*words, *more)), own):
            raise StoreError(f"not remembered: {why}", "secrets belong in no memory")

    return refused


def secret_masker(own: Sequence[str]) -> Callable[[str], str]:
    """A function that masks the secrets in a text."""

    def masked(text: str) -> str:
        from ctxe.safety.secrets import mask

        return mask(text, own)[0]

    return masked


def text_cleaner(own: Sequence[str]) -> Callable[[str], str]:
    """A function that cleans outside text for a model: no keys, no diffs of files that hold keys, nothing invisible."""

    def cleaned(text: str) -> str:
        from ctxe.safety.display import strip_invisible, strip_sequences
        from ctxe.safety.excerpts import without_secret_files
        from ctxe.safety.secrets import mask

        def shown(text: str) -> str:
            return mask(without_secret_files(text), own)[0]

        text = strip_invisible(text)[0]
        # colours may be in the middle of a key or of a file's name
        bare = strip_sequences(text)
        return shown(text) if bare == text or (safe := shown(bare)) == bare else safe

    return cleaned
