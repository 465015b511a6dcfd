"""What fixed a failure: the steps between a run that failed and the same run passing, told in a line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ctxe.knowledge.entry import Entry
from ctxe.knowledge.failures import OPEN, capture, record, short_fix
from ctxe.knowledge.signature import plain_command, program
from ctxe.knowledge.store import Store
from ctxe.storage.counters import Counters

PASSES = "the same command passes"
NEAR = 0.6
"""How alike two command lines of one program are when the second is the first, put right."""
SPAN = 6
"""Commands after a failure within which another one that passes may be its correction."""
_WRONG_CALL = (
    "command not found",
    "not found",
    "No such file or directory",
    "usage",
    "no tests ran",
    "file or directory",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a run meant for the memory: a failure seen (new or again), or one resolved."""

    entry: Entry
    change: str
    """``new``, ``again``, ``resolved`` or ``flaky``."""


@dataclass(slots=True)
class _Waiting:
    """A command of this session that failed (``ids``) and has not passed yet, and what was done since."""

    ids: list[str]
    command: str
    raw: str
    error: str
    commands: int = 0
    edits: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


class Watch:
    """Follows the runs and edits of one session, records failures and resolves them. Raises StoreError."""

    def __init__(self, store: Store, counters: Counters, root: str = "", session: str = "") -> None:
        """``root`` is the project's absolute folder, which is taken out of what is kept."""
        self._store, self.counters, self._root, self._session = store, counters, root, session
        self._waiting: dict[str, _Waiting] = {}

    def ran(self, facts: Mapping[str, Any], turn: str = "") -> tuple[Told, ...]:
        """A command ended; ``facts`` as ``failures.capture`` takes them."""
        raw = str(facts.get("command") or "")
        command = plain_command(raw, self._root)
        draft = capture(facts, self._root, self._session, turn)
        if draft is not None:
            entry, new = record(self._store, draft, self.counters)
            self._passed_by(command)
            held = self._waiting.get(command)
            if held is None:
                self._waiting[command] = _Waiting([entry.id], command, raw, draft.error)
            elif entry.id not in held.ids:
                held.ids.append(entry.id)
            return (Told(entry, "new" if new else "again"),)
        if facts.get("exit_code") != 0:
            return ()
        told = [*self._same(command), *self._corrected(command, raw), *self._earlier(command)]
        self._passed_by(command)
        return tuple(told)

    def edited(self, path: str, diff: str = "") -> None:
        """A file was changed; of ``diff`` (unified) the first changed lines may stand in the lesson."""
        for waiting in self._waiting.values():
            waiting.edits[path] = diff or waiting.edits.get(path, "")

    def _passed_by(self, command: str) -> None:
        for waiting in self._waiting.values():
            if waiting.command != command:
                waiting.commands += 1
                waiting.others.append(command)

    def _same(self, command: str) -> Iterator[Told]:
        """The command that failed passes now."""
        waiting = self._waiting.pop(command, None)
        if waiting is None:
            return
        if len(waiting.ids) == 1 and not waiting.edits and not waiting.others:
            outcome = "passed again although nothing changed: flaky"
            yield Told(self._store.change(waiting.ids[0], status="wontfix", outcome=outcome), "flaky")
            return
        for name in waiting.ids:
            yield from self._resolve(name, _between(waiting))

    def _corrected(self, command: str, raw: str) -> Iterator[Told]:
        """Another command passes that is the failed one put right."""
        from ctxe.lexical.similarity import close

        for name, waiting in list(self._waiting.items()):
            wrong = any(word.lower() in waiting.error.lower() for word in _WRONG_CALL)
            alike = program(name) == program(command) or close(name, command) >= NEAR
            if name != command and wrong and not waiting.edits and waiting.commands <= SPAN and alike:
                del self._waiting[name]
                for failure in waiting.ids:
                    yield from self._resolve(failure, _instead(waiting.raw, raw))

    def _earlier(self, command: str) -> Iterator[Told]:
        """Failures that earlier sessions left open pass: nobody here knows why, so only that is said."""
        for entry in self._store.entries():
            if entry.kind == "failure" and entry.status == "open" and entry.command == command:
                yield from self._resolve(entry.id, "")

    def _resolve(self, name: str, fix: str) -> Iterator[Told]:
        held = next((entry for entry in self._store.entries() if entry.id == name), None)
        if held is not None and held.status in OPEN:
            words = held.fix or short_fix(self._store.mask(fix))
            yield Told(self._store.change(name, status="resolved", fix=words, outcome=PASSES), "resolved")


def _between(waiting: _Waiting) -> str:
    """The lesson of an edit, or of the commands that came between."""
    if waiting.edits:
        parts = [f"{path}{_gist(diff)}" for path, diff in list(waiting.edits.items())[-3:]]
        return "edited " + "; ".join(parts)
    last = list(dict.fromkeys(waiting.others))[-2:]
    return "first ran " + " then ".join(f"`{command}`" for command in last)


def _gist(diff: str) -> str:
    """The first line taken out and the first put in."""
    lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    out = next((line[1:].strip() for line in lines if line.startswith("-") and line[1:].strip()), "")
    into = next((line[1:].strip() for line in lines if line.startswith("+") and line[1:].strip()), "")
    if out and into:
        return f": `{out[:90]}` → `{into[:90]}`"
    return f": added `{into[:120]}`" if into else (f": removed `{out[:120]}`" if out else "")


def _instead(wrong: str, right: str) -> str:
    """The lesson of a call put right: the word that differs when it is one, else the whole line."""
    try:
        before, after = shlex.split(wrong), shlex.split(right)
    except ValueError:
        before, after = wrong.split(), right.split()
    changed = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    if len(before) == len(after) and len(changed) == 1:
        return f"`{changed[0][0]}` → `{changed[0][1]}` (`{' '.join(right.split())[:160]}`)"
    return f"run `{' '.join(right.split())[:200]}` instead"
