"""The past and future of a session in lines: cache breaks, folds, what was injected and its use, the next fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctxe.domain.conversation import Fold
from ctxe.domain.past import Forecast, Injected, Miss, Past, used_share
from ctxe.terminal import figures
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import glyph
from ctxe.terminal.tables import Told, draw, named_lines

NEWEST = 3
"""Folds, breaks and unused chunks that are listed; the others are counted."""


def outlook_view(past: Past, ahead: Forecast | None, screen: Screen, made: Fold | None = None) -> str:
    """The lines below a request's ledger: cache breaks, folds, use of injected text, and the forecast.

    ``made`` is a fold made after the newest request; the next request begins with it.
    """
    folded = [*_folds(past, screen.unicode), *([_made(made, screen.unicode)] if made else [])]
    rows = [*_cache(past), *folded, *_used(past.injected), *_ahead(ahead)]
    return draw(named_lines(rows, screen), screen)


def miss_notice(miss: Miss) -> str:
    """A message that the provider's cache had lost what it should have held."""
    pause = f", after a pause of {figures.seconds(miss.pause)}" if miss.pause >= 60 else ""
    return f"the provider held {figures.size(miss.read)} of {figures.size(miss.expected)} tokens{pause}"


def _cache(past: Past) -> Iterator[Told]:
    if not past.requests:
        return
    broken, forgotten = past.prefix_breaks, past.misses
    if not broken:
        yield "cache", "", "the prefix never broke"
    for miss in forgotten[-NEWEST:]:
        yield "cache", "warn", f"forgotten before step {miss.sent.turn}.{miss.sent.step}: {miss_notice(miss)}"
    if len(forgotten) > NEWEST:
        yield "cache", "warn", f"and forgotten {len(forgotten) - NEWEST} times before"
    for sent in broken[-NEWEST:]:
        yield "cache", "warn", f"broke before step {sent.turn}.{sent.step}, at {sent.ledger.broke}"
    if len(broken) > NEWEST:
        yield "cache", "warn", f"and broken {len(broken) - NEWEST} times before"


def _folds(past: Past, unicode: bool) -> Iterator[Told]:
    arrow = glyph("arrow", unicode)
    began = [sent for sent in past.requests if sent.epoch_cause]
    for sent in began[-NEWEST:]:
        sizes = ""
        if sent.fold:
            before, after = figures.size(sent.fold.tokens_before), figures.size(sent.fold.tokens_after)
            upto = f"everything before step {sent.fold.upto.turn + 1}.{sent.fold.upto.step + 1}"
            sizes = f", {upto}, {before} {arrow} {after} tokens"
        yield "epoch", "", f"began before step {sent.turn}.{sent.step}: {sent.epoch_cause}{sizes}"
    if len(began) > NEWEST:
        yield "epoch", "", f"and {len(began) - NEWEST} before"


def _made(fold: Fold, unicode: bool) -> Told:
    before, after = figures.size(fold.tokens_before), figures.size(fold.tokens_after)
    sizes = f"{before} {glyph('arrow', unicode)} {after} tokens"
    return "epoch", "", f"begins with the next request: folded: {fold.cause}, {sizes}"


def _used(injected: Sequence[Injected]) -> Iterator[Told]:
    used, put = used_share(injected)
    if not put:
        return
    unused = sorted((one for one in injected if not one.use), key=lambda one: -one.tokens)
    named = [f"{one.chunk} ({one.tokens:,})" for one in unused[:NEWEST]]
    named += [f"{len(unused) - NEWEST} more"] if len(unused) > NEWEST else []
    rest = f"; not: {', '.join(named)}" if named else ""
    yield "unasked", "", f"{put:,} tokens were put in for your words, {figures.percent(used, put)} used later{rest}"


def _ahead(ahead: Forecast | None) -> Iterator[Told]:
    if ahead is None:
        return
    price = f", for about {figures.money(ahead.fold_usd)}" if ahead.fold_usd else ""
    at = f"at {figures.size(ahead.line)} tokens{price}"
    pace = f"a step adds about {figures.size(ahead.pace)} tokens"
    if ahead.steps:
        yield "ahead", "", f"{pace}; the next fold comes in about {figures.plural(ahead.steps, 'step')}, {at}"
    else:
        yield (
            "ahead",
            "",
            f"{pace}; no fold is near, the next comes {at}" if ahead.pace else f"the next fold comes {at}",
        )
