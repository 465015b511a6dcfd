"""Answers of the commands in the JSON of the public contract: a plan, the ledger of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxe.domain.ledger import Ledger, Row
    from ctxe.domain.model import Prices
    from ctxe.project.planning.plan import Plan


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as the public contract has it."""
    return {
        "task": plan.task,
        "budget": plan.budget,
        "tokens": plan.tokens,
        "files": [
            {
                "path": file.path,
                "score": file.score,
                "tokens": file.tokens,
                "mode": file.mode,
                "ranges": [list(lines) for lines in file.ranges],
                "reasons": [
                    {"signal": reason.signal, "detail": reason.detail, "weight": reason.weight}
                    for reason in file.reasons
                ],
            }
            for file in plan.files
        ],
        "left_out": [
            {"path": omitted.path, "score": omitted.score, "reason": omitted.reason} for omitted in plan.left_out
        ],
        "timings_ms": dict(plan.timings_ms),
        "note": plan.note,
    }


def ledger_json(ledger: Ledger, prices: Prices | None) -> dict[str, Any]:
    """A ledger as the public contract has it; the tokens of all chunks sum to ``used``."""
    sections: dict[str, list[Row]] = {}
    for row in ledger.rows:
        sections.setdefault(row.section, []).append(row)
    return {
        "model": ledger.model,
        "window": ledger.window,
        "reserve": ledger.reserve,
        "usable": ledger.usable,
        "used": ledger.used,
        "sections": [_section(name, rows, ledger) for name, rows in sections.items()],
        "cost": _cost(ledger, prices),
        "exact": ledger.exact,
    }


def _section(name: str, rows: list[Row], ledger: Ledger) -> dict[str, Any]:
    tokens = sum(row.given for row in rows)
    return {
        "name": name,
        "priority": int(min(row.priority for row in rows)),
        "tokens": tokens,
        "share": round(tokens / ledger.usable, 4) if ledger.usable else 0.0,
        "chunks": [
            {
                "id": row.chunk,
                "tokens": row.given,
                "tier": row.tier,
                "why": row.why,
                "cached": row.cached,
                "superseded": row.superseded,
            }
            for row in rows
            if row.given
        ],
        "left_out": [{"id": row.chunk, "tokens": row.asked, "why": row.why} for row in rows if not row.given],
    }


def _cost(ledger: Ledger, prices: Prices | None) -> dict[str, float | None]:
    from ctxe.domain.conversation import Usage

    if prices is None:
        return {"input_usd": None, "cached_usd": None}
    plain = prices.cost(Usage(input=ledger.used))
    cached = prices.cost(Usage(input=ledger.used, cache_read=ledger.cached))
    return {"input_usd": round(plain, 6), "cached_usd": round(cached, 6)}
