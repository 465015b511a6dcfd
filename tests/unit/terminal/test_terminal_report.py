"""The page of a session: complete, safe against markup in the session's text, and drawn from its ledgers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from ctxe.domain.conversation import Fold, Position, Reply, ToolCall, Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.past import Consultation, Injected, Past, SentRequest
from ctxe.domain.section import Priority
from ctxe.terminal.pages.charts import Area, areas, ceiling, context_chart, money_chart, ticks
from ctxe.terminal.pages.report import render_page
from ctxe.terminal.pages.report_data import NOT_FOUND, report_data

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp; <!-- \u202e ]]>"
SHOWN = EVIL.replace("\u2028", "‹U+2028›").replace("\u202e", "‹U+202E›")


def row(section: str, given: int, cached: bool = False, priority: Priority = Priority.RECENT, chunk: str = "") -> Row:
    return Row(
        section, chunk or section, priority, given or 9, given, "conversation", EVIL, cached=cached, digest=section
    )


def ledger(*rows: Row, broke: str = "", usd: float | None = 0.25) -> Ledger:
    return Ledger(f"m{EVIL}", 1_000, 100, rows, usage=Usage(100, 5, 40), usd=usd, broke=broke)


TOOLS, RULES = row("tools", 50, priority=Priority.TOOLS), row("rules", 100, True, Priority.SYSTEM)
FOLD = Fold(Position(0, 1), tokens_before=800, tokens_after=300)
REPLY = Reply(EVIL, (ToolCall("1", "run", json.dumps({"command": EVIL})),))
PAST = Past(
    EVIL,
    EVIL,
    (
        SentRequest(
            1, 1, 1, ledger(TOOLS, RULES, row(EVIL, 30), row("gone", 0)), "2026-01-02T03:04:05.6Z", EVIL, reply=REPLY
        ),
        SentRequest(
            2, 1, 2, ledger(TOOLS, RULES, row("record", 60)), epoch_cause=f"folded: {EVIL}", fold=FOLD, plain_usd=1.0
        ),
        SentRequest(
            3, 1, 3, ledger(TOOLS, RULES, row("record", 60), row("conversation", 500), broke=EVIL), plain_usd=2.0
        ),
    ),
    (Injected(EVIL, EVIL, 40, 1, "read"), Injected("files", "b.py", 10, 1)),
    {"tools": (("tool", EVIL),), EVIL: (("user", EVIL), ("result", EVIL))},
)


class Elements(HTMLParser):
    """Every element with its attributes, and the texts of scripts, as a browser takes a page apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data


def test_session_text_never_becomes_markup() -> None:
    made = Elements(render_page(PAST))
    tags = [tag for tag, _ in made.found]
    assert (tags.count("script"), "img" in tags, "iframe" in tags) == (2, False, False)
    assert all(not name.startswith("on") for _, attributes in made.found for name in attributes)
    known = json.loads(made.scripts[0])
    assert known["texts"][0] == [["tool", SHOWN]]
    assert known["requests"][0]["words"] == SHOWN
    assert "\u202e" not in render_page(PAST)


