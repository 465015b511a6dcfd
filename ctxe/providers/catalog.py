"""The catalog of models: windows, prices, abilities and hosts, from a generated file and the user's settings.

``Model.window`` limits the input, and request and reserve together are kept below it. This is exact for providers that
limit input and output together; for those that limit them separately, input the size of the reserve stays unused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from ctxe.domain.effort import Effort
from ctxe.domain.errors import ConfigError, UnknownModel
from ctxe.domain.model import Model, Prices
from ctxe.domain.pattern import pattern
from ctxe.domain.suggestion import did_you_mean
from ctxe.domain.value import dataclass, replace
from ctxe.providers.overrides import ABILITIES, CACHE_PRICES, NEAR, overridden, stated

Api = Literal["anthropic", "responses", "chat"]

OFFLINE = Model("offline", "repository", 128_000, 8_000, Prices(0.0, 0.0), exact=True)
SCRIPTED = Model("scripted", "", 128_000, 8_000, Prices(0.0, 0.0), exact=True)
DATED = pattern(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True)
class Host:
    """The default host of a provider; ``key`` is the environment variable of its key. For the flags see ``Habits``."""

    name: str
    api: Api = "chat"
    url: str = ""
    key: str = ""
    local: bool = False
    gateway: bool = False
    echo_reasoning: bool = False
    needs_reasoning: bool = False
    mistral: bool = False
    signed_calls: bool = False


def find(name: str, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Model:
    """The model for ``provider/name`` or a bare name, with the user's overrides.

    Raises ConfigError for an unknown model without a stated window; a price is never guessed.
    """
    provider, bare = _split_name(name)
    override = stated(f"{provider}/{bare}" if provider else bare, bare, overrides or {})
    provider = str(override.get("provider", provider))
    if provider == "offline":
        return OFFLINE
    model = replace(SCRIPTED, name=bare) if provider == "scripted" else _in_catalog(provider, bare)
    if model is None and not override.get("window"):
        raise _unknown(provider, bare)
    if model is None:
        window = int(override["window"])
        model = Model(provider or "local", bare, window, min(window, 32_768))
    return overridden(model, override)


def at_effort(model: Model, effort: str) -> Model:
    """The model with an effort; "" leaves it to the provider. Raises ConfigError for an effort that it does not know.

    A reasoning model whose levels the catalog does not list may be asked for any; its host refuses wrong ones.
    """
    efforts = model.efforts or (get_args(Effort) if model.reasoning else ())
    if effort and not efforts:
        hint = f'if it does: [models."{model.id}"] reasoning = true'
        raise ConfigError(f"{model.id} takes no effort: as far as ctxe knows, it does not reason", hint)
    if effort and effort not in efforts:
        raise ConfigError(f"{model.id} has no effort {effort!r}", f"it takes {', '.join(efforts)}")
    return replace(model, effort=effort)


def host(provider: str) -> Host:
    """The host of a provider. Raises ConfigError for an unknown provider."""
    host = hosts().get(provider)
    if host is None:
        raise ConfigError(
            f"no provider is called {provider!r}", did_you_mean(provider, hosts(), NEAR) or "say provider/name"
        )
    return host


def hosts() -> Mapping[str, Host]:
    """All hosts by provider."""
    return {name: Host(name, **facts) for name, facts in _data()["hosts"].items()}


def default_model(provider: str) -> str:
    """The ``provider/name`` that is used when only this provider's key is set."""
    return f"{provider}/{_data()['defaults'][provider]}"


def models() -> Iterator[Model]:
    """Every model in the file, in order."""
    for provider, entries in _data()["models"].items():
        yield from (_model(provider, entry["name"], entry) for entry in entries)


@lru_cache(maxsize=1)
def _data() -> Any:
    return json.loads((Path(__file__).parents[1] / "data" / "models.json").read_bytes())


def _split_name(name: str) -> tuple[str, str]:
    provider, slash, bare = name.strip().partition("/")
    if slash and provider in (*_data()["hosts"], "offline", "scripted"):
        return provider, bare
    return "", name.strip()


