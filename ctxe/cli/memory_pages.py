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
    about = memories.overview(project, snapshot)
    standing = _once([row for row in rows if row.get("status") != "proposed"])
    tokens = sum(row["tokens"] for row in standing)
    parts = [draw([line((about["folder"], "title"), f": {_sum(standing)}, about {size(tokens)} tokens")], screen)]
    kinds = [kind] if kind else [*KINDS, *sorted({row["kind"] for row in standing} - {*KINDS, "log"})]
    for name in kinds:
        held = [row for row in standing if row["kind"] == name]
        if held:
            head = draw([line((PLURALS.get(name, name), "strong"), (f"  {len(held)}", "dim"))], screen)
            parts.append(head + "\n" + entries_table(sorted(held, key=_by_scope), screen))
    parts += _rest(about, screen, empty=not standing, kind=kind)
    return "\n\n".join(parts)


def _once(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with a failure that several clones recorded merged into one: the newest file, preferably with a fix."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        same = row.get("signature") or row["id"]
        held = found.get(same)
        if held is None or (bool(row.get("fix")), row["at"]) >= (bool(held.get("fix")), held["at"]):
            uses = row["uses"] + (held["uses"] if held else 0)
            found[same] = {**row, "uses": uses, "same_as": None if row.get("signature") else row["same_as"]}
    return list(found.values())


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

    known = memories.history(project, ref)
    entry = known.entry
    after = f", superseded by {known.superseded_by}" if known.superseded_by else ""
    facts = [
        (
            "kind",
            f"{entry.kind}, {entry.status}{after}",
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
        ("replaces", ", ".join(f"{old.id} {old.title}" for old in known.replaced)),
        ("stale", "; ".join(known.lost)),
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
    for words in text.splitlines():
        rows += fold(line(words), screen.width) if screen.width and words.strip() else [line(words)]
    return draw(rows, screen)


def sources_page(project: Project, screen: Screen) -> str:
    """Every instruction and memory file that loads, in order, with its tokens."""
    from ctxe.project.memory import standing

    loaded = standing.sources(project)
    columns: list[Column | str] = [Column("", right=True, style="dim"), Column("file", grows=True), "state"]
    columns += [Column("tokens", right=True), Column("why", style="dim", wraps=True)]
    rows: list[list[Cell]] = []
    for number, rule in enumerate(loaded.rules, 1):
        others = dict.fromkeys(path for _, path in rule.repeats)
        again = f"; {plural(len(rule.repeats), 'item')} said already in {', '.join(others)}" if others else ""
        rows.append([str(number), rule.path, rule.state, str(rule.tokens or ""), rule.why + again])
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


def _rest(about: Mapping[str, Any], screen: Screen, *, empty: bool, kind: str) -> list[str]:
    """Log, inbox and problems below the entries."""
    rows: list[Line] = []
    if empty and kind:
        rows.append(line(f"nothing of the kind {kind} is remembered; kinds are {', '.join(KINDS)}, log"))
    elif empty:
        rows.append(line('nothing is remembered yet: `ctxe memory add "…"`, or /remember in a chat'))
    if about["lines"] or about["bulk"]:
        parts = [f"{plural(about['lines'], 'line')} on {plural(about['days'], 'day')}"] if about["lines"] else []
        parts += [plural(about["bulk"], "imported line")] if about["bulk"] else []
        rows.append(line(("log", "strong"), f"  {', '.join(parts)}"))
    if about["inbox"]:
        rows.append(line(("inbox", "warn"), f"  {plural(about['inbox'], 'proposal')} to look at: `ctxe memory review`"))
    rows += [line(("outside", "warn"), f"  {one['path']} was {one['change']}") for one in about["outside"][:10]]
    rows += [line(("outside", "warn"), f"  {len(about['outside']) - 10} more")] if len(about["outside"]) > 10 else []
    rows += [line(("problem", "bad"), f"  {one['path']}: {one['says']}") for one in about["problems"][:20]]
    return [draw(rows, screen)] if rows else []


def _row(row: Mapping[str, Any], now: float) -> list[Cell]:
    """A row of the table; the last cell says what is unusual about the entry."""
    marks = []
    if row.get("superseded_by"):
        marks.append(f"superseded by {row['superseded_by']}")
    elif row.get("status") not in ("current", "open", None):
        marks.append(str(row["status"]))
    if row["same_as"]:
        marks.append(f"says the same as {row['same_as']}")
    if row["rival"]:
        marks.append(f"replaces the same as {row['rival']}: `ctxe memory review`")
    if row["stale"]:
        marks.append(f"stale: {row['stale'][0]}")
    if row["problems"]:
        marks.append(row["problems"][0])
    scope = ", ".join(row.get("scope", row.get("files", ()))[:2])
    when = age(row["at"], now) if row["at"] > 1_000_000_000 else ""
    title = row.get("title") or row.get("text", "")[:80]
    return [row["id"], title, scope, when, str(row["uses"] or ""), str(row["tokens"]), "; ".join(marks)]


def _by_scope(row: Mapping[str, Any]) -> str:
    return ", ".join(row.get("scope", ()))


def _sum(rows: Sequence[Mapping[str, Any]]) -> str:
    return plural(len(rows), "entry", "entries")
