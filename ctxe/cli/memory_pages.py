"""Pages about the memory folder: all that is remembered, one whole entry, the files that load and their cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctxe.terminal.figures import age, plural, size
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, line
from ctxe.terminal.tables import Cell, Column, draw, table, without_empty_columns

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.memory.types import Entry

KINDS = ("decision", "fact", "preference", "routine", "failure")
PLURALS = {"decision": "decisions", "fact": "facts", "preference": "preferences", "routine": "routines"}
PLURALS |= {"failure": "failures", "log": "log"}
COLUMNS: tuple[Column, ...] = (
    Column("id", style="accent"),
    Column("title", grows=True),
    Column("scope", style="dim", grows=True),
    Column("age", right=True, style="dim"),
    Column("uses", right=True),
    Column("tokens", right=True),
    Column("", style="warn", grows=True),
)


def page(project: Project, screen: Screen, kind: str = "", *, all_: bool = False) -> str:
    """Entries by kind and scope, newest last; below them the log, the inbox and problems."""
    from ctxe.project.memory import memories

    snapshot = project.store.snapshot()
    rows = memories.rows(project, kind, all_=all_, snapshot=snapshot)
    overview = memories.overview(project, snapshot)
    shown_rows = _merged_failures([row for row in rows if row.get("status") != "proposed"])
    tokens = sum(row["tokens"] for row in shown_rows)
    parts = [
        draw(
            [line((overview["folder"], "title"), f": {_entry_count(shown_rows)}, about {size(tokens)} tokens")], screen
        )
    ]
    kinds = [kind] if kind else [*KINDS, *sorted({row["kind"] for row in shown_rows} - {*KINDS, "log"})]
    for name in kinds:
        rows_of_kind = [row for row in shown_rows if row["kind"] == name]
        if rows_of_kind:
            head = draw([line((PLURALS.get(name, name), "strong"), (f"  {len(rows_of_kind)}", "dim"))], screen)
            parts.append(head + "\n" + entries_table(sorted(rows_of_kind, key=_by_scope), screen))
    parts += _log_and_problems(overview, screen, empty=not shown_rows, kind=kind)
    return "\n\n".join(parts)


def _merged_failures(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with a failure that several clones recorded merged into one: the newest file, preferably with a fix."""
    rows_by_key: dict[str, dict[str, Any]] = {}
    for row in rows:
        key = row.get("signature") or row["id"]
        kept_row = rows_by_key.get(key)
        if kept_row is None or (bool(row.get("fix")), row["at"]) >= (bool(kept_row.get("fix")), kept_row["at"]):
            uses = row["uses"] + (kept_row["uses"] if kept_row else 0)
            rows_by_key[key] = {**row, "uses": uses, "same_as": None if row.get("signature") else row["same_as"]}
    return list(rows_by_key.values())


def entries_table(rows: Sequence[Mapping[str, Any]], screen: Screen) -> str:
    """Entries as a table."""
    now = time.time()
    return table(*without_empty_columns(COLUMNS, [_row(row, now) for row in rows], screen), screen)


