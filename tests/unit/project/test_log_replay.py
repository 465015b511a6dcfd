"""A resumed session knows what it knew before: failures, notes given, entries cited."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.state import State
from ctxe.agent.transitions import apply, rebuild
from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Touch
from ctxe.domain.events import Event, Kept, ReplyReceived, StepFinished, ToolFinished, TurnFinished, TurnStarted
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.tool import Action, KnownFailure, Risk
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures.gate import Gate
from ctxe.knowledge.failures.pairing import Watch
from ctxe.project.secret_guards import secret_masker
from ctxe.project.session.memory.log_replay import Timed, catch_up, changed_since
from ctxe.project.session.memory.memory_credits import MemoryCredits
from ctxe.project.session.memory.memory_listener import MemoryListener
from ctxe.project.session.memory.other_calls import OtherCalls
from ctxe.project.session.memory.session_gate import SessionGate
from ctxe.repo.git import Git
from ctxe.storage.counters import Counters
from tests.e2e.harness import repository

NOON = 1_795_262_400.0
FAILED = {"exit_code": 1, "error": {"class": "ValueError", "message": "bad", "file": "", "line": 0}}
PASSED = {"exit_code": 0, "tests": {"passed": 3, "failures": 0}}


class Sitting:
    """One process that a session lives in; ``past`` is what its log says so far."""

    def __init__(self, folder: Path, past: Sequence[Timed] = ()) -> None:
        base, chance = folder / ".ctxe", (f"{n:016x}" for n in itertools.count())
        self.past: list[Timed] = list(past)
        self.store = Store(base, base / "cache", lambda: NOON, lambda _size: next(chance), mask=secret_masker(()))
        self.counters = Counters(base / "cache" / "counters.db")
        digest_of, git = (
            lambda path: "aa" * 6 if (folder / path).exists() else "",
            Git(folder, {"PATH": os.environ["PATH"]}),
        )
        self.session_gate = SessionGate(Gate(), "tell", str(folder), digest_of, changed_since=changed_since(git))
        self.memory = MemoryPorts(self.store, self.counters, digest_of)
        watch = Watch(self.memory, str(folder), "s1", self.session_gate.gate)
        self.listener = MemoryListener(
            self.memory, watch, "s1", self.session_gate, OtherCalls(watch, self.session_gate, "s1")
        )
        self.memory_credits = MemoryCredits(self.memory)
        self.state: State = rebuild(event for _, event in past)
        catch_up(past, self.memory, self.listener, self.memory_credits)

    def hear(self, *events: Kept, at: str = "2026-11-21T12:00:00.000Z") -> list[Event]:
        told: list[Event] = []
        for event in events:
            self.past.append((at, event))
            self.state = apply(self.state, event)
            told += [*self.listener(event, self.state), *self.memory_credits(event, self.state)]
        return told

    def ran(self, command: str, facts: dict[str, Any], name: str = "c") -> list[Event]:
        call = ToolCall(name, "run_command", json.dumps({"command": command}))
        result = ToolResult(name, "", ok=facts["exit_code"] == 0)
        ended = ToolFinished(result, "run_command", command, facts={"command": command, **facts})
        return self.hear(ReplyReceived(Reply("", (call,), "tools")), ended, StepFinished(1))

    def asked(self, command: str) -> KnownFailure | None:
        arguments = json.dumps({"command": command})
        action = Action("run_command", command, Risk.EXECUTE, lambda: iter(()), command=command, arguments=arguments)
        return self.session_gate.known_failure(action)


def test_a_key_in_a_message_or_reply_never_enters_the_daily_log(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path)
    key = "ghp_" + "a1B2" * 9
    words = f"push with {key}, " + "please " * 23 + key
    sitting.hear(TurnStarted(words), ReplyReceived(Reply(f"I used {key}.")), StepFinished(1), TurnFinished("answered"))
    (day,) = (tmp_path / ".ctxe" / "daily").iterdir()
    assert day.read_text().count("‹secret: GitHub token›") == 2
    assert "ghp_" not in day.read_text()


def test_failures_and_attempts_are_known_after_a_resume_and_not_written_twice(tmp_path: Path) -> None:
    first = Sitting(tmp_path)
    first.hear(TurnStarted("make it pass"))
    for number in (1, 2):
        first.ran("pytest", FAILED, f"r{number}")
        touch = Touch("a.py", "create" if number == 1 else "edit", f"{number:012x}")
        call = ToolCall(f"e{number}", "write_file", "{}")
        edited = ToolFinished(ToolResult(f"e{number}", "", touches=(touch,)), "write_file", display=f"+x = {number}")
        first.hear(ReplyReceived(Reply("", (call,), "tools")), edited, StepFinished(2))
    first.hear(TurnFinished("answered"))
    before = {path: path.read_bytes() for path in (tmp_path / ".ctxe").rglob("*.md")}
    counted = first.counters.read()

    second = Sitting(tmp_path, first.past)
    assert {path: path.read_bytes() for path in (tmp_path / ".ctxe").rglob("*.md")} == before
    assert second.counters.read() == counted
    told = second.ran("pytest", FAILED)
    assert [type(event).__name__ for event in told] == ["Recorded", "Noted"]
    (entry,) = (entry for entry in second.store.entries() if entry.kind == "failure")
    assert entry.tried == "edited a.py: added `x = 1`; edited a.py: added `x = 2`"
    (tmp_path / "a.py").write_text("x = 3\n")
    second.ran("pytest", PASSED)
    (entry,) = (entry for entry in second.store.entries() if entry.kind == "failure")
    assert (entry.status, entry.fix, entry.state) == ("resolved", "edited a.py: added `x = 2`", ("a.py@",))


def test_a_failed_call_is_answered_after_a_resume_only_while_the_files_are_unchanged(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {"a.py": "x = 1\n", "sub/b.py": "y = 1\n"})
    first = Sitting(repo)
    first.hear(TurnStarted("test it"))
    first.ran("pytest", FAILED)
    left = [("" if at == "" else f"{time.time() + 0.1:.3f}", event) for at, event in first.past]
    time.sleep(0.2)
    assert (known := Sitting(repo, left).asked("pytest")) is not None
    assert (known.way, "in this session and nothing has changed since" in known.message) == ("answer", True)
    assert Sitting(repo, [("", event) for _, event in left]).asked("pytest") is None
    (repo / "sub/b.py").write_text("y = 2\n")
    os.utime(repo / "sub/b.py", (1, 1))
    assert Sitting(repo, left).asked("pytest") is None


@pytest.mark.parametrize("change", ["write", "make", "remove", "rename"])
def test_any_change_of_the_tree_is_noticed(tmp_path: Path, change: str) -> None:
    repo = repository(tmp_path / "repo", {"a.py": "x = 1\n", "sub/b.py": "y = 1\n", ".gitignore": "*.log\n"})
    time.sleep(0.02)
    changed, now = changed_since(Git(repo, {"PATH": os.environ["PATH"]})), time.time()
    time.sleep(0.02)
    assert not changed(now)
    place = repo / "sub/b.py"
    if change == "write":
        place.write_text("y = 1\n")
    elif change == "make":
        (repo / "sub/new.py").write_text("")
    elif change == "remove":
        place.unlink()
    else:
        place.rename(repo / "sub/c.py")
    assert changed(now)


def test_a_failed_edit_is_forgotten_once_another_change_happened(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    arguments = json.dumps({"path": "a.py", "old": "y", "new": "z"})
    call = ToolCall("e", "edit_file", arguments)
    failed = ToolFinished(ToolResult("e", "old is not in a.py", ok=False), "edit_file", "edit a.py")
    first = Sitting(tmp_path)
    first.hear(TurnStarted("edit"), ReplyReceived(Reply("", (call,), "tools")), failed, StepFinished(1))
    edit = Action("edit_file", "edit a.py", Risk.WRITE, lambda: iter(()), paths=("a.py",), arguments=arguments)
    assert (known := first.session_gate.known_failure(edit)) is not None
    assert known.way == "answer"
    first.ran("sed -i s/x/y/ a.py", {"exit_code": 0})
    assert Sitting(tmp_path, first.past).session_gate.known_failure(edit) is None


def test_cited_entries_are_blamed_when_a_later_process_rejects_the_turn(tmp_path: Path) -> None:
    first = Sitting(tmp_path)
    name = first.store.add(Entry("", "routine", "Restart twice")).id
    section = Section("recalled", Priority.MEMORY, (Chunk(name, "Restart twice"),), "task", "memory")
    first.hear(TurnStarted("fix it", (section,)))
    first.ran("pytest", PASSED)
    first.hear(ReplyReceived(Reply(f"As {name} says.")), StepFinished(2), TurnFinished("answered"))
    second = Sitting(tmp_path, first.past)
    second.hear(TurnStarted("no, that's wrong"))
    held = second.counters.read([name])[name]
    assert (held["helpful"], held["harmful"]) == (1, 1)
    third = Sitting(tmp_path, second.past)
    assert list(third.memory_credits.discredit_turn(1)) == []
    assert third.counters.read([name])[name]["harmful"] == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"exit_code": "x", "command": 3, "error": ["no"], "tests": {"failed": 3}},
        {"exit_code": 1, "command": None, "error": {"line": {}, "file": 7}},
        {"repeats": {"a": 1}},
        {"exit_code": None, "by": [], "hidden": "yes", "tests": "all"},
        {"refused": 5},
    ],
)
def test_a_log_with_invalid_facts_is_resumed(tmp_path: Path, facts: dict[str, Any]) -> None:
    call = ToolCall("c", "run_command", "no json")
    ended = ToolFinished(ToolResult("other", "", ok=False), "run_command", facts=facts)
    past: list[Timed] = [
        ("when?", ended),
        ("", TurnStarted("test it")),
        ("99999", ReplyReceived(Reply("", (call,), "tools"))),
        ("nan", replace(ended, result=ToolResult("c", "it broke", ok=False))),
        ("", StepFinished(1)),
    ]
    assert Sitting(tmp_path, past).ran("pytest", FAILED) != []


@pytest.mark.parametrize("place", ["sub/b.py", ".venv/lib/python3.11/site-packages/respx", "node_modules/left-pad"])
def test_a_change_by_another_terminal_lets_a_failed_call_run_again(tmp_path: Path, place: str) -> None:
    repo = repository(
        tmp_path / "repo", {"a.py": "x = 1\n", "sub/b.py": "y = 1\n", ".gitignore": ".venv\nnode_modules\n"}
    )
    (repo / place).parent.mkdir(parents=True, exist_ok=True)
    time.sleep(0.02)
    sitting = Sitting(repo)
    sitting.memory.store = replace(sitting.store, now=time.time)
    sitting.hear(TurnStarted("test it"))
    sitting.ran("pytest", FAILED)
    time.sleep(0.02)
    assert (known := sitting.asked("pytest")) is not None
    assert known.way == "answer"
    assert (noted := sitting.asked("pytest")) is not None
    assert noted.way == "note"
    sitting.ran("pytest", FAILED)
    time.sleep(0.02)
    (repo / place).write_text("changed elsewhere\n")
    assert sitting.asked("pytest") is None


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("pip install respx", "ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out."),
        ("curl -sf localhost:8080/health", "curl: (7) Failed to connect to localhost port 8080: Connection refused"),
        ("git fetch origin", "fatal: unable to access 'x': Could not resolve host: x"),
        ("npm run dev", "Error: listen EADDRINUSE: address already in use :::3000"),
        ("apt-get install jq", "E: Could not get lock /var/lib/dpkg/lock-frontend"),
        ("git commit", "fatal: Unable to create '.git/index.lock': File exists."),
        ("docker ps", "Cannot connect to the Docker daemon. Is the docker daemon running?"),
        ("gh api x", "HTTP 503: Service Unavailable"),
        ("gh pr checks 12 --watch=false", ""),
    ],
)
def test_repeating_a_call_that_failed_for_an_outside_cause_is_allowed(
    tmp_path: Path, command: str, message: str
) -> None:
    repo = repository(tmp_path / "repo", {"a.py": "x = 1\n"})
    sitting = Sitting(repo)
    sitting.hear(TurnStarted("go"))
    error = {"class": "error", "message": message, "file": "", "line": 0}
    sitting.ran(command, {"exit_code": 1} | ({"error": error} if message else {}))
    assert sitting.asked(command) is None
