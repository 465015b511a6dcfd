"""The user's own checks: commands that run automatically after an edit and at the end of a turn with edits."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.event_stream import map_events
from ctxe.agent.state import State
from ctxe.config.values import CheckSettings
from ctxe.domain.conversation import Step, ToolCall
from ctxe.domain.events import Event, Noted, Notice, ToolFinished, ToolStarted
from ctxe.domain.pattern import pattern
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Action, Tool
from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.globs import matches
from ctxe.project.session.calls import automatic_dispatcher
from ctxe.terminal.figures import plural
from ctxe.tools.jobs import Jobs

RULE = pattern(r"(?P<glob>\S+):\s+(?P<command>\S.*)", re.DOTALL)
FILES = "{files}"
TURN_SECONDS = 600
MOST_FILES = 100
"""Most files that one step edits; more come from a checkout or an installation, not from edits."""
Stamp = tuple[int, int]
"""A file's size in bytes and its modification time in nanoseconds."""
GONE: Stamp = (-1, 0)


@dataclass(slots=True)
class Checks:
    """Runs the checks; a port of the agent loop (``Ports.check``).

    ``runs`` gives the dispatcher, ``shell`` is the tool for commands: it uses the sandbox of the model's own commands,
    since checks run code that the model wrote. ``written`` gives the paths that this turn's tools changed, commands
    included.

    ``rounds`` counts how often the model was sent back in this turn. ``due``: something was edited since the turn's
    check last ran. ``background`` is the job that the turn's check became, until its result is known from ``jobs``.
    ``stamps`` holds those of changed files when they were last looked at.
    """

    settings: CheckSettings
    root: Path
    shell: Tool
    runs: Callable[[], Dispatcher]
    written: Callable[[], Sequence[str]]
    jobs: Jobs
    count: int = 0
    rounds: int = 0
    due: bool = False
    background: int = 0
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def __call__(self, state: State) -> Generator[Event, None, bool]:
        """Run the checks for the newest step; True when the turn's check failed and the model has to fix it."""
        if not (self.settings.edits or self.settings.turn):
            return False
        steps = state.turn.steps
        if len(steps) == 1:
            self.rounds, self.due = 0, self.due and _was_steered(state)
            self.stamps.clear()
        edited = self._edited(steps[-1])
        self.due = self.due or bool(edited) or self._failed_in_background()
        if steps[-1].reply.calls or steps[-1].reply.dropped:
            yield from self._check_edits(edited)
            return False
        if not (self.settings.turn and self.due):
            return False
        self.due = False
        chunk = yield from self._run_check(self.settings.turn, TURN_SECONDS)
        if self.background:
            yield Notice(f"the check goes on as job {self.background}: it has not passed yet")
        if chunk is None:
            return False
        if self.rounds >= self.settings.rounds:
            yield Notice(
                f"{self.settings.turn} still fails after {plural(self.rounds, 'round')}; the turn ends", "warning"
            )
            return False
        self.rounds += 1
        yield Noted((chunk,))
        return True

    def _failed_in_background(self) -> bool:
        """Has the turn's check failed in the background? Then it is due again."""
        passed = self.jobs.has_succeeded(self.background) if self.background else None
        if passed is None:
            return False
        self.background = 0
        return not passed

    def _edited(self, step: Step) -> tuple[str, ...]:
        """Paths that a step edited, with an editing tool or by a command."""
        edited = dict.fromkeys(_edited_paths(step))
        if any(call.name == self.shell.name for call in step.reply.calls):
            edited |= dict.fromkeys(path for path in self.written() if self._stamp(path) != self.stamps.get(path))
        self.stamps |= {path: self._stamp(path) for path in edited}
        return tuple(edited)

    def _stamp(self, path: str) -> Stamp:
        with contextlib.suppress(OSError):
            seen = (self.root / path).lstat()
            return seen.st_size, seen.st_mtime_ns
        return GONE

    def _check_edits(self, edited: Sequence[str]) -> Iterator[Event]:
        """Run the edit checks that match these files; the model gets each failure as a note after the step."""
        paths = [path for path in edited if (self.root / path).is_file()] if len(edited) <= MOST_FILES else []
        for command in commands(self.settings.edits, paths):
            if (chunk := (yield from self._run_check(command))) is not None:
                yield Noted((chunk,))

    def _run_check(self, command: str, seconds: int = 0) -> Generator[Event, None, Chunk | None]:
        """Run a check, shown and logged like a tool call; a chunk about its failure, None when it passed."""
        self.count += 1
        tool = replace(self.shell, prepare=partial(_titled, self.shell))
        runs = automatic_dispatcher(self.runs(), tool)
        failed: list[Chunk] = []
        self.background = 0 if seconds else self.background
        arguments: dict[str, object] = {"command": command} | ({"seconds": seconds} if seconds else {})

        def marked(event: Event) -> Iterator[Event]:
            if not isinstance(event, ToolFinished):
                yield replace(event, by="your settings") if isinstance(event, ToolStarted) else event
                return
            yield replace(event, facts={**event.facts, "by": "check"})
            if seconds and isinstance(job := event.facts.get("job"), int):
                self.background = job
            if not event.result.ok:
                ran = runs.clean(command)
                note = f"[ctxe: a check of the user's failed after your change: `{ran}`; fix it]"
                failed.append(Chunk(f"check {ran}", f"{note}\n{event.result.text}", "a check of yours failed"))

        yield from map_events(runs(ToolCall(f"check_{self.count}", tool.name, json.dumps(arguments))), marked)
        self.stamps |= {path: self._stamp(path) for path in self.written()}  # a check's own writes are not edits
        return failed[0] if failed else None  # returned last, so that an interrupt follows the check's result


def commands(rules: Sequence[str], paths: Sequence[str]) -> Iterator[str]:
    """The commands that rules ("GLOB: COMMAND", or a command for every file) demand after these files were edited."""
    for rule in rules:
        found = RULE.fullmatch(rule.strip())
        glob, command = (found["glob"], found["command"]) if found else ("**", rule.strip())
        if fitting := [path for path in paths if matches(path, [glob])]:
            yield command.replace(FILES, shlex.join(fitting))


def _was_steered(state: State) -> bool:
    """Did this turn begin with words entered while the model worked? Then its earlier edits are still unchecked."""
    turns = state.conversation.turns
    return len(turns) > 1 and turns[-2].outcome == "steered"


def _edited_paths(step: Step) -> tuple[str, ...]:
    touches = (touch for result in step.results for touch in result.touches)
    return tuple(dict.fromkeys(touch.path for touch in touches if touch.operation != "read"))


def _titled(shell: Tool, arguments: Mapping[str, Any]) -> Action:
    action = shell.prepare(arguments)
    return replace(action, title=action.title.replace("run ", "check ", 1))
