"""Parts that a session and a preview have in common: what composes requests, and what keeps memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.domain.model import Model
from ctxe.project.memory.keeping import Keeping
from ctxe.project.models import budget_for, counter
from ctxe.project.window.compose import Composer
from ctxe.project.window.kit import Kit
from ctxe.project.window.planned import Chosen
from ctxe.project.window.sources import offers

if TYPE_CHECKING:
    from ctxe.project import Project


def composer(project: Project, model: Model, kit: Kit, session: str, chosen: Chosen = tuple) -> Composer:
    """What composes requests for a model in this project; ``chosen`` gives the user's own files as (path, choice)."""
    counted = counter(project, model)
    return Composer(
        offers(project, kit, counted.count, chosen, session), model, budget_for(project, model), counted, session
    )


def keeping(project: Project, session: str, *, approved: bool = False) -> Keeping:
    """What keeps memories for the model; ``approved``: a person can be asked first, unless all go to the inbox."""
    asks = approved and project.config.memory.remember == "ask"
    return Keeping(project.store, project.counters, str(project.root), session, asks)
