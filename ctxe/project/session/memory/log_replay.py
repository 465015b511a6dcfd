"""Restores what a session had learnt of failures and memories, by a replay of its log."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ctxe.agent.log import Log, header_of
from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.domain.conversation import Touch
from ctxe.domain.errors import SessionError
from ctxe.domain.events import Kept, ToolFinished, TurnStarted
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import moment
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.replay_store import ReplayStore
from ctxe.project.session.memory.memory_credits import MemoryCredits
from ctxe.project.session.memory.memory_listener import MemoryListener
from ctxe.repo.files import OUR_FOLDER, start_listing, walk
from ctxe.repo.git import Git, finish

Timed = tuple[str, Kept]
"""An event and its time (UTC, ISO 8601; empty when unknown)."""
INSTALLED = ("node_modules", "vendor", "*env/lib/python*/site-packages", "*env/bin")
"""Folders of a project that change when something is installed for it."""


@dataclass(slots=True)
class LogReplay:
    """Replays a log to the listeners of its session, so that they learn it again without writing anything twice.

    ``digests`` holds the content hashes of files at the replayed moment, as far as tools had reported them.
    """

    memory: MemoryPorts
    listener: MemoryListener
    memory_credits: MemoryCredits
    digests: dict[str, str] = field(default_factory=dict)

    def run(self, past: Sequence[Timed]) -> None:
        """Replay every event in order; afterwards the listeners write again."""
        now, session_gate, then = replace(self.memory), self.listener.session_gate, ReplayStore(self.memory.store)
        self._use_ports(MemoryPorts(then, now.counters.stilled(), self._digest_then))
        state = State()
        for at, event in past:
            then.at = moment(at)
            if isinstance(event, ToolFinished):
                self._note_hashes(event.result.touches)
            state = apply(state, event)
            self.listener.replay(event, state)
            for _ in self.memory_credits(event, state):
                pass
        session_gate.gate.played()
        self._use_ports(now)

    def _use_ports(self, other: MemoryPorts) -> None:
        """Let all listeners read and write through other ports."""
        mine, self.listener.session_gate.digest_of = self.memory, other.digest_of
        mine.store, mine.counters, mine.digest_of = other.store, other.counters, other.digest_of

    def _digest_then(self, path: str) -> str:
        """The content hash of a file at the replayed moment; empty when unknown."""
        return self.digests.get(path, "")

    def _note_hashes(self, touches: Sequence[Touch]) -> None:
        """Note the hashes of files before and after a call that changed them, as far as they are known."""
        known = {t.path: "" if t.operation == "create" else self.digests.get(t.path) for t in touches}
        self.listener.session_gate.hashes_before = {path: held for path, held in known.items() if held is not None}
        self.digests.update({touch.path: touch.digest for touch in touches})


def catch_up(
    past: Sequence[Timed], memory: MemoryPorts, listener: MemoryListener, memory_credits: MemoryCredits
) -> None:
    """Bring the listeners of a resumed session to the state in which it was left."""
    if past:
        LogReplay(memory, listener, memory_credits).run(past)


def changed_since(git: Git) -> Callable[[float], bool]:
    """A function: was any file of the project written, made or removed after a time (unix seconds)?

    A file's ctime cannot be set back, so an undo, a checkout and an unpacked archive show as well; a new or removed
    file shows by its folder. Ignored files do not count, except for what is installed for the project.
    """

    def changed(when: float) -> bool:
        named = finish(start_listing(git))
        listed = walk(git.root) if named is None else map(os.fsdecode, filter(None, named.split(b"\0")))
        files = [path for path in listed if not path.startswith(OUR_FOLDER)]
        folders = {folder.as_posix() for path in files for folder in PurePosixPath(path).parents}
        installed = (path for pattern in INSTALLED for path in git.root.glob(pattern))
        places = (*(git.root / path for path in (*files, *folders)), *installed)
        return any(_changed_after(place, when) for place in places)

    return changed


def _changed_after(path: Path, when: float) -> bool:
    """Whether a file changed after a time, or the nearest folder that is left of its path."""
    for place in (path, *path.parents):
        with contextlib.suppress(OSError):
            return place.lstat().st_ctime > when
    return True


def copied_from(log: Log, past: Sequence[Timed]) -> tuple[tuple[str, int], ...]:
    """The sessions that this one was forked from, nearest first, each with the last turn (from 1) that was copied."""
    found: dict[str, int] = {}
    header, turns = log.header or _header(log.path), len(past)
    while (name := Path(str(header.get("fork", ""))).name) and name not in found:
        started = (event for _, event in past[: int(header.get("copied", 0))] if isinstance(event, TurnStarted))
        turns = min(turns, sum(1 for _ in started))
        found[name] = turns
        header = _header(log.path.with_name(f"{name}.jsonl"))
    return tuple(found.items())


def _header(path: Path) -> Mapping[str, Any]:
    try:
        return header_of(path)
    except SessionError:
        return {}
