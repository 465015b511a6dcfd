"""The checks of ``ctxe doctor``: each is a small function that yields findings, with hints where something is wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ctxe.domain.errors import CtxeError
from ctxe.domain.value import dataclass, replace
from ctxe.safety.display import one_line

if TYPE_CHECKING:
    from ctxe.project import Project

State = Literal["ok", "note", "fail"]
NO_HISTORY = "`git status` says what to do; until then ctxe knows no history here"
LEAST_ROOM = 20_000_000
"""Bytes left on a disk below which it is told of: about what an index and a long session take."""
MOST_TOLD = 8
"""Most lines of advice on instruction files, and on skills."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: what was checked, its state, a description, and a hint when something can be done."""

    name: str
    state: State
    says: str
    hint: str = ""


def checks(project: Project, *, reach: bool) -> Iterator[Finding]:
    """Every finding, in order. ``reach`` also sends the model's host one free question. Creates no memory folder."""
    if not project.place.memory.exists():
        project = replace(project, looks=True)
    every: list[Callable[[Project], Iterator[Finding]]] = [
        _python,
        _git,
        _folder,
        _disk,
        _trust,
        _settings,
        _instructions,
        _skills,
        _servers,
        _memory,
        _model,
        _sandbox,
    ]
    for check in [*every, *([_reach] if reach else [])]:
        try:
            yield from check(project)
        except CtxeError as error:
            yield Finding(check.__name__.strip("_"), "fail", error.message, error.hint)


def _python(_: Project) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok", version)
    from ctxe.storage.vocabulary import count

    good = count("hello world") == 2
    yield Finding(
        "vocabularies",
        "ok" if good else "fail",
        "packaged, checked" if good else "damaged",
        "" if good else "reinstall ctxe",
    )


def _git(project: Project) -> Iterator[Finding]:
    from ctxe.safety.programs import find_program

    found = find_program("git", project.root)
    if found is None:
        yield Finding("git", "note", "not found", "install git: history, undo of commands and /commit need it")
    elif project.place.git and (why := project.git.refusal()):
        yield Finding("git", "fail", f"{found}; it refuses this repository: {one_line(why)}", NO_HISTORY)
    else:
        yield Finding("git", "ok", f"{found}; {'a repository' if project.place.git else 'not a repository here'}")
    ripgrep = find_program("rg", project.root)
    yield Finding("search", "ok", str(ripgrep) if ripgrep else "own walk; ripgrep would be faster")


def _folder(project: Project) -> Iterator[Finding]:
    place = project.place
    if not place.writable:
        yield Finding("folder", "note", f"{place.root} cannot be written", f"sessions and cache go to {place.cache}")
        return
    yield Finding("folder", "ok", str(place.root))
    from ctxe.storage.private_cache import own_folder

    if own_folder(place.cache, place.root, place.user) is None:
        hint = f"a key for it belongs in {place.user}, which must be yours to write"
        yield Finding("cache", "note", "kept for one run at a time", hint)


def _disk(project: Project) -> Iterator[Finding]:
    """Whether there is room to save anything, where the memory, the cache and the user's own files are."""
    place = project.place
    free: dict[int, tuple[Path, int]] = {}
    for folder in (place.root, place.cache, place.user):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free.setdefault(there.stat().st_dev, (there, shutil.disk_usage(there).free))
    for folder, left in free.values():
        yield from disk(folder, left)


def disk(folder: Path, left: int) -> Iterator[Finding]:
    """What to say of a disk with so many bytes left; nothing where there is room."""
    if left < LEAST_ROOM:
        state: State = "note" if left else "fail"
        hint = "free some: sessions, memory and settings cannot be saved on a full disk"
        yield Finding("disk", state, f"{left / 1e6:,.1f} MB left where {folder} is", hint)


def _trust(project: Project) -> Iterator[Finding]:
    yield Finding(
        "trust", "ok" if project.trusted else "note", "trusted" if project.trusted else "not trusted yet: `ctxe trust`"
    )


