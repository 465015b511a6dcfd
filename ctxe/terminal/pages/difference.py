"""Compares two sessions: their cost, the contents of their requests, the files they changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.past import Past
from ctxe.terminal import figures
from ctxe.terminal.pages.charts import areas
from ctxe.terminal.pages.money import usd
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import fold, line
from ctxe.terminal.tables import Cell, Column, draw, table_lines

COUNTS = ("requests", "turns", "input", "output", "cache_read", "folds", "cache_breaks", "fullest")


def session_facts(past: Past) -> dict[str, Any]:
    """A session in numbers: counts, tokens, dollars (None: no price known), and the most tokens of each section."""
    requests, usage = past.requests, past.usage
    return {
        "session": past.session,
        "words": requests[0].words if requests else "",
        "models": list(dict.fromkeys(sent.ledger.model for sent in requests)),
        "turns": len({sent.turn for sent in requests}),
        "requests": len(requests),
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "usd": past.usd,
        "usd_without_cache": past.plain_usd,
        "folds": sum(sent.fold is not None for sent in requests),
        "cache_breaks": len(past.prefix_breaks),
        "fullest": max((sent.ledger.used for sent in requests), default=0),
        "sections": {area.name: max(area.tokens) for area in areas(requests)},
        "changed": list(past.changed),
    }


def difference_view(one: Past, other: Past, screen: Screen) -> str:
    """A table of both, with what the second has more (+) or less (-), and the files that either changed."""
    a, b = session_facts(one), session_facts(other)
    body: list[list[Cell]] = [["words", a["words"], b["words"], ""]]
    body += [["model", ", ".join(a["models"]), ", ".join(b["models"]), ""]]
    body += [_row(name.replace("_", " "), a[name], b[name]) for name in COUNTS]
    body += [_money(name.replace("_", " "), a[name], b[name]) for name in ("usd", "usd_without_cache")]
    body += [_row(f"most {name}", *_both(a, b, name)) for name in {**a["sections"], **b["sections"]}]
    columns = [Column(""), Column(one.session, right=True, grows=True), Column(other.session, right=True, grows=True)]
    rows = table_lines([*columns, Column("", right=True, style="dim")], body, screen)
    changed = {
        "changed by both": [path for path in a["changed"] if path in b["changed"]],
        f"changed by {one.session} only": [path for path in a["changed"] if path not in b["changed"]],
        f"changed by {other.session} only": [path for path in b["changed"] if path not in a["changed"]],
    }
    for name, paths in changed.items():
        if paths:
            rows += fold(line((f"{name}: ", "dim"), ", ".join(paths)), screen.width, "  ")
    return draw(rows, screen)


def _both(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> tuple[int, int]:
    return a["sections"].get(name, 0), b["sections"].get(name, 0)


def _row(name: str, a: int, b: int) -> list[Cell]:
    return [name, f"{a:,}", f"{b:,}", f"{b - a:+,}" if a != b else ""]


def _money(name: str, a: float | None, b: float | None) -> list[Cell]:
    more = "" if a is None or b is None or a == b else ("+" if b > a else "-") + figures.money(abs(b - a))
    return [name.replace("usd", "cost"), usd(a), usd(b), more]
