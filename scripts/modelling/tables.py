"""Reads two public tables of models: litellm's, from which the file is made, and genai-prices', which checks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.modelling.wanted import DIFFER


def download(folder: Path) -> tuple[dict[str, Any], str]:
    """Both wheels unpacked in ``folder``; litellm's table and the names of the wheels."""
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*words, "litellm", "genai-prices"], check=True)
    wheels = sorted(folder.glob("*.whl"))
    table: dict[str, Any] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            if wheel.name.startswith("litellm"):
                table = json.loads(archive.read("litellm/model_prices_and_context_window_backup.json"))
            else:
                archive.extractall(folder)
    return table, ", ".join(" ".join(wheel.name.split("-")[:2]).replace("_", "-") for wheel in wheels)


def dollars(value: Any) -> float | None:
    """Convert dollars per token to dollars per million tokens."""
    return None if value is None else float(f"{float(value) * 1e6:.6g}")


def prices(found: Mapping[str, Any], suffix: str = "") -> dict[str, float]:
    """The prices of a table row; a cache price of 0 means that cache writes are free."""
    keys = {"input": "input_cost_per_token", "output": "output_cost_per_token"}
    keys |= {"cache_read": "cache_read_input_token_cost", "cache_write": "cache_creation_input_token_cost"}
    keys |= {"cache_write_1h": "cache_creation_input_token_cost_above_1hr"}
    stated = {key: dollars(found.get(name + suffix)) for key, name in keys.items()}
    return {key: value for key, value in stated.items() if value or (value == 0 and key in ("input", "output"))}


def tiers(found: Mapping[str, Any]) -> list[tuple[int, dict[str, float]]]:
    """Prices by the input size above which they hold, from 0 up."""
    if found.get("tiered_pricing"):
        return [(int(tier["range"][0]), prices(tier)) for tier in found["tiered_pricing"]]
    steps = [(0, prices(found))] if found.get("input_cost_per_token") is not None else []
    for key in found:
        if above := re.fullmatch(r"input_cost_per_token(_above_(\d+)k_tokens)", key):
            steps.append((int(above[2]) * 1000, {**steps[0][1], **prices(found, above[1])}))
    return sorted(steps, key=lambda step: step[0])


def total_window(checker: str, name: str) -> int | None:
    """Input and output together as genai-prices knows it."""
    found = checked(checker, name)
    return found.model.context_window if found else None


def checked(checker: str, name: str, **usage: int) -> Any:
    """genai-prices' answer for some usage, None when it does not know the model."""
    import genai_prices

    if not checker:
        return None
    try:
        return genai_prices.calc_price(
            genai_prices.Usage(**(usage or {"input_tokens": 1000})), name, provider_id=checker
        )
    except LookupError:
        return None


def differences(provider: str, checker: str, kept: Mapping[str, Any]) -> Iterator[str]:
    """Prices that differ from the other table's by more than 1 %."""
    probes = {
        "input": {"input_tokens": 1000},
        "output": {"output_tokens": 1000},
        "cache_read": {"input_tokens": 1000, "cache_read_tokens": 1000},
        "cache_write": {"input_tokens": 1000, "cache_write_tokens": 1000},
    }
    for key, usage in probes.items():
        found = checked(checker, kept["name"], **usage)
        if found is None or key not in kept:
            continue
        plain = checked(checker, kept["name"], input_tokens=1000)
        if key.startswith("cache") and found.total_price == plain.total_price:
            continue  # it knows no price for the cache
        other, ours, where = float(found.total_price) * 1000, kept[key], f"{provider}/{kept['name']} {key}"
        if abs(other - ours) > 0.01 * max(other, ours) and where not in DIFFER:
            yield f"{where}: {ours} here, {other:g} there"
