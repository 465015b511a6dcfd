"""Remembered failures for the commands: grouped, found, added and settled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import CtxeError, StoreError
from ctxe.knowledge import failures
from ctxe.knowledge.entry import Entry, moment

if TYPE_CHECKING:
    from ctxe.project import Project


def failure_groups(project: Project) -> tuple[failures.Group, ...]:
    """Failures by signature, open ones first."""
    return failures.groups(project.store.entries(), project.counters.read())


def failure_group(project: Project, ref: str) -> failures.Group:
    """The failure a person means: its signature or its beginning, or an id of one of its files. Raises StoreError."""
    found = failure_groups(project)
    exact = [group for group in found if group.signature == ref or any(entry.id == ref for entry in group.entries)]
    near = exact or [group for group in found if ref and group.signature.startswith(ref)]
    if len(near) == 1:
        return near[0]
    if near:
        raise StoreError(f"{ref} could be {len(near)} failures", "write more of the signature")
    entry = project.store.get(ref)
    return next(group for group in found if entry in group.entries) if entry.kind == "failure" else _no_failure(ref)


def add_failure(project: Project, what: str, **values: Any) -> tuple[Entry, bool]:
    """Keep a failure in somebody's words; the entry, and whether it is new. Raises CtxeError, StoreError."""
    if not what.strip():
        raise CtxeError("say what went wrong", 'ctxe failures add "Tests need redis running" --command "pytest"')
    draft = failures.noted(what.strip(), root=str(project.root), **values)
    draft = replace(draft, status="resolved" if draft.fix else "open")
    project.store.check(draft)
    return failures.record(project.store, draft, project.counters)


def settle(project: Project, ref: str, status: str, fix: str = "") -> failures.Group:
    """Give every file of a failure a status, and the newest one a fix. Raises StoreError."""
    group = failure_group(project, ref)
    for entry in group.entries:
        values = {"status": status} | ({"fix": fix} if fix and entry.id == group.entry.id else {})
        project.store.change(entry.id, **values)
    return failure_group(project, group.signature)


def since(text: str) -> float:
    """The moment that ``7d``, ``12h`` or a date names, in unix seconds; a span counts back from 0. Raises CtxeError."""
    spans = {"h": 3_600, "d": 86_400, "w": 604_800}
    if text[-1:] in spans and text[:-1].isdecimal():
        return -float(int(text[:-1]) * spans[text[-1]])
    when = moment(text)
    if not when:
        raise CtxeError(f"{text!r} is no time", "write 12h, 7d, 2w or a date like 2026-11-20")
    return when


def _no_failure(ref: str) -> failures.Group:
    raise StoreError(f"{ref} is no failure", "`ctxe failures list` shows them")
