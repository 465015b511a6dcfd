"""What the user adds to a session besides words: files, pins, notes, a skill, a command of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

from ctxe.agent.event_stream import map_events
from ctxe.domain.conversation import ToolCall
from ctxe.domain.errors import ConfigError
from ctxe.domain.events import Choice, Event, FileChosen, Notice, Pinned, Queued, Recorded, ToolFinished
from ctxe.domain.pattern import pattern
from ctxe.domain.section import Chunk
from ctxe.domain.value import replace
from ctxe.knowledge.skills.page import PREFIX, skill_page
from ctxe.project.memory.memories import add_note
from ctxe.project.session.attachments import attach_pasted, attach_pictures
from ctxe.project.session.calls import by_user, user_dispatcher
from ctxe.project.session.live import Live
from ctxe.project.skills.finder import skill_named
from ctxe.project.window.compose import task_of
from ctxe.project.window.plan_source import steering_of
from ctxe.repo.planning.steering import Steering
from ctxe.tools.jobs import Job

AS_JOB = pattern(r"(?<=[^&\\])\s*(?<!&)&\s*\Z")
"""Matches the ``&`` at the end of a command that runs in the background, as in a shell."""
SHOWN = 40
"""Most lines of a job's output to show."""
LEAST_SKILL = 600
"""Tokens for a skill that the user asks for, however small the window."""


def pin(live: Live, text: str, *, pinned: bool = True) -> Iterator[Event]:
    """Pin a text so that every request holds it, or unpin it. API keys are removed first."""
    text, hidden = live.without_keys(text)
    for notice in hidden:
        yield from live.session.emit(notice)
    yield from live.session.emit(Pinned(text, pinned))
    if pinned:
        yield from queue(live, f"pin {len(live.session.state.pins)}", f"[the user pins this] {text}", "you pinned it")


def choose_file(live: Live, path: str, choice: Choice) -> Iterator[Event]:
    """Put a file into the context window with the next words (add, read-only), or take it off that list (drop).

    ``path`` is relative to the root, else to the user's folder. A dropped file stays out of plans, too. Raises
    ConfigError when there is no such file.
    """
    place, home = live.project.place, live.project.environment.get("HOME", "")
    path = home + path[1:] if home and path.startswith("~/") else path
    found = next((base / path for base in (place.root, place.working) if (base / path).is_file()), None)
    if found is None and not (choice == "drop" and path in dict(live.session.state.files)):
        raise ConfigError(f"no file {path}", "name a file of this project")
    path = os.path.relpath(found, place.root) if found else path
    if found and path.startswith("..") and choice != "drop":
        for event in attach_pictures(live.project, live.current_state, [found.resolve()]):
            yield from live.session.emit(event)
        return
    yield from live.session.emit(FileChosen(path, choice))


def paste(live: Live, data: bytes) -> Iterator[Event]:
    """Queue a picture from the clipboard, to be shown with the user's next words."""
    for event in attach_pasted(live.project, live.current_state, data):
        yield from live.session.emit(event)


def steering(live: Live, words: str) -> Steering:
    """How this session would steer a plan for these words. Files that the user added are always in the plan."""
    state = live.session.state
    found = steering_of(task_of(words, state), state.files)
    given = (path for path, choice in state.files if choice != "drop")
    return replace(found, added=tuple(dict.fromkeys((*given, *found.added))))


def queue(live: Live, name: str, text: str, why: str) -> Iterator[Event]:
    """Queue a text for the model, to be sent with the user's next words."""
    yield from live.session.emit(Queued((Chunk(name, text, why),)))


def read_page(live: Live, address: str, about: str) -> Iterator[Event]:
    """Read a web page for the user. It is sent with the next words, long pages only with the parts ``about`` these."""
    yield from map_events(live.pages.read(address, about), live.session.emit)


def run_for_user(live: Live, command: str) -> Iterator[Event]:
    """Run a command for the user; the model gets its output with the user's next words.

    The command is shown, logged and interruptible like a tool call of the model. With ``&`` at its end it runs as a
    job.
    """
    arguments: dict[str, object] = {"command": command}
    if AS_JOB.search(command):
        arguments = {"command": AS_JOB.sub("", command), "background": True}
    cleaned = live.kit.clean(command)
    live.undo.points.begin(f"!{cleaned}", len(live.session.state.conversation.turns))
    runs = user_dispatcher(live.parts.dispatcher, live.kit.shell)
    call = ToolCall(f"user_{live.session.log.count}", live.kit.shell.name, json.dumps(arguments))

    def kept(event: Event) -> Iterator[Event]:
        if not isinstance(event, ToolFinished):
            yield from live.session.emit(event)
            return
        yield from live.session.emit(by_user(event))
        yield from live.undo.points.end()
        yield from queue(live, f"$ {cleaned}", f"[the user ran `{cleaned}`]\n{event.result.text}", "you ran it")

    yield from map_events(runs(call), kept)


def stop_jobs(live: Live, number: str) -> list[str]:
    """Stop a job, or ``all``, for the user; the model is told with its next request. Raises ConfigError."""
    jobs = live.kit.jobs.running if number == "all" else [_job(live, number)]
    for job in jobs:
        job.running.stop("stopped by the user")
    return [f"job {job.number} {job.state}: {job.line}" for job in jobs] or ["no job runs"]


def show_job(live: Live, number: str) -> list[str]:
    """The newest lines of a job's output, cleaned as for the model. Raises ConfigError."""
    job = _job(live, number)
    text = live.kit.clean(job.running.since(0, whole=True)[0]).rstrip("\n")
    return [*text.splitlines()[-SHOWN:], f"job {job.number} {job.state}: {job.line}"]


def _job(live: Live, number: str) -> Job:
    known = live.kit.jobs.by_number
    job = known.get(int(number)) if number.isdecimal() else None
    if job is None:
        there = f"there are {', '.join(map(str, known))}" if known else "there are none"
        raise ConfigError(f"no job {number!r}" if number else "which job?", there)
    return job


def prompt(live: Live, name: str, words: list[str], give: Callable[[str], object]) -> Iterator[Event]:
    """Ask a server for one of its prompts; see Asking.prompt. Raises CtxeError."""
    yield from map_events(live.server_requests.prompt(name, words, give), live.session.emit)


def remember(live: Live, words: str) -> Iterator[Event]:
    """Save a note of the user's as a fact, and tell the model. Raises StoreError."""
    entry = add_note(live.project, words, live.session.id)
    yield from live.session.emit(Recorded("fact", entry.id, entry.title, "user", entry.path))
    yield from queue(live, entry.id, f"[remembered by the user] {words}", "you noted it")


def load_skill(live: Live, name: str) -> Iterator[Event]:
    """Queue a skill for the model, to be sent with the user's next words. Raises ConfigError."""
    skilled = live.kit.skills
    skill = skill_named(skilled.find(), name)
    if skill.name in skilled.held().visible:
        yield Notice(f"{skill.name} is loaded already")
        return
    text = skill_page(skill, max(live.composer.budget.room("skills"), LEAST_SKILL), live.composer.count)
    skilled.count_use(skill.name)
    yield from queue(live, f"{PREFIX}{skill.name}", live.kit.clean(text), "you asked for it")
    if skill.tools:
        asked = ", ".join(skill.tools[:6])
        yield Notice(f"{skill.name} asks for tools ({asked}): that gives no permission, you are asked as ever")
    yield Notice(f"{skill.name} ({live.composer.count(text):,} tokens) goes with your next words")
