"""A failure of one session is reported in the next before the call repeats it, with its fix."""

from __future__ import annotations

import itertools
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ctxe.project import Project
from ctxe.project.memory.failures import failure_groups
from tests.e2e.harness import KEY, Terminal, ctxe, environment, git, openai_at, repository
from tests.wire.script import Entry
from tests.wire.server import Answer, Call, Reply, WireServer, failure

TEST = "pytest tests/test_x.py"
PLUGINS = "-p no:cacheprovider -p no:hypothesispytest -p no:xdist -p no:xdist.looponfail -p no:anyio"
"""Without the plugins of ctxe's own tests pytest starts in half the time."""
RIGHT = "pytest -p plug tests/test_x.py"
FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef db():\n    return 1\n"
WRONG = [Reply("Testing.", [Call("run_command", {"command": TEST})])]
CORRECTED = [*WRONG, Reply("The plugin.", [Call("run_command", {"command": RIGHT})]), Reply("It passes.")]
EDITED = [
    *WRONG,
    Reply("A fixture.", [Call("write_file", {"path": "tests/conftest.py", "text": FIXTURE})]),
    *WRONG,
    Reply("It passes."),
]
BIG = "\n".join(f"line {n} of a file that fills the window {'word ' * (n % 9)}" for n in range(900))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    files = {
        "tests/test_x.py": "def test_db(db):\n    assert db\n",
        "plug.py": FIXTURE,
        "pytest.ini": f"[pytest]\npythonpath = .\naddopts = {PLUGINS}\n",
        "big.txt": BIG,
        ".gitignore": "__pycache__\n",
    }
    return repository(tmp_path / "repo", files)


@pytest.fixture(autouse=True)
def allowed(home: Path) -> None:
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text('[approval]\nallow = ["tool:run_command", "tool:write_file"]\n')


def talk(home: Path, repo: Path, script: Sequence[Entry], *more: str, words: str = "run the tests") -> list[Any]:
    """One session in a process of its own; the requests it sent."""
    with WireServer(list(script), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}, "chat", "-p", words, *more)
        assert (done.code, server.refused) == (0, []), done.err
        return server.bodies


def results(body: Mapping[str, Any]) -> list[str]:
    """What tools said to the model, as the last request of a session has it."""
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def listed(home: Path, repo: Path) -> list[tuple[str, int, str]]:
    """Every failure that is remembered, as its files tell now: status, count and fix."""
    found = failure_groups(Project.open(repo, environment(home)))
    return [(group.status, group.seen, group.fix) for group in found]


def told(home: Path, repo: Path, *more: str) -> str:
    """What a new session answers to the same wrong step."""
    return results(talk(home, repo, [*WRONG, Reply("I see.")], *more)[-1])[-1]


def says_before(said: str, fix: str) -> bool:
    return "was not run" in said and "FixtureLookupError: fixture 'db' not found" in said and fix in said


FIX = "`-p plug`"


def test_a_known_failure_is_reported_before_the_next_session_repeats_it(home: Path, repo: Path) -> None:
    first = talk(home, repo, CORRECTED)
    assert "fixture 'db' not found" in results(first[-1])[0]
    assert "[exit 0" in results(first[-1])[1]
    fix = f"run `{RIGHT}` instead (with `-p plug`)"
    assert listed(home, repo) == [("resolved", 1, fix)]
    assert says_before(told(home, repo), fix)
    assert listed(home, repo) == [("resolved", 2, fix)]
    env = environment(home)
    (failure,) = ctxe(repo, env, "failures", "list", "--json").json
    assert (failure["status"], failure["seen"], failure["fix"]) == ("resolved", 2, fix)
    moments = ctxe(repo, env, "failures", "show", failure["id"], "--json").json["timeline"]
    assert [(one["turn"], one["step"], one["says"]) for one in moments] == [
        (1, 1, "failure noted"),
        (1, 2, "failure resolved"),
        (1, 1, "repeat prevented"),
    ]
    counted = ctxe(repo, env, "failures", "stats", "--json").json
    assert [counted[name] for name in ("failures", "seen", "prevented", "repeats")] == [1, 2, 1, 0]


