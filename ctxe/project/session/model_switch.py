"""Switches the model or its effort, and tells what it costs to read the conversation again."""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.context.cost import request_usd
from ctxe.domain.errors import ConfigError
from ctxe.domain.events import EffortChosen, Event, ModelChosen, Notice
from ctxe.domain.model import Model
from ctxe.domain.value import replace
from ctxe.project.models import choose
from ctxe.project.session.live import Live
from ctxe.providers.catalog import at_effort
from ctxe.terminal import figures

DEFAULT = "default"
"""The word for the provider's own default effort."""


def switch(live: Live, name: str, effort: str = "") -> Iterator[Event]:
    """Use another model from now on, at ``effort``, else at the current effort if it takes that. Raises ConfigError."""
    asked, before = choose(live.project, name), live.model.effort
    if effort:
        model, note = at_effort(asked, _level(effort)), ""
    else:
        model, note = _same_effort(asked, before)
    costs = _reading_cost(live, model, "reads") if model.id != live.model.id else []
    live.use_model(model)
    yield from live.session.emit(ModelChosen(model.id))
    if model.effort != live.session.state.effort:
        yield from live.session.emit(EffortChosen(model.effort))
    for line in filter(None, [note, *costs]):
        yield from live.session.emit(Notice(line))


def think(live: Live, effort: str) -> Iterator[Event]:
    """Use another effort with the same model from now on. Raises ConfigError.

    No epoch begins: requests still start with the same bytes. Whether the provider's cache survives the change is up to
    the provider, so the possible cost is shown.
    """
    model = at_effort(live.model, _level(effort))
    if model == live.model:
        return
    costs = _reading_cost(live, model, "may read")
    live.composer.save()
    live.use_model(model)
    yield from live.session.emit(EffortChosen(model.effort))
    for line in costs:
        yield from live.session.emit(Notice(line))


def _level(effort: str) -> str:
    return "" if effort == DEFAULT else effort


def _same_effort(model: Model, effort: str) -> tuple[Model, str]:
    try:
        return at_effort(model, effort), ""
    except ConfigError as error:
        return replace(model, effort=""), f"{error.message}: it thinks as its provider has it"


def _reading_cost(live: Live, model: Model, verb: str) -> list[str]:
    """A line on how many tokens the next request reads anew, with their price if known; empty before any request."""
    held = live.session.state.size
    if not held:
        return []
    price = f", {figures.money(request_usd(held, 0, model.prices))} once" if model.prices else ""
    return [f"the next request {verb} what was said so far anew: {figures.size(held)} tokens{price}"]