def test_the_page_runs_its_own_script_only_and_loads_nothing() -> None:
    text = render_page(PAST)
    made = Elements(text)
    mark = base64.b64encode(hashlib.sha256(made.scripts[1].encode()).digest()).decode()
    (policy,) = [a["content"] for _, a in made.found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{mark}'; base-uri 'none'"
    assert [a for _, a in made.found if "src" in a or "href" in a] == []
    assert re.findall(r"https?://|@import|url\(", text) == []
    assert "innerHTML" not in made.scripts[1]


def test_every_element_the_script_asks_for_is_there() -> None:
    made = Elements(render_page(PAST))
    ids = {attributes["id"] for _, attributes in made.found if "id" in attributes}
    assert set(re.findall(r'\bat\("(\w+)"\)', made.scripts[1])) <= ids
    assert {"context", "money", "data", "tip"} <= ids
    hits = [a["data-n"] for tag, a in made.found if tag == "rect" and a.get("class") == "hit"]
    assert hits == ["0", "1", "2", "0", "1", "2"]
    marks = [a["class"] for tag, a in made.found if tag == "span" and (a.get("class") or "").startswith("mark")]
    assert marks == ["mark fold", "mark break"]


def test_summaries_are_marked_at_their_request() -> None:
    summed = replace(PAST, consultations=(Consultation(2, EVIL, usd=0.5), Consultation(4, "m")))
    made = Elements(render_page(summed))
    marks = [a for tag, a in made.found if tag == "span" and a.get("class") == "mark sum"]
    assert [(a["style"], a["title"]) for a in marks] == [
        ("left:6.25%", f"a summary by {SHOWN}: $0.5000"),
        ("left:12.50%", "a summary by m: no price"),
    ]
    assert Elements(render_page(replace(PAST, requests=(), consultations=summed.consultations))).found


def test_a_session_without_requests_has_a_page() -> None:
    made = Elements(render_page(Past("s", "p")))
    assert "svg" not in [tag for tag, _ in made.found]
    assert json.loads(made.scripts[0]) == {"rows": [], "texts": [], "requests": []}


def test_rows_and_texts_are_stored_once_and_referenced_by_requests() -> None:
    known: dict[str, Any] = report_data(PAST)
    assert [r[0] for r in known["rows"]] == ["tools", "rules", SHOWN, "gone", "record", "conversation"]
    assert known["rows"][3] == ["gone", "gone", "conversation", 9, 0, "full", SHOWN, -1]
    assert known["texts"][1] == [["missing", NOT_FOUND]]
    first, second, third = known["requests"]
    assert (first["rows"], first["kept"], second["rows"]) == ([0, 1, 2, 3], 3, [0, 1, 4])
    assert (first["reply"][0], len(first["reply"])) == (["assistant", SHOWN], 2)
    assert (second["began"], second["broke"], second["fold"]) == (f"folded: {SHOWN}", "", [800, 300])
    assert [request["missed"] for request in known["requests"]] == ["", "", ""]
    assert (third["broke"], third["usage"], third["usd"], third["plain"]) == (SHOWN, [100, 5, 40, 0], 0.25, 2.0)


def test_chart_areas_are_in_request_order() -> None:
    assert areas(PAST.requests) == [
        Area("tools", "tools", (50, 50, 50)),
        Area("rules", "rules", (100, 100, 100)),
        Area("record", "record", (0, 60, 60)),
        Area(EVIL, "conversation", (30, 0, 0)),
        Area("conversation", "conversation", (0, 0, 500)),
    ]


def test_a_chart_area_is_one_flat_step_per_request() -> None:
    drawn = context_chart(PAST.requests, 1_000)
    assert '<path class="area k-tools" d="M0,100.0V95.0H1V95.0H2V95.0H3V100.0H2V100.0H1V100.0H0Z">' in drawn
    assert '<path class="area k-conversation" d="M2,79.0V29.0H3V79.0H2Z">' in drawn
    assert '<path class="cached" d="M0,90.0H1L1,90.0H2L2,90.0H3"/>' in drawn
    assert '<path class="limit" d="M0,10.0H1L1,10.0H2L2,10.0H3"/>' in drawn


def test_costs_are_drawn_with_and_without_a_cache() -> None:
    drawn = money_chart(PAST.requests, 2.0)
    assert '<rect class="plain" x="2.1" y="0.00" width=".8" height="100.0"/>' in drawn
    assert drawn.count('class="paid"') == 3


def test_the_chart_scale_includes_a_near_limit() -> None:
    assert ceiling(PAST.requests) == int(900 * 1.06) + 1
    assert ceiling(PAST.requests[:1]) == int(180 * 1.06) + 1
    assert ceiling(()) == 2
    assert ticks(23.0) == [5, 10, 15, 20]
    assert ticks(954.0) == [200, 400, 600, 800]
    assert ticks(0.03, 2) == [0.01, 0.02, 0.03]
