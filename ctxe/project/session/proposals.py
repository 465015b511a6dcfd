"""Proposes what a session taught to the inbox: found by rules, and by the cheap model ([memory] digest = "model")."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import CtxeError, StoreError

if TYPE_CHECKING:
    from ctxe.domain.conversation import Conversation
    from ctxe.knowledge.entries.entry import Entry
    from ctxe.project import Project
    from ctxe.project.allowance import Allowance
    from ctxe.project.session.live import Live

TAUGHT = "say what the session taught"
WORTH = 2
"""Fewest steps of a session for which a model is asked: shorter ones teach nothing."""


def propose_memories(live: Live) -> None:
    """Propose what the session taught. An unwritable memory folder is ignored: the user has been told of it.

    Also removes files that killed sessions left half-written in the cache.
    """
    from ctxe.storage.locks import sweep

    project, session = live.project, live.session
    sweep(project.cache)
    if project.config.memory.enabled:
        with contextlib.suppress(StoreError):
            drafts = draft_proposals(project, session.state.conversation, session.id, live.kit.allowance)
            live.proposed += sum(_is_kept(project, draft) for draft in drafts)
    for bought in live.kit.allowance.take_purchases():
        for _ in session.emit(bought):
            pass


def _is_kept(project: Project, draft: Entry) -> bool:
    """Put a proposal into the inbox; False when it is refused, which must not stop the others."""
    try:
        project.store.add(draft)
    except StoreError:
        return False
    return True


def draft_proposals(
    project: Project, conversation: Conversation, session: str, allowance: Allowance
) -> tuple[Entry, ...]:
    """Drafts of proposals; ``allowance`` pays for the model's answer.

    When the model cannot be asked or answers nonsense, only what the rules found is returned.
    """
    from ctxe.knowledge.upkeep.digest import digest

    how = project.config.memory.digest
    if how == "off":
        return ()
    entries = project.store.entries()
    found = digest(conversation, entries, session)
    if how == "model" and sum(len(turn.steps) for turn in conversation.turns) >= WORTH:
        return (*found, *_proposed_by_model(project, conversation, entries, found, session, allowance))
    return found


def _proposed_by_model(
    project: Project,
    conversation: Conversation,
    entries: Sequence[Entry],
    found: Sequence[Entry],
    session: str,
    allowance: Allowance,
) -> tuple[Entry, ...]:
    """Drafts that the cheap model proposes in addition to those ``found``."""
    from ctxe.knowledge.entries.links import holding
    from ctxe.knowledge.upkeep import proposals
    from ctxe.project.model_questions import ModelQuestions
    from ctxe.project.models import choose, connect
    from ctxe.project.secret_guards import secret_masker

    lasting = [entry for entry in filter(holding(entries), entries) if entry.kind not in ("log", "failure")]
    waiting = [e for e in entries if e.status == "proposed"]
    try:
        model = choose(project, project.config.model.cheap)
        provider, clean = connect(project, model, lambda *_: ""), secret_masker(project.own_keys)
        ask = ModelQuestions(provider, clean, "digest.md", TAUGHT, allowance)
        answer = ask(proposals.proposal_prompt(conversation, lasting))
    except CtxeError:
        return ()
    drafts = proposals.parse_proposals(answer, [*lasting, *waiting, *found], session, model.id)
    return tuple(draft for draft in drafts if _allowed(project, draft))


def _allowed(project: Project, draft: Entry) -> bool:
    """Whether the store accepts a draft; it refuses secrets."""
    try:
        project.store.check(draft)
    except CtxeError:
        return False
    return True
