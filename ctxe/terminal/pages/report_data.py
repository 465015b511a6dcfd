"""The data of a session's page as JSON for its script: each ledger row and text once, requests by reference."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Row
from ctxe.domain.past import Past, SentRequest, WireText
from ctxe.safety.display import visible
from ctxe.terminal.pages.budget import reason
from ctxe.terminal.pages.charts import BY_PRIORITY, KINDS
from ctxe.terminal.pages.outlook import miss_notice

HARMLESS = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Characters that could end a script element or be read as markup; they occur only inside JSON strings."""

NOT_FOUND = "the log does not have this text as it was sent"


def report_data(past: Past) -> dict[str, Any]:
    """The rows, texts and requests of a session. Rows are [section, chunk, kind, asked, given, tier, why, text]."""
    texts = _Numbered()
    rows = _Numbered()
    forgotten = {miss.sent.number: miss_notice(miss) for miss in past.misses}
    requests = [
        _request(sent, rows, texts, past.texts) | {"missed": forgotten.get(sent.number, "")} for sent in past.requests
    ]
    return {"rows": rows.values, "texts": texts.values, "requests": requests}


def embedded(value: object) -> str:
    """JSON that is safe inside a script element, whatever its strings contain."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(HARMLESS)


class _Numbered:
    """Distinct values, identified by a key, in the order of first use."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[object, int] = {}

    def place(self, key: object, make: Callable[[], Any]) -> int:
        """The index of a key's value, which is made on first use."""
        if key not in self._places:
            value = make()
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


def _request(
    sent: SentRequest, rows: _Numbered, texts: _Numbered, known: Mapping[str, Sequence[WireText]]
) -> dict[str, Any]:
    """One request for the page's script; its rows are indexes into the shared list."""
    ledger = sent.ledger
    kept = [row for row in ledger.rows if row.given]
    out = [row for row in ledger.rows if not row.given]
    places = [rows.place(_key(row), partial(_row, row, texts, known)) for row in (*kept, *out)]
    return {
        "n": sent.number,
        "turn": sent.turn,
        "step": sent.step,
        "at": sent.at,
        "words": visible(sent.words),
        "model": visible(ledger.model),
        "used": ledger.used,
        "usable": ledger.usable,
        "held": sum(row.cached for row in kept),
        "cached": ledger.cached,
        "rows": places,
        "kept": len(kept),
        "broke": "" if sent.epoch_cause else visible(ledger.broke),
        "began": visible(sent.epoch_cause),
        "fold": [sent.fold.tokens_before, sent.fold.tokens_after] if sent.fold else None,
        "usage": _usage(ledger.usage),
        "usd": ledger.usd,
        "plain": sent.plain_usd,
        "seconds": round(sent.seconds, 2),
        "reply": _reply(sent),
    }


def _key(row: Row) -> tuple[object, ...]:
    """Identifies a row across requests: everything except whether it was cached."""
    return row.section, row.chunk, row.priority, row.asked, row.given, row.tier, row.why, row.superseded, row.digest


def _row(row: Row, texts: _Numbered, known: Mapping[str, Sequence[WireText]]) -> list[Any]:
    place = -1
    if row.given:
        parts = known.get(row.digest, (("missing", NOT_FOUND),))
        place = texts.place((row.digest, row.digest in known), lambda: [[who, visible(text)] for who, text in parts])
    kind = KINDS.get(row.section, BY_PRIORITY[row.priority])
    return [visible(row.section), visible(row.chunk), kind, row.asked, row.given, row.tier, visible(reason(row)), place]


def _usage(usage: Usage | None) -> list[int] | None:
    return [usage.input, usage.output, usage.cache_read, usage.cache_write] if usage else None


def _reply(sent: SentRequest) -> list[list[str]] | None:
    if sent.reply is None:
        return None
    parts = [["assistant", visible(sent.reply.text)]] if sent.reply.text else []
    return parts + [["call", visible(f"{call.name} {call.arguments}")] for call in sent.reply.calls]
