"""Remembered failures for the commands: group, find, add and settle them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import CtxeError, StoreError
from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry, moment
from ctxe.knowledge.failures import remembered
from ctxe.knowledge.upkeep.evidence import stale_entries
from ctxe.project.memory.evidence import facts_of
from ctxe.project.memory.memories import entry_of_kind

if TYPE_CHECKING:
    from ctxe.project import Project

MOST_REPEATED = 10


def failure_groups(project: Project) -> tuple[remembered.Group, ...]:
    """Failures by signature, open ones first. An open failure whose files are all gone is stale."""
    entries = project.store.entries()
    lost = stale_entries((entry for entry in entries if entry.kind == "failure"), facts_of(project))
    held = [replace(entry, status="stale") if entry.id in lost else entry for entry in entries]
    return remembered.groups(held, project.counters.read())


def statistics(project: Project) -> dict[str, Any]:
    """Counts of failures and their occurrences, prevented repeats, and tokens and money of the others."""
    groups, numbers = failure_groups(project), project.counters.read()
    sums = {
        name: sum(numbers.get(group.signature, {}).get(name, 0.0) for group in groups)
        for name in ("prevented", "repeats", "tokens", "usd")
    }
    repeated = sorted((group for group in groups if group.seen > 1), key=lambda group: -group.seen)[:MOST_REPEATED]
    return {
        "failures": len(groups),
        "statuses": dict(Counter(group.status for group in groups)),
        "seen": sum(group.seen for group in groups),
        **{name: int(value) for name, value in sums.items() if name != "usd"},
        "usd": round(sums["usd"], 6),
        "repeated": [{"signature": one.signature, "title": one.entry.title, "seen": one.seen} for one in repeated],
    }


def timeline(project: Project, group: remembered.Group) -> list[dict[str, Any]]:
    """Mentions of a failure in the session logs, oldest first: ``{"at", "session", "turn", "step", "says"}``."""
    wanted = [group.signature.encode(), *(entry.id.encode() for entry in group.entries)]
    found: list[dict[str, Any]] = []
    for path in sorted(project.place.sessions.glob("*.jsonl")):
        if not path.is_file():
            continue
        with contextlib.suppress(OSError), path.open("rb") as file:
            found += _moments(path.stem, file, wanted)
    return sorted(found, key=lambda moment: str(moment["at"]))


def _moments(session: str, lines: Iterable[bytes], wanted: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """Lines of one session log that record this failure or a prevented repeat of it."""
    turn = step = 0
    for line in lines:
        turn += b'"type":"turn_started"' in line
        step += b'"type":"reply_received"' in line
        relevant = b'"type":"recorded"' in line or b'"repeats":' in line
        if not relevant or not any(name in line for name in wanted):
            continue
        with contextlib.suppress(ValueError):
            held = json.loads(line)
            text = (
                str(held.get("title", "")).partition(": ")[0] if held.get("type") == "recorded" else "repeat prevented"
            )
            yield {"at": held.get("at", ""), "session": session, "turn": turn, "step": step, "says": text}


def failure_group(project: Project, ref: str) -> remembered.Group:
    """The failure that a person means: by signature (or its beginning), or by the id of a file. Raises StoreError."""
    found = failure_groups(project)
    exact = [group for group in found if group.signature == ref or any(entry.id == ref for entry in group.entries)]
    near = exact or [group for group in found if ref and group.signature.startswith(ref)]
    if len(near) == 1:
        return near[0]
    if near:
        raise StoreError(f"{ref} could be {len(near)} failures", "write more of the signature")
    entry = entry_of_kind(project, ref, "failure")
    group = next((group for group in found if any(held.id == entry.id for held in group.entries)), None)
    if group is None:
        raise StoreError(
            f"{entry.id} is {entry.status}, not yet a failure of the list", "`ctxe memory review` settles it"
        )
    return group


def add_failure(project: Project, what: str, **values: Any) -> tuple[Entry, bool]:
    """Save a failure in the user's words; the entry, and whether it is new. Raises CtxeError, StoreError."""
    if not what.strip():
        raise CtxeError("say what went wrong", 'ctxe failures add "Tests need redis running" --command "pytest"')
    draft = remembered.manual_failure(what.strip(), root=str(project.root), **values)
    draft = replace(draft, status="resolved" if draft.fix else "open")
    project.store.check(draft)
    return remembered.record(project.store, draft, project.counters)


def settle(project: Project, ref: str, status: str, fix: str = "") -> remembered.Group:
    """Set the status of every file of a failure, and the fix of the newest one. Raises StoreError."""
    group = failure_group(project, ref)
    for entry in group.entries:
        values = {"status": status} | ({"fix": fix} if fix and entry.id == group.entry.id else {})
        project.store.change(entry.id, **values)
    return failure_group(project, group.signature)


def since(text: str) -> float:
    """A time in unix seconds for a date; negative seconds for a span (``7d``, ``12h``, ``2w``). Raises CtxeError."""
    spans = {"h": 3_600, "d": 86_400, "w": 604_800}
    if text[-1:] in spans and text[:-1].isdecimal():
        return -float(text[:-1]) * spans[text[-1]]
    when = moment(text)
    if not when:
        raise CtxeError(f"{text!r} is not a time", "write 12h, 7d, 2w or a date like 2026-11-20")
    return when
