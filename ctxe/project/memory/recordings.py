"""Learns failed calls and their fixes from recorded sessions, from our own logs and those of other agents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import SessionError
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import moment
from ctxe.knowledge.entries.names import hashed
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.calls import only_looks
from ctxe.knowledge.failures.contents import Content
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.recorded_calls import RecordedCall
from ctxe.knowledge.failures.recordings import Recording, UserWords
from ctxe.knowledge.failures.waiting import UNKNOWN
from ctxe.project.sessions import path_of
from ctxe.tools.outcomes.outcome import outcome

if TYPE_CHECKING:
    from ctxe.project import Project

LARGEST = 400_000_000
"""Largest recording in bytes that is read."""
BEGINNING = 4_096
"""Bytes at the start of a recording that tell it from others of the same name."""


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What one recording taught: its calls, failures and what became of them; ``skipped`` says why it was not read."""

    name: str
    steps: int = 0
    failed: int = 0
    new: int = 0
    resolved: int = 0
    skipped: str = ""


def command_facts(taken: RecordedCall, root: str) -> dict[str, Any] | None:
    """The facts of a recorded command, as a live one has them; None for any other call.

    Without a recorded exit code the program's output decides, as it does behind a pipe that hides the code.
    """
    if taken.kind != "command":
        return None
    known = taken.exit_code is not None
    code = taken.exit_code if known else int(bool(taken.failed))
    facts = outcome(taken.command, code, taken.text, root)
    if known or code:
        return facts
    unsure = outcome(f"{taken.command} | cat", 0, taken.text, root)
    return {**unsure, "command": taken.command}


def steps_of(path: Path) -> Iterator[tuple[Recording, RecordedCall | UserWords]]:
    """The calls and words of a recording, in order, each with the recording as known by then. Raises SessionError."""
    recording = Recording()
    try:
        if path.stat().st_size > LARGEST:
            raise SessionError(f"{path} is larger than {LARGEST:,} bytes", "split it")
        with path.open("rb") as file:
            for step in recording.steps(_messages(file.read()) if path.suffix == ".json" else file):
                yield recording, step
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror}", "name a session or a .jsonl file") from None


def _messages(data: bytes) -> list[bytes]:
    """The messages of a recording that is one JSON value: a list, or an object with ``messages``; else nothing."""
    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        return []
    held = held.get("messages") if isinstance(held, dict) else held
    return [json.dumps(message).encode() for message in held] if isinstance(held, list) else []


def recordings(project: Project, names: Sequence[str], *, every: bool = False) -> tuple[Path, ...]:
    """The recordings that a person means: session ids, files, folders; ``every`` adds this project's own.

    Raises SessionError.
    """
    found: list[Path] = sorted(filter(Path.is_file, project.place.sessions.glob("*.jsonl"))) if every else []
    for name in filter(str.strip, names):
        path = Path(name).expanduser()
        if path.is_dir():
            found += sorted(one for one in (*path.rglob("*.jsonl"), *path.rglob("*.json")) if one.is_file())
        else:
            found.append(path if path.is_file() else path_of(project.place.sessions, name))
    return tuple(dict.fromkeys(found))


def learn(project: Project, path: Path, *, sure: bool = False) -> RecordingResult:
    """Save the failures of a recording and their fixes in memory; each recording counts once.

    A recording of another folder is skipped unless a person is ``sure`` of it. Raises SessionError, StoreError.
    """
    mark, numbers = _key(path), project.counters.read()
    size = path.stat().st_size if path.is_file() else 0
    if numbers.get(mark, {}).get("bytes", 0) >= size > 0:
        return RecordingResult(path.name, skipped="known already")
    if _remembered_live(path):
        return RecordingResult(path.name, skipped="remembered while it ran")
    done = _learn_steps(project, path, sure=sure)
    if not done.skipped:
        project.counters.bump(mark, project.store.now(), bytes=size - numbers.get(mark, {}).get("bytes", 0))
    return done


def _key(path: Path) -> str:
    """The key of a recording: its name and a hash of its beginning, which stays the same while it grows."""
    try:
        with path.open("rb") as file:
            return f"learnt {path.name} {hashed(file.read(BEGINNING))}"
    except OSError:
        return f"learnt {path.name}"


@dataclass(slots=True)
class RecordedFiles:
    """The content hashes of files at the current step of a recording, as far as it tells them."""

    root: str
    held: dict[str, str] = field(default_factory=dict)

    def digest_of(self, path: str) -> str:
        """The content hash of a file at that step; empty for no file, UNKNOWN when it was not recorded."""
        return self.held.get(path, UNKNOWN)

    def before(self, content: Content) -> str | None:
        """The content hash of a file before a change."""
        known = self.held.get(self.path(content.path))
        return known if content.before is None else content.before

    def after(self, step: RecordedCall) -> None:
        """Take in a step: the hashes it tells, and that a command may have changed any file."""
        if step.kind == "command" and not only_looks(step.command):
            self.held.clear()
        for path in step.paths if step.kind == "edit" else ():
            self.held.pop(self.path(path), None)
        for content in step.contents if step.failed is not True else ():
            if content.after is not None:
                self.held[self.path(content.path)] = content.after

    def path(self, name: str) -> str:
        """A path relative to the root, as the memory uses it."""
        return name.removeprefix(f"{self.root}/").removeprefix("./")


def _learn_steps(project: Project, path: Path, *, sure: bool) -> RecordingResult:
    """Feed a recording step by step to the watch of failures, with its own clock and file hashes."""
    watch: Watch | None = None
    files = RecordedFiles(str(project.root))
    when = [project.store.now()]
    store = replace(project.store, now=lambda: when[0])
    changes: Counter[str] = Counter()
    for recording, step in steps_of(path):
        if isinstance(step, UserWords):
            continue
        root = recording.root or str(project.root)
        if watch is None and not sure and Path(root).name != project.root.name:
            return RecordingResult(path.name, skipped=f"of another folder: {root}")
        files.root, when[0] = root, moment(recording.at) or when[0]
        watch = watch or Watch(MemoryPorts(store, project.counters, files.digest_of), root, path.stem)
        changes["steps"] += 1
        changes.update(_take_in(watch, step, files))
    if not changes["steps"]:
        return RecordingResult(path.name, skipped="it holds no calls")
    failed = changes["new"] + changes["again"] + changes["flaky"]
    return RecordingResult(path.name, changes["steps"], failed, changes["new"], changes["resolved"])


def _take_in(watch: Watch, step: RecordedCall, files: RecordedFiles) -> list[str]:
    """Take in one recorded call; the changes to memory that it caused."""
    if step.kind == "edit" and step.failed is False:
        contents = {files.path(content.path): content for content in step.contents}
        for path in dict.fromkeys((*map(files.path, step.paths), *contents)):
            content = contents.get(path, Content(path))
            watch.edited(path, content.diff, files.before(content))
    facts = command_facts(step, files.root)
    found = [news.change for news in watch.ran(facts)] if facts else []
    files.after(step)
    return found


def _remembered_live(path: Path) -> bool:
    """Whether one of our own logs shows that its failures were remembered while it ran."""
    try:
        with path.open("rb") as file:
            return any(b'"type":"recorded"' in line and b'"kind":"failure"' in line for line in file)
    except OSError:
        return False