def _settings(project: Project) -> Iterator[Finding]:
    from ctxe.config import PROJECT_FILE, unknown_variables, user_file

    file = user_file(project.environment)
    yield Finding("settings", "ok", f"{file}{'' if file.exists() else ' (not there: defaults)'}")
    for line in project.loaded.refused:
        yield Finding(PROJECT_FILE, "note", line, "a project may only tighten what you allow")
    for name in unknown_variables(project.environment):
        yield Finding("settings", "note", f"{one_line(name)} sets nothing", "`ctxe config show`: CTXE_SECTION_KEY")


def _instructions(project: Project) -> Iterator[Finding]:
    """What the instruction files of every tool cost, and which parts of them are wasted."""
    from ctxe.domain.section import Task
    from ctxe.project.memory.standing import instructions, price_of_rules
    from ctxe.project.models import counter

    count = counter(project, project.model).count
    rules, room = instructions(project, count), project.budget.room("instructions")
    loaded = [one for one in rules.sources(Task(), room) if one.tokens]
    tokens = sum(one.tokens for one in loaded)
    hint = "`ctxe memory show --sources` shows each" if loaded else ""
    yield Finding("instructions", "ok", f"{len(loaded)} files, {tokens:,} tokens in every request", hint)
    for line in (*rules.notices(Task(), room), *price_of_rules(project, count))[:MOST_TOLD]:
        yield Finding("instructions", "note", line)


def _skills(project: Project) -> Iterator[Finding]:
    """How many skill modules there are, what their list costs, and which cannot be used."""
    from ctxe.project.skills.finder import finder
    from ctxe.project.skills.inventory import listed

    found, cost = finder(project)(), listed(project)
    usable = sum(not skill.problem for skill in found)
    text = f"{usable} modules, {cost['tokens']:,} tokens in every request" + (
        f"; {cost['says']}" if cost["says"] else ""
    )
    yield Finding("skills", "ok", text, "`ctxe skills list` shows each")
    wrong = [f"{skill.where}: {skill.problem}" for skill in found if skill.problem and not skill.expected]
    for one in wrong[:MOST_TOLD]:
        yield Finding("skills", "note", one)


def _servers(project: Project) -> Iterator[Finding]:
    """Servers that may be used, and those that wait for approval or cannot be used; nothing without servers."""
    from ctxe.project.servers.configured import configured, refused

    usable = [one.name for one in configured(project) if one.usable]
    if usable:
        yield Finding(
            "servers", "ok", f"{', '.join(usable)}; none is started by this", "`ctxe mcp test NAME` tries one"
        )
    for line in refused(project):
        yield Finding("servers", "note", line)


def _memory(project: Project) -> Iterator[Finding]:
    from ctxe.knowledge.entries.links import holding
    from ctxe.project.memory.inbox import inbox_notice

    entries = project.store.snapshot().entries
    bad = [entry for entry in entries if entry.problems]
    kept = len({entry.signature or entry.id for entry in filter(holding(entries), entries) if entry.kind != "log"})
    yield Finding("memory", "ok", f"{kept} {'entry' if kept == 1 else 'entries'} in {project.place.memory}")
    if waiting := inbox_notice(project):
        yield Finding("memory", "note", waiting)
    for entry in bad[:5]:
        yield Finding("memory", "note", f"{entry.path}: {entry.problems[0]}", "fix the file; nothing in it is lost")


def _model(project: Project) -> Iterator[Finding]:
    from ctxe.project.models import choice, connect

    model = project.model
    why = choice(project).why
    price = (
        f"${model.prices.input:g} in, ${model.prices.output:g} out per million tokens"
        if model.prices
        else "no known price"
    )
    yield Finding("model", "ok", f"{model.id}: {why}; window {model.window:,} tokens, {price}")
    connect(project, model, lambda *_: "")
    yield Finding("key", "ok", "nothing needed" if model.provider == "offline" else "set")


def _sandbox(project: Project) -> Iterator[Finding]:
    from ctxe.project.sandbox import sandbox_for

    found = sandbox_for(project)
    yield Finding("sandbox", "ok" if found.active else "note", found.says)


def _reach(project: Project) -> Iterator[Finding]:
    from ctxe.project.models import connect, count_remotely

    provider = connect(project, project.model, lambda *_: "")
    yield Finding("reach", "ok", count_remotely(provider))
