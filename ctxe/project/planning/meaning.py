"""Embeddings by the model that the user set: for the files of an index, and for any other texts (memory's, too)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ctxe.domain.errors import CtxeError
from ctxe.project.secret_guards import secret_masker

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index
    from ctxe.repo.planning.evidence import Scores
    from ctxe.storage.vectors import Vectors

Similar = Callable[[Sequence[str], str], list[float]]
"""Cosine similarity of each text to a query; texts are embedded once, by content. Raises ProviderError, ConfigError."""


def vectors(project: Project, index: Index, *, waiting: bool = False) -> Vectors | None:
    """The vectors beside an index; None when the user set no embedding model. Raises ConfigError.

    ``waiting``: somebody waits for the answer, so a silent host is soon given up.
    """
    from ctxe.providers.embed import embedder
    from ctxe.providers.retry import RetryLimits
    from ctxe.storage.vectors import Vectors

    settings = project.config.retrieval
    if not settings.embeddings:
        return None
    patience = RetryLimits(requests=2, seconds=4.0, connect=2.0, idle=10.0) if waiting else None
    embed = embedder(
        settings.embeddings, environment=project.environment, base_url=settings.base_url, patience=patience
    )
    return Vectors(index.db, settings.embeddings, embed)


def meant(project: Project, index: Index, task: str) -> tuple[Scores, str]:
    """Scores of an index's files for a task by their vectors, and a note for the user.

    Changed windows are embedded first, up to a limit. When the host does not answer, the note says so and the scores
    are empty.
    """
    from ctxe.repo.planning.windows import AT_ONCE, embed, meaning

    try:
        found = vectors(project, index, waiting=True)
        if found is None or not task.strip():
            return {}, ""
        left = embed(index, found, secret_masker(project.own_keys), AT_ONCE)
        note = f"{left:,} windows have no vector yet: `ctxe index` embeds them" if left else ""
        return meaning(index, found, secret_masker(project.own_keys)(task)), note
    except CtxeError as error:
        return {}, f"planned without vectors: {error.message}"


def embed_all(project: Project, index: Index, advance: Callable[[int], None]) -> bool:
    """Embed every window of an index; False when no embedding model is set. Raises ProviderError and ConfigError."""
    from ctxe.repo.planning.windows import embed

    found = vectors(project, index)
    if found is not None:
        embed(index, found, secret_masker(project.own_keys), None, advance)
    return found is not None


def similarity(project: Project) -> Similar | None:
    """Similarity of any texts to a query by the user's embedding model; None when none is set. Raises ConfigError."""
    from ctxe.project.planning.indexing import opened

    if not project.config.retrieval.embeddings:
        return None
    index = opened(project)
    found = vectors(project, index, waiting=True)
    return None if found is None else partial(_alike, index, found, secret_masker(project.own_keys))


def _alike(_owner: Index, found: Vectors, clean: Callable[[str], str], texts: Sequence[str], query: str) -> list[float]:
    """Similarity of each text to the query. The index is an argument only to keep its database open for ``found``."""
    return found.similar([clean(text) for text in texts], clean(query))