def test_a_call_asked_for_again_runs_and_the_gate_can_be_switched_off(home: Path, repo: Path) -> None:
    talk(home, repo, CORRECTED)
    twice = results(talk(home, repo, [*WRONG, *WRONG, Reply("I see.")])[-1])
    assert ["was not run" in said for said in twice] == [True, False]
    assert "[exit 1" in twice[1]
    off = results(talk(home, repo, [*WRONG, Reply("I see.")], "--no-memory")[-1])
    assert ["[exit 1" in said and "was not run" not in said for said in off] == [True]


def test_a_failure_visible_in_the_session_adds_no_note(home: Path, repo: Path) -> None:
    note = "this failure was met before"
    other = Reply("Another file.", [Call("write_file", {"path": "other.py", "text": "x = 1\n"})])
    with WireServer([*WRONG, Reply("It fails."), other, *WRONG, Reply("Still.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        path = {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
        ctxe(repo, env | path, "chat", stdin="run the tests\nand with another file?\n")
        shown = results(server.bodies[-1])
    assert len(shown) == 3
    assert not any(note in one or "was not run" in one for one in shown)
    bodies = talk(home, repo, [*WRONG, Reply("Known.")])
    assert note in str(bodies[-1])


def test_a_failure_fixed_by_an_edit_is_reported_only_once_the_edit_is_gone(home: Path, repo: Path) -> None:
    talk(home, repo, EDITED)
    ((status, seen, fix),) = listed(home, repo)
    assert (status, seen, fix) == ("resolved", 1, "edited tests/conftest.py: added `import pytest`")
    assert "[exit 0" in told(home, repo)
    (repo / "tests/conftest.py").unlink()
    assert says_before(told(home, repo), fix)
    assert listed(home, repo) == [("resolved", 2, fix)]


def test_a_known_failure_is_reported_after_ten_folds(home: Path, repo: Path) -> None:
    talk(home, repo, CORRECTED)
    looks = [[Reply("", [Call("run_command", {"command": f"cat big.txt # {n}"})]), Reply("Seen.")] for n in range(10)]
    lines = [line for n in range(10) for line in (f"look at it, {n}", "/compact")]
    with WireServer([*itertools.chain(*looks), *WRONG, Reply("I see.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", stdin="\n".join([*lines, "run the tests"]))
        assert (done.code, server.refused) == (0, []), done.err
        last = server.bodies[-1]
    logs = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert sum(log.read_text().count('"type":"folded"') for log in logs) == 10
    assert says_before(results(last)[-1], f"run `{RIGHT}` instead")
    assert listed(home, repo)[0][1] == 2


def test_a_known_failure_is_reported_after_the_folder_was_renamed(home: Path, repo: Path) -> None:
    talk(home, repo, CORRECTED)
    moved = Path(shutil.move(repo, repo.parent / "renamed"))
    assert says_before(told(home, moved), f"run `{RIGHT}` instead")
    assert [(status, seen) for status, seen, _ in listed(home, moved)] == [("resolved", 2)]


def test_a_known_failure_is_reported_after_merging_two_branches_that_recorded_it(home: Path, repo: Path) -> None:
    ctxe(repo, environment(home), "init")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "Begin to remember")
    for branch in ("one", "two"):
        git(repo, "checkout", "-qb", branch, "main")
        talk(home, repo, CORRECTED)
        git(repo, "add", "-A")
        git(repo, "commit", "-qm", branch)
    git(repo, "merge", "-q", "-m", "Join", "one")
    assert len(list((repo / ".ctxe/failures").glob("*.md"))) == 2
    assert [(status, seen) for status, seen, _ in listed(home, repo)] == [("resolved", 2)]
    assert says_before(told(home, repo), f"run `{RIGHT}` instead")
    assert [(status, seen) for status, seen, _ in listed(home, repo)] == [("resolved", 3)]


def test_a_call_repeated_with_nothing_changed_is_answered_and_one_after_a_change_runs(home: Path, repo: Path) -> None:
    edit = Reply("Try.", [Call("write_file", {"path": "notes.txt", "text": "x\n"})])
    look = Reply("Look.", [Call("run_command", {"command": "git status --short"})])
    said = results(talk(home, repo, [*WRONG, look, *WRONG, edit, *WRONG, Reply("I give up.")])[-1])
    assert ["was not run again" in one for one in said] == [False, False, True, False, False]
    # A slow run says its seconds too, [exit 1, 6 s]; output that is the same to the byte is not told twice.
    ran = [one.rpartition("\n")[2].startswith("[exit 1") or "as they stand above" in one for one in said]
    assert ran == [True, False, False, False, True], said


def test_user_corrections_undone_turns_and_failed_edits_are_recorded_as_failures(home: Path, repo: Path) -> None:
    (home / ".config/ctxe/config.toml").write_text('[approval]\nmode = "auto-edit"\n')
    steps = [
        Reply("", [Call("write_file", {"path": "a.py", "text": "x = 1\n"})]),
        Reply("Written."),
        Reply("", [Call("edit_file", {"path": "a.py", "old": "y = 1", "new": "y = 2"})]),
        Reply("", [Call("edit_file", {"path": "a.py", "old": "z = 1", "new": "z = 2"})]),
        Reply("", [Call("edit_file", {"path": "a.py", "old": "x = 1", "new": "x = 2"})]),
        Reply("Done."),
    ]
    with WireServer(steps, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", stdin="write a.py\nno, two is what I want\n/undo\n")
        assert (done.code, server.refused) == (0, []), done.err
    found = ctxe(repo, environment(home), "failures", "list", "--json").json
    assert sorted((one["title"][:40], one["status"], one["fix"]) for one in found) == [
        ("`edit_file a.py`: old is not in a.py", "resolved", "read a.py again, then edited it"),
        ("an edit of a.py was taken back", "resolved", ""),
        ("the user corrected: no, two is what I wa", "resolved", "no, two is what I want"),
    ]


def test_invalid_arguments_and_context_overflows_are_not_recorded_as_failures(home: Path, repo: Path) -> None:
    (home / ".config/ctxe/config.toml").write_text('[approval]\nmode = "auto-edit"\n')
    long = Answer(400, failure("This model's maximum context length is 8192 tokens", "context_length_exceeded"))
    steps: list[Entry] = [
        Reply("", [Call("edit_file", {"path": "tests/conftest.py", "old": "a", "new": "b"})]),
        Reply("", [Call("edit_file", {"path": "tests/conftest.py", "gone": 1})]),
        Reply("", [Call("edit_file", {"path": "tests/conftest.py", "gone": 1, "more": 2})]),
        Reply("", [Call("write_file", {"path": "a.py", "text": "x = 1\n"})]),
        Reply("", [Call("edit_file", {"path": "a.py", "old": "y = 1", "new": "y = 2"})]),
        Reply("", [Call("edit_file", {"path": "a.py", "old": "x = 1", "new": "x = 2"})]),
        long,
        long,
    ]
    with WireServer(steps, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "go")
        assert (done.code, server.left) == (5, 0), done.err
    assert ctxe(repo, environment(home), "failures", "list", "--json").json == []


def test_a_resumed_session_knows_what_failed_in_it(home: Path, repo: Path) -> None:
    talk(home, repo, [*WRONG, Reply("Hm.")])
    again = [*WRONG, *WRONG, Reply("I see.")]
    said = results(talk(home, repo, again, "-c", words="once more")[-1])
    assert ["was not run again" in one for one in said] == [False, True, False]
    assert "FixtureLookupError: fixture 'db' not found" in said[1]
    assert listed(home, repo) == [("open", 3, "")]
    said = results(talk(home, repo, [*WRONG, Reply("I see.")], "-c", words="and again")[-1])
    assert "was not run again" in said[-1]
    # That answer was given in the process before: the model insists, and the call runs.
    said = results(talk(home, repo, [*WRONG, Reply("I see.")], "-c", words="insist")[-1])
    assert "was not run" not in said[-1]
    # Somebody repaired it while the session was away, in a file that the model never saw.
    (repo / "tests/conftest.py").write_text(FIXTURE)
    said = results(talk(home, repo, [*WRONG, Reply("It passes.")], "-c", words="and now")[-1])
    assert "[exit 0" in said[-1]
    assert [(status, seen) for status, seen, _ in listed(home, repo)] == [("resolved", 5)]


def test_a_fix_after_a_resume_resolves_the_failure_before_it(home: Path, repo: Path) -> None:
    talk(home, repo, [*EDITED[:2], Reply("Wait.")])
    talk(home, repo, [*WRONG, Reply("It passes.")], "-c", words="test it")
    assert listed(home, repo) == [("resolved", 1, "edited tests/conftest.py: added `import pytest`")]
    (repo / "tests/conftest.py").unlink()
    assert says_before(told(home, repo), "edited tests/conftest.py")


def test_failure_notes_stand_word_for_word_after_ten_folds(home: Path, repo: Path) -> None:
    env = environment(home)
    add = ("failures", "add", "Builds need the network", "--error", "ConnectError: no route", "--command", "make build")
    ctxe(repo, env, *add)
    wrong = ("failures", "add", "Rounding of invoices breaks with floats", "--error", "AssertionError: 0.30000000004")
    ctxe(repo, env, *wrong, "--fix", "use Decimal in invoices.py")
    ctxe(repo, env, "decisions", "add", "Invoices are rounded half to even, like the bank does")
    looks = [[Reply("", [Call("run_command", {"command": f"cat big.txt # {n}"})]), Reply("Seen.")] for n in range(10)]
    looks[4].insert(0, *CORRECTED[:1])
    looks[4].insert(1, CORRECTED[1])
    words = [f"look at it, {n}" for n in range(10)]
    words[2] = "why is the rounding of invoices broken with floats?"
    lines = [line for one in words for line in (one, "/compact")]
    with WireServer([*itertools.chain(*looks), Reply("Here.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url)) | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
        done = ctxe(repo, env, "chat", stdin="\n".join([*lines, "what do you still know?"]))
        assert (done.code, server.refused) == (0, []), done.err
        first, asked, last = server.bodies[0], server.bodies[4], server.bodies[-1]
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert log.read_text().count('"type":"folded"') == 10

    def said(body: Mapping[str, Any]) -> str:
        parts = [message["content"] for message in body["messages"] if message.get("content")]
        return "\n".join(
            part if isinstance(part, str) else "\n".join(block.get("text", "") for block in part) for part in parts
        )

    (standing,) = (line for line in said(first).splitlines() if "Builds need the network" in line)
    assert standing in said(last).splitlines()
    fences = re.findall(r"<memory .*?</memory>", said(asked), re.DOTALL)
    recalled = [fence for fence in fences if "rounded half" in fence or "use Decimal in invoices.py" in fence]
    assert len(recalled) >= 2
    assert all(fence in said(last) for fence in recalled)
    assert f"fix: run `{RIGHT}` instead" in said(last)


def test_gate_stop_asks_the_user_and_shows_the_failure_and_its_fix(home: Path, repo: Path) -> None:
    talk(home, repo, CORRECTED)
    with (home / ".config/ctxe/config.toml").open("a") as file:
        file.write('[failures]\ngate = "stop"\n')
    with WireServer([*WRONG, Reply("I leave it."), *WRONG, Reply("It ran.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("run the tests")
            fix = f"fix: run `{RIGHT}` instead"
            terminal.wait(lambda screen: "failed before: " in screen and fix in " ".join(screen.split()))
            terminal.type("n\r")
            terminal.wait("I leave it.")
            terminal.enter("run them all the same")
            terminal.wait(lambda screen: screen.count("failed before: ") == 2)
            terminal.type("y\r")
            terminal.wait("It ran.")
        assert server.refused == []
        refused, ran = results(server.bodies[1])[-1], results(server.bodies[-1])[-1]
    assert refused.startswith("not permitted: the user said no")
    assert f"fix: run `{RIGHT}` instead" in refused
    assert "Call it again" not in refused
    assert "[exit 1" in ran
