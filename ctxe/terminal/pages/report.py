"""A session as one self-contained HTML page: charts, every request with its exact text, folds, money.

Text of the repository and the model is escaped, and only ever inserted as text nodes. The page's own content security
policy (CSP) allows only its own script, by hash, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ctxe.data import read_text
from ctxe.domain.past import Past, SentRequest, used_share
from ctxe.domain.value import dataclass
from ctxe.safety.display import visible
from ctxe.terminal import figures
from ctxe.terminal.pages.charts import areas, ceiling, chart_columns, context_chart, money_chart, ticks
from ctxe.terminal.pages.outlook import miss_notice
from ctxe.terminal.pages.report_data import embedded, report_data

PRIVATE = "This page holds the text of the session: give it only to people who may read the repository."


def render_page(past: Past) -> str:
    """The whole page, in UTF-8."""
    style, script = _asset("inspect.css"), _asset("inspect.js")
    mark = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{mark}'; base-uri 'none'"
    body = [
        _head(past),
        _tiles(past),
        *([_charts(past), _detail()] if past.requests else ["<p>This session sent no request.</p>"]),
        _events(past),
        _used(past),
        f"<footer>{PRIVATE} It was made by ctxe and needs no network.</footer>",
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(past.session)} · ctxe</title>\n<style>{style}</style></head><body>",
            *body,
            f'<script type="application/json" id="data">{embedded(report_data(past))}</script>',
            f"<script>{script}</script>\n</body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    return read_text(name)


def _text(words: str) -> str:
    """Outside text as HTML."""
    return escape(visible(words))


def _head(past: Past) -> str:
    models = dict.fromkeys(sent.ledger.model for sent in past.requests)
    turns = len({sent.turn for sent in past.requests})
    facts = [past.project, *models, past.requests[0].at[:19].replace("T", " ") + " UTC" if past.requests else ""]
    facts.append(f"{figures.plural(turns, 'turn')}, {figures.plural(len(past.requests), 'request')}")
    subtitle = _text(" · ".join(filter(None, facts)))
    return f"<header><h1>Session <code>{_text(past.session)}</code></h1><p>{subtitle}</p></header>"


def _tiles(past: Past) -> str:
    """The key figures of the session."""
    usage = past.usage
    folds = sum(sent.fold is not None for sent in past.requests)
    used, put = used_share(past.injected)
    tiles = [
        ("cost", _usd(past.usd), f"{_usd(past.plain_usd)} without a cache" if past.plain_usd else ""),
        ("input", figures.size(usage.input), f"{figures.percent(usage.cache_read, usage.input)} from the cache"),
        ("output", figures.size(usage.output), "tokens"),
        (
            "fullest request",
            figures.size(max((s.ledger.used for s in past.requests), default=0)),
            _usable_note(past.requests),
        ),
        ("folds", str(folds), _breaks(past)),
        ("put in unasked", figures.size(put), f"{figures.percent(used, put)} used later" if put else "tokens"),
    ]
    return '<section class="tiles">' + "".join(_tile(*tile) for tile in tiles) + "</section>"


def _tile(name: str, value: str, note: str) -> str:
    return f"<div><span>{name}</span><b>{escape(value)}</b><small>{escape(note)}</small></div>"


def _usd(dollars: float | None) -> str:
    return "no price" if dollars is None else figures.money(dollars)


def _usable_note(requests: Sequence[SentRequest]) -> str:
    return f"of {figures.size(max((sent.ledger.usable for sent in requests), default=0))} usable tokens"


def _breaks(past: Past) -> str:
    forgotten = f", {len(past.misses)}× forgotten" if past.misses else ""
    broken = figures.plural(len(past.prefix_breaks), "cache break") if past.prefix_breaks else "the cache never broke"
    return broken + forgotten


def _charts(past: Past) -> str:
    """Both charts with their scales, marks and legend."""
    top = ceiling(past.requests)
    dear = max((max(sent.plain_usd or 0, sent.ledger.usd or 0) for sent in past.requests), default=0.0) * 1.05
    scale = "".join(_tick(value, top, figures.size(value)) for value in ticks(top))
    names = "".join(f'<span class="k-{area.kind}"><i></i>{_text(area.name)}</span>' for area in areas(past.requests))
    drawn = [
        '<figure class="chart"><figcaption>Context of every request, in tokens'
        f'<span class="legend">{names}<span class="line cachedline"><i></i>held by the cache</span>'
        '<span class="line limitline"><i></i>limit</span></span></figcaption>',
        f'<div class="plot tall">{scale}{context_chart(past.requests, top)}{_marks(past)}</div></figure>',
    ]
    if dear:
        prices = "".join(_tick(value, dear, figures.money(value)) for value in ticks(dear, 2))
        drawn += [
            '<figure class="chart"><figcaption>Money of every request<span class="legend"><span class="k-paid"><i></i>'
            'paid</span><span class="k-plain"><i></i>without a cache</span></span></figcaption>',
            f'<div class="plot low">{prices}{money_chart(past.requests, dear)}</div></figure>',
        ]
    return "\n".join([*drawn, '<div id="tip" hidden></div>'])


def _tick(value: float, top: float, label: str) -> str:
    return f'<span class="tick" style="bottom:{100 * value / top:.2f}%">{label}</span>'


def _marks(past: Past) -> str:
    """Folds, cache breaks, misses and summaries above their columns."""
    drawn = []
    for mark in (*_marked(past), *_summed(past)):
        left = 100 * (mark.sent.number - 1) / chart_columns(len(past.requests))
        place = f'class="mark {mark.kind}" style="left:{left:.2f}%"'
        drawn.append(f'<span {place} title="{_text(mark.says)}">{mark.sign}</span>')
    return "".join(drawn)


@dataclass(frozen=True, slots=True)
class ChartMark:
    """A sign above the column of a request, of a CSS class ``kind``, and what it stands for."""

    sent: SentRequest
    kind: str
    sign: str
    says: str


def _marked(past: Past) -> Iterator[ChartMark]:
    """The marks of requests: folds, cache breaks, misses."""
    forgotten = {miss.sent.number: miss for miss in past.misses}
    for sent in past.requests:
        if sent.epoch_cause:
            yield ChartMark(sent, "fold", "⇲" if sent.fold else "◆", sent.epoch_cause)
        elif sent.ledger.broke:
            yield ChartMark(sent, "break", "✂", f"cache broken at {sent.ledger.broke}")
        elif sent.number in forgotten:
            yield ChartMark(sent, "miss", "○", f"cache forgotten: {miss_notice(forgotten[sent.number])}")


def _detail() -> str:
    """The frame in which the script shows the selected request."""
    return (
        '<section id="detail"><nav><button id="back" title="one back (←)">←</button><h2 id="which"></h2>'
        '<button id="on" title="one on (→)">→</button>'
        '<label><input type="checkbox" id="fresh"> only what is new in it</label>'
        '<label><input type="checkbox" id="whole"> all text</label>'
        '<input type="search" id="find" placeholder="find in this request" aria-label="find in this request"></nav>'
        '<div id="facts"></div><div id="request"></div>'
        "<noscript>Turn scripts on to read the requests.</noscript></section>"
    )


def _summed(past: Past) -> Iterator[ChartMark]:
    """Summaries, each at the request that followed it, or at the last one."""
    for one in past.consultations if past.requests else ():
        sent = past.requests[min(one.before, len(past.requests)) - 1]
        yield ChartMark(sent, "sum", "Σ", f"a {one.purpose} by {one.model}: {_usd(one.usd)}")


def _events(past: Past) -> str:
    """A table of every fold, cache break, miss and summary."""
    rows = []
    for mark in sorted((*_marked(past), *_summed(past)), key=lambda mark: mark.sent.number):
        sent, fold = mark.sent, mark.sent.fold if mark.kind == "fold" else None
        sizes = f"{fold.tokens_before:,} → {fold.tokens_after:,}" if fold else ""
        rows.append([f"{sent.number}", f"{sent.turn}.{sent.step}", mark.says, sizes, _usd(sent.ledger.usd)])
    return _table("Folds and the cache", ["request", "turn.step", "what", "tokens", "cost"], rows)


def _used(past: Past) -> str:
    """What was injected unasked, largest first, and how it was used later."""
    order = sorted(past.injected, key=lambda one: -one.tokens)
    rows = [[one.section, one.chunk, f"{one.tokens:,}", f"turn {one.turn}", one.use or "not used"] for one in order]
    return _table("Put before the model unasked", ["section", "what", "tokens", "for", "later"], rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<section><h2>{title}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>"