def public_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for other programs, without the fields that only the page needs."""
    return {key: value for key, value in row.items() if key not in ("at", "number", "rival")}


def entry_page(project: Project, screen: Screen, ref: str) -> str:
    """One whole entry, with what it replaced and its evidence. Raises StoreError."""
    from ctxe.project.memory import memories

    facts_table = memories.history(project, ref)
    entry = facts_table.entry
    replaced_by = f", superseded by {facts_table.superseded_by}" if facts_table.superseded_by else ""
    facts = [
        (
            "kind",
            f"{entry.kind}, {entry.status}{replaced_by}",
        ),
        ("by", entry.by + (f", session {entry.session}" if entry.session else "")),
        ("created", entry.created or entry.ts),
        ("scope", ", ".join(entry.scope)),
        ("files", ", ".join(entry.files)),
        ("evidence", ", ".join(entry.evidence)),
        ("command", entry.command),
        ("error", entry.error),
        ("tried", entry.tried),
        ("outcome", entry.outcome),
        ("fix", entry.fix),
        ("replaces", ", ".join(f"{entry_before.id} {entry_before.title}" for entry_before in facts_table.replaced)),
        ("stale", "; ".join(facts_table.lost)),
        ("file", f"{project.place.memory}/{entry.path}"),
        ("problems", "; ".join(entry.problems)),
    ]
    rows: list[list[Cell]] = [[name, value] for name, value in facts if value]
    head = draw([line((entry.id, "accent"), "  ", (entry.title, "strong"))], screen)
    body = table([Column("", style="dim"), Column("", wraps=True)], rows, screen)
    return "\n\n".join(part for part in (head, body, print_prose(entry.text, screen)) if part)


def print_prose(text: str, screen: Screen) -> str:
    """Text of an entry, sanitised and wrapped to the window."""
    from ctxe.terminal.style import fold

    rows: list[Line] = []
    for text_line in text.splitlines():
        rows += fold(line(text_line), screen.width) if screen.width and text_line.strip() else [line(text_line)]
    return draw(rows, screen)


def sources_page(project: Project, screen: Screen) -> str:
    """Every instruction and memory file that loads, in order, with its tokens."""
    from ctxe.project.memory import standing

    loaded = standing.sources(project)
    columns: list[Column | str] = [Column("", right=True, style="dim"), Column("file", grows=True), "state"]
    columns += [Column("tokens", right=True), Column("why", style="dim", wraps=True)]
    rows: list[list[Cell]] = []
    for number, rule in enumerate(loaded.rules, 1):
        other_files = dict.fromkeys(path for _, path in rule.repeats)
        repetition = f"; {plural(len(rule.repeats), 'item')} already in {', '.join(other_files)}" if other_files else ""
        rows.append([str(number), rule.path, rule.state, str(rule.tokens or ""), rule.why + repetition])
    for number, piece in enumerate(loaded.pieces, len(rows) + 1):
        state = "loaded" if piece["tokens"] else "left out"
        rows.append([str(number), piece["id"], state, str(piece["tokens"] or ""), piece["why"]])
    total = sum(rule.tokens for rule in loaded.rules) + sum(piece["tokens"] for piece in loaded.pieces)
    parts = [table(columns, rows, screen) if rows else "nothing loads here: write an AGENTS.md"]
    parts.append(draw([line(f"{total:,} tokens in every request")], screen))
    if loaded.notices:
        parts.append(draw([line(("! ", "warn"), notice) for notice in loaded.notices], screen))
    return "\n\n".join(parts)


def log_page(day: str, entries: Sequence[Entry], screen: Screen) -> str:
    """The log of one day (UTC), a row per entry."""
    if not entries:
        return draw([line(f"nothing is logged for {day} (UTC)")], screen)
    rows: list[list[Cell]] = [[entry.created[11:16], entry.session, entry.text] for entry in entries]
    columns = [Column("", style="dim"), Column("", style="accent"), Column("", wraps=True)]
    return draw([line((day, "strong"))], screen) + "\n" + table(columns, rows, screen)


def _log_and_problems(overview: Mapping[str, Any], screen: Screen, *, empty: bool, kind: str) -> list[str]:
    """Log, inbox and problems below the entries."""
    rows: list[Line] = []
    if empty and kind:
        rows.append(line(f"no entries of the kind {kind}; kinds are {', '.join(KINDS)}, log"))
    elif empty:
        rows.append(line('nothing is remembered yet: `ctxe memory add "…"`, or /remember in a chat'))
    if overview["lines"] or overview["bulk"]:
        parts = (
            [f"{plural(overview['lines'], 'line')} on {plural(overview['days'], 'day')}"] if overview["lines"] else []
        )
        parts += [plural(overview["bulk"], "imported line")] if overview["bulk"] else []
        rows.append(line(("log", "strong"), f"  {', '.join(parts)}"))
    if overview["inbox"]:
        rows.append(
            line(("inbox", "warn"), f"  {plural(overview['inbox'], 'proposal')} to review: `ctxe memory review`")
        )
    rows += [line(("outside", "warn"), f"  {item['path']} was {item['change']}") for item in overview["outside"][:10]]
    rows += (
        [line(("outside", "warn"), f"  {len(overview['outside']) - 10} more")] if len(overview["outside"]) > 10 else []
    )
    rows += [line(("problem", "bad"), f"  {item['path']}: {item['says']}") for item in overview["problems"][:20]]
    return [draw(rows, screen)] if rows else []


def _row(row: Mapping[str, Any], now: float) -> list[Cell]:
    """A row of the table; the last cell holds remarks on the entry, if any."""
    remarks = []
    if row.get("superseded_by"):
        remarks.append(f"superseded by {row['superseded_by']}")
    elif row.get("status") not in ("current", "open", None):
        remarks.append(str(row["status"]))
    if row["same_as"]:
        remarks.append(f"says the same as {row['same_as']}")
    if row["rival"]:
        remarks.append(f"replaces the same as {row['rival']}: `ctxe memory review`")
    if row["stale"]:
        remarks.append(f"stale: {row['stale'][0]}")
    if row["problems"]:
        remarks.append(row["problems"][0])
    scope = ", ".join(row.get("scope", row.get("files", ()))[:2])
    age_text = age(row["at"], now) if row["at"] > 1_000_000_000 else ""
    title = row.get("title") or row.get("text", "")[:80]
    return [row["id"], title, scope, age_text, str(row["uses"] or ""), str(row["tokens"]), "; ".join(remarks)]


def _by_scope(row: Mapping[str, Any]) -> str:
    return ", ".join(row.get("scope", ()))


def _entry_count(rows: Sequence[Mapping[str, Any]]) -> str:
    return plural(len(rows), "entry", "entries")
