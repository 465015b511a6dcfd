"""Builds a model's entry of ctxe/data/models.json: windows, prices by tier, efforts, tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.modelling.tables import tiers, total_window
from scripts.modelling.wanted import ALSO, BOUND, FAMILY_OUTPUT, LEVELS, WANTED


def entry(provider: str, name: str, alias: str, found: Mapping[str, Any], total: int | None) -> dict[str, Any]:
    """One model as the file keeps it. ``window`` is the most input that may be sent."""
    window, most = int(found["max_input_tokens"]), int(found.get("max_output_tokens") or FAMILY_OUTPUT)
    if provider == "openai" and name.startswith(("gpt-5", "gpt-6")) and total and window + most > total:
        window = total - most  # these state input and output apart (272,000 + 128,000); some rows give the sum as input
    kept: dict[str, Any] = {"name": name, "window": window, "max_output": min(most, window)}
    kept |= {"alias": alias} if alias else {}
    steps = tiers(found)
    for above, step in reversed(steps[1:]):
        kept["long"] = {"above": above, **step, **({"long": kept["long"]} if "long" in kept else {})}
    kept |= steps[0][1] if steps else {}
    kept |= {"reasoning": True} if found.get("supports_reasoning") else {}
    kept |= {"images": True} if found.get("supports_vision") else {}
    kept |= thinking(provider, name, found)
    kept |= {"tools": False} if not found.get("supports_function_calling") else {}
    return kept | encoding(provider, name)


def thinking(provider: str, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """The efforts a model takes, where the table states them; for Claude also whether it takes a thinking budget."""
    if not found.get("supports_reasoning"):
        return {}
    levels = found.get("reasoning_effort_levels")
    stated = [level for level in LEVELS if found.get(f"supports_{level}_reasoning_effort") is not None]
    if not (levels or stated or provider in ("anthropic", "openai", "gemini")):
        return {}
    usual = {level: level in ("low", "medium", "high") for level in LEVELS}
    usual |= dict.fromkeys(ALSO.get(name.rpartition("-")[0], ()), True)
    said = usual | {level: found[f"supports_{level}_reasoning_effort"] for level in stated}
    efforts = [level for level in LEVELS if (level in levels if levels else said[level])]
    budgeted = provider == "anthropic" and not found.get("supports_adaptive_thinking")
    bound = provider == "anthropic" and name in BOUND
    return {"efforts": efforts} | ({"budgeted": True} if budgeted else {}) | ({"bound": True} if bound else {})


def encoding(provider: str, name: str) -> dict[str, Any]:
    """The tokenizer as tiktoken lists it, where a public one is exact."""
    import tiktoken.model

    if provider != "openai" and "gpt-oss" not in name:
        return {}
    try:
        known = tiktoken.model.encoding_name_for_model(name.rpartition("/")[2] + ("-" if name == "gpt-oss" else ""))
    except KeyError:
        return {}
    return {"exact": True} | ({} if known.startswith("o200k") else {"encoding": known})


def collect(table: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Provider, the checker's provider and entry of every wanted model."""
    for provider, (prefix, checker, names) in WANTED.items():
        for word in names.split():
            name, _, alias = word.partition("=")
            found = table.get(prefix + name)
            if found is None:
                raise SystemExit(f"{prefix + name} is not in litellm's table")
            yield provider, checker, entry(provider, name, alias, found, total_window(checker, name))
