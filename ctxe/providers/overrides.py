"""What the user states about a model, ``[models."name"]``: checked, and put in place of what the catalog says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.errors import ConfigError
from ctxe.domain.model import Model, Prices
from ctxe.domain.suggestion import did_you_mean
from ctxe.domain.value import replace

NEAR = 0.7
"""Least similarity of a key, or of a model's name, to one that is suggested."""
CACHE_PRICES = ("cache_read", "cache_write", "cache_write_1h")
MOST = 1e12
"""The largest number in an override."""
ABILITIES = ("encoding", "exact", "tools", "reasoning", "images")
OVERRIDES: Mapping[str, tuple[type, ...]] = {
    "provider": (str,),
    "window": (int,),
    "max_output": (int,),
    "input": (int, float),
    "output": (int, float),
    "cache_read": (int, float),
    "cache_write": (int, float),
    "cache_write_1h": (int, float),
    "encoding": (str,),
    "exact": (bool,),
    "tools": (bool,),
    "reasoning": (bool,),
    "images": (bool,),
}
"""The keys of [models."name"]: tokens, US dollars per million tokens, and abilities."""


def stated(full: str, bare: str, overrides: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The user's table for a model, validated; one for the full name is preferred to one for the bare name."""
    own = overrides.get(full, overrides.get(bare, {}))
    where = f'[models."{full if full in overrides else bare}"]'
    for key, value in own.items():
        if key not in OVERRIDES:
            raise ConfigError(
                f"{where} has no key {key!r}", did_you_mean(key, OVERRIDES, NEAR) or f"it knows {', '.join(OVERRIDES)}"
            )
        kinds = OVERRIDES[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigError(f"{where} {key} = {value!r} is of the wrong type", f"it takes a {kinds[-1].__name__}")
        if isinstance(value, int | float) and not 0 <= value <= MOST:
            what = "negative" if value < 0 else "endless"
            raise ConfigError(f"{where} {key} = {value!r} is {what}", "leave the key out if it is unknown")
    return own


def overridden(known: Model, own: Mapping[str, Any]) -> Model:
    """The model with what the user's table states."""
    old = known.prices
    price = {key: own[key] for key in ("input", "output", *CACHE_PRICES) if key in own}
    prices = old
    if price and (old or {"input", "output"} <= price.keys()):
        stated = {"input": old.input, "output": old.output} if old else {}
        cached = {key: getattr(old, key) for key in CACHE_PRICES} if old else {}
        prices = Prices(**{**stated, **cached, **price})
    window = int(own.get("window", known.window))
    most = min(int(own.get("max_output", known.max_output)), window)
    abilities = {key: own[key] for key in ABILITIES if key in own}
    return replace(known, window=window, max_output=most, prices=prices, **abilities)