def _in_catalog(provider: str, bare: str) -> Model | None:
    """The model in the catalog for a name; None when there is none."""
    facts = _data()["hosts"].get(provider, {})
    if facts.get("gateway"):
        return _through_gateway(provider, bare)
    if facts.get("local"):
        return _family(provider, bare)
    for owner, entries in _data()["models"].items():
        if provider in ("", owner) and owner != "local" and (entry := _entry(entries, bare)):
            # an alias, or a name with a date, is sent as the user wrote it
            same = bare.lower() == entry["name"].lower()
            return _model(owner, entry["name"] if same else bare, entry)
    return _newest(provider, bare) or _family(provider, bare)


def _newest(provider: str, word: str) -> Model | None:
    """The newest model with a word in its name after the first ("opus"); None when several providers have one."""
    models: dict[str, Model] = {}
    for owner, entries in _data()["models"].items() if word.isalpha() else ():
        matching = (entry for entry in entries if word.lower() in entry["name"].lower().split("-")[1:])
        if provider in ("", owner) and owner != "local" and (entry := next(matching, None)):
            models[owner] = _model(owner, entry["name"], entry)
    return next(iter(models.values())) if len(models) == 1 else None


def _entry(entries: list[dict[str, Any]], bare: str) -> dict[str, Any] | None:
    """The entry for a name, for an alias, or for the name without its date."""
    lowered = bare.lower()
    for candidate in (lowered, DATED.sub("", lowered)):
        for entry in entries:
            if candidate in (entry["name"].lower(), entry.get("alias", entry["name"]).lower()):
                return entry
    return None


def _family(provider: str, bare: str) -> Model | None:
    """An open model by the longest matching family name; free of charge only on the user's own machines."""
    base_name = bare.lower().rpartition("/")[2]
    matching = [entry for entry in _data()["models"]["local"] if base_name.startswith(entry["name"])]
    if not matching:
        return None
    model = _model(provider or "local", bare, max(matching, key=lambda entry: len(entry["name"])))
    return model if not provider or host(provider).local else replace(model, prices=None)


def _through_gateway(provider: str, bare: str) -> Model | None:
    """A model by ``maker/name`` at a gateway, with its maker's window and an unknown price."""
    base_name = bare.rpartition("/")[2].partition(":")[0]
    for owner, entries in _data()["models"].items():
        entry = _entry(entries, base_name) or _entry(entries, base_name.replace(".", "-"))
        if entry and owner != "local":
            return replace(_model(provider, bare, entry), prices=None, exact=False)
    return None


def _model(provider: str, name: str, entry: Mapping[str, Any]) -> Model:
    facts = {key: entry[key] for key in (*ABILITIES, "budgeted", "bound") if key in entry}
    efforts = tuple(entry.get("efforts", ()))
    return Model(provider, name, entry["window"], entry["max_output"], _prices(entry), efforts=efforts, **facts)


def _prices(entry: Mapping[str, Any]) -> Prices | None:
    if "input" not in entry or "output" not in entry:
        return None
    long_prices = entry.get("long")
    long, above = (_prices(long_prices), long_prices["above"]) if long_prices else (None, 0)
    read, write, hour = (entry.get(key) for key in CACHE_PRICES)
    return Prices(entry["input"], entry["output"], read, write, long, above, hour)


def _unknown(provider: str, bare: str) -> ConfigError:
    full = f"{provider}/{bare}" if provider else bare
    names = [model.id if provider else model.name for model in models() if provider in ("", model.provider)]
    suggestion = did_you_mean(full, names, NEAR) or did_you_mean(
        full, {word for name in names for word in name.split("-")}, NEAR
    )
    lead = f"{suggestion} Otherwise " if suggestion else ""
    hint = f'{lead}state its window in your config: [models."{full}"] window = 128000'
    return UnknownModel(f"the window of the model {full!r} is not known", hint, full)
