"""Jobs: real background commands that are read, awaited and stopped; no output is lost and no process left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput
from ctxe.safety.running import background
from ctxe.tools import use_job
from ctxe.tools.jobs import MOST_RUNNING, Jobs
from ctxe.tools.shell import run_command
from tests.processes import gone, running

SERVER = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("starting")
print("Listening on", server.server_port, flush=True)
server.serve_forever()
"""
SAYS = (
    '[job 1 goes on; `use` job/1 reads what it prints next; with {"until": "TEXT", "seconds": N} it waits for a text '
    'or the end, with {"stop": true} it ends it]'
)


@pytest.fixture
def jobs(place: Any) -> Iterator[Jobs]:
    made = Jobs(place.root)
    yield made
    made.close()


def begin(place: Any, jobs: Jobs, command: str, **more: Any) -> ToolOutput:
    output = place.call(lambda workspace: run_command(workspace, jobs), command=command, background=True, **more)
    assert isinstance(output, ToolOutput)
    return output


def use(jobs: Jobs, name: str, **arguments: Any) -> ToolOutput:
    action = use_job.prepare(jobs, name, arguments)
    assert action is not None
    return done(action)


def done(action: Action) -> ToolOutput:
    *before, output = list(action.run())
    assert all(isinstance(item, Progress) for item in before)
    assert isinstance(output, ToolOutput)
    return output


def test_a_server_is_started_awaited_asked_and_stopped(place: Any, jobs: Jobs) -> None:
    place.put("serve.py", SERVER)
    place.put("hello.txt", "hello from the job\n")
    first = begin(place, jobs, "sleep 1; python3 serve.py", seconds=1)
    assert (first.text, first.ok, first.facts) == (SAYS, True, {"command": "sleep 1; python3 serve.py", "job": 1})
    there = use(jobs, "job/1", until="listening ON", seconds=20)
    port = there.text.split()[3]
    assert (there.text, there.facts) == (f"starting\nListening on {port}\n[job 1 still runs]", {"job": 1})
    ask = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/hello.txt').read().decode())"
    assert place.call(run_command, command=f'python3 -c "{ask}"').text == "hello from the job\n[exit 0]"
    assert '"GET /hello.txt HTTP/1.1" 200' in use(jobs, "job/1", until="200").text
    ended = use(jobs, "job/1", stop=True)
    assert (ended.text, ended.ok) == ("[job 1 ended: stopped]", True)
    assert ended.facts == {"job": 1, "command": "sleep 1; python3 serve.py", "ended": "stopped"}
    assert (jobs.running, jobs.unreported, running("python3\0serve.py")) == ([], [], [])


def test_a_job_that_ends_at_once_is_reported_like_a_command(place: Any, jobs: Jobs) -> None:
    output = begin(place, jobs, "echo broken >&2; exit 3")
    assert (output.text, output.ok) == ("broken\n[exit 3]", False)
    assert output.facts is not None
    assert (output.facts["exit_code"], "job" in output.facts) == (3, False)
    assert (jobs.by_number, jobs.unreported) == ({}, [])
    with pytest.raises(ToolError, match="there is no job 1; there are none"):
        use_job.prepare(jobs, "job/1", {})


def test_job_output_is_reported_once_and_in_whole_lines(place: Any, jobs: Jobs) -> None:
    begin(place, jobs, "echo one; sleep 1.2; echo two; printf three; sleep 1; echo; sleep 60")
    assert use(jobs, "job/1").text == "[nothing new; job 1 still runs]"
    assert use(jobs, "job/1", until="two", seconds=9).text == "two\n[job 1 still runs]"
    time.sleep(0.8)
    assert use(jobs, "job/1").text == "three\n[job 1 still runs]"
    waited = use(jobs, "job/1", seconds=1).text
    assert waited == "[nothing new; job 1 still runs after 1 s]"


def test_waiting_for_a_text_that_never_comes_times_out(place: Any, jobs: Jobs) -> None:
    begin(place, jobs, "echo ready; sleep 60")
    began = time.monotonic()
    assert use(jobs, "job/1", until="Ready", seconds=60).text == (
        "[nothing new; job 1 still runs after 3 s; 'Ready' did not come, it is in output you have seen already]"
    )
    assert time.monotonic() - began < 10
    assert use(jobs, "job/1", until="never", seconds=1).text == (
        "[nothing new; job 1 still runs after 1 s; 'never' did not come]"
    )


def test_a_wait_ends_with_the_job_and_a_failed_job_has_facts(place: Any, jobs: Jobs) -> None:
    place.put("p.py", "import time; time.sleep(1.5); raise ValueError('too late')")
    begin(place, jobs, "echo up; python3 p.py")
    output = use(jobs, "job/1", until="never", seconds=60)
    assert output.text.endswith("ValueError: too late\n[job 1 ended: exit 1]")
    assert output.ok is False
    assert output.facts is not None
    assert {**output.facts, "seconds": 0} == {
        "job": 1,
        "command": "echo up; python3 p.py",
        "exit_code": 1,
        "seconds": 0,
        "error": {"class": "ValueError", "message": "too late", "file": "p.py", "line": 1},
    }
    again = use(jobs, "job/1")
    assert (again.text, again.ok) == ("[job 1 ended: exit 1]", True), "it is told and counted once"
    assert again.facts == {"job": 1, "command": "echo up; python3 p.py"}


def test_a_job_that_ended_unseen_is_reported(place: Any, jobs: Jobs) -> None:
    begin(place, jobs, "echo up; sleep 1; seq 1 3; exit 4")
    assert jobs.unreported == []
    jobs.by_number[1].running.wait(10)
    assert jobs.unreported == [jobs.by_number[1]]
    output = done(use_job.end_action(jobs, jobs.by_number[1]))
    assert (output.text, output.ok, output.token_limit > 0) == ("1\n2\n3\n[job 1 ended: exit 4]", False, True)
    assert jobs.unreported == []


def test_starting_a_job_asks_for_its_command_and_reading_one_asks_nothing(place: Any, jobs: Jobs) -> None:
    action = run_command(place.workspace, jobs).prepare({"command": "npm run dev", "background": True})
    assert (action.title, action.risk, action.command, action.is_background) == (
        "run npm run dev, in the background",
        Risk.EXECUTE,
        "npm run dev",
        True,
    )
    with pytest.raises(ToolError, match="there are no background jobs here"):
        run_command(place.workspace).prepare({"command": "npm run dev", "background": True})
    begin(place, jobs, "sleep 60")
    for arguments, title in (
        ({}, "read job 1 (sleep 60)"),
        ({"until": "x\x1b[31m"}, "wait for 'x' in job 1 (sleep 60)"),
        ({"seconds": 5}, "wait for job 1 (sleep 60)"),
        ({"stop": True}, "stop job 1 (sleep 60)"),
    ):
        made = use_job.prepare(jobs, "job/1", arguments)
        assert made is not None
        assert made.risk is Risk.READ
        assert made.title == title
    with pytest.raises(ToolError, match=r"use job/N does not know 'untill' \(did you mean until"):
        use_job.prepare(jobs, "job/1", {"untill": "x"})
    assert use(jobs, "jobs").text == "job/1: sleep 60 [still runs]"
    assert [use_job.prepare(jobs, name, {}) for name in ("jobber", "job/scripts/x.py", "skill")] == [None, None, None]


def test_a_sandboxed_job_cannot_create_files_that_steer_tools(place: Any, jobs: Jobs) -> None:
    place.put("CLAUDE.md", "words")
    jobs.start("sleep 60", ["sleep", "60"], place.environment)
    jobs.permit([".github/workflows/ci.yml"])
    jobs.start("sleep 61", ["sleep", "61"], place.environment, is_sandboxed=True)
    with pytest.raises(ToolError, match=r"AGENTS\.md would not stay: job 2 runs in a sandbox; stop it before"):
        jobs.permit(["src/a.py", "AGENTS.md"])
    jobs.permit(["src/a.py", "CLAUDE.md"])


def test_only_a_limited_number_of_jobs_run_at_once(place: Any, jobs: Jobs) -> None:
    for _ in range(MOST_RUNNING):
        jobs.start("sleep 60", ["sleep", "60"], place.environment)
    with pytest.raises(ToolError, match=f"{MOST_RUNNING} jobs run already .job/1 sleep 60, .*; stop one first"):
        begin(place, jobs, "sleep 60")
    began = time.monotonic()
    jobs.close()
    assert time.monotonic() - began < 4, "they are told at once, not one after the other"
    assert jobs.running == []


def test_moving_a_ninth_command_to_the_background_waits_for_a_free_place(place: Any, jobs: Jobs) -> None:
    for _ in range(MOST_RUNNING):
        jobs.start("sleep 60", ["sleep", "60"], place.environment)
    said = run_command(place.workspace, jobs).prepare({"command": "echo begun; sleep 60"}).run()
    assert next(said) == Progress("begun\n")
    assert not jobs.is_move_waiting
    jobs.request_move()
    assert (jobs.is_move_waiting, jobs.should_move()) == (True, False)
    jobs.by_number[1].running.stop()
    output = next(said)
    assert isinstance(output, ToolOutput)
    assert output.facts is not None
    assert output.facts["job"] == MOST_RUNNING + 1
    assert list(said) == []
    assert (jobs.move_requested, jobs.is_move_waiting) == (False, False)


def test_a_character_split_when_a_command_is_moved_is_decoded_whole(place: Any, jobs: Jobs) -> None:
    command = r"printf 'gr\303'; until [ -e go ]; do sleep 0.05; done; printf '\266\303\237e\n'"
    said = run_command(place.workspace, jobs).prepare({"command": command}).run()
    assert next(said) == Progress("gr")
    jobs.request_move()
    assert isinstance(next(said), ToolOutput)
    (place.root / "go").touch()
    running = jobs.by_number[1].running
    assert running.wait(10)
    assert running.finished is not None
    assert running.finished.output == "größe\n"


def test_a_job_with_endless_output_uses_little_memory(place: Any, jobs: Jobs) -> None:
    begin(place, jobs, "yes some longer line of words", seconds=1)
    before, took = resource(), time.monotonic()
    time.sleep(2)
    running = jobs.by_number[1].running
    text, place_, lost = running.since(0)
    assert background.MOST_KEPT // 2 < len(text) <= background.MOST_KEPT
    assert (place_, lost) == (lost + len(text), place_ - len(text))
    assert resource() - before < 0.6 * (time.monotonic() - took), "our own time stays small"
    ended = use(jobs, "job/1", stop=True)
    assert ended.text.startswith("… ")
    assert len(ended.text) < background.MOST_KEPT + 1_000


def resource() -> float:
    times = os.times()
    return times.user + times.system


def test_no_job_outlives_ctxe_however_it_ends(place: Any) -> None:
    script = (
        "import json, os, sys, time\nfrom pathlib import Path\nfrom ctxe.tools.jobs import Jobs\n"
        "jobs = Jobs(Path.cwd())\n"
        "words = ['bash', '-c', 'trap \"\" TERM; setsid sleep 98.76 & sleep 98.76']\n"
        "jobs.start('x', words, dict(os.environ))\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=place.root, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"up\n"
        limit = time.monotonic() + 5
        while not running("98.76\0") and time.monotonic() < limit:
            time.sleep(0.05)
        assert running("98.76\0")
        other.kill()
    assert gone("98.76\0", within=4)


def test_output_of_a_slow_endless_job_is_kept_small(place: Any, jobs: Jobs) -> None:
    begin(place, jobs, "for i in $(seq 1 3000); do echo $i; done; sleep 60")
    running = jobs.by_number[1].running
    text = running.since(0)[0]
    assert text == "".join(f"{number}\n" for number in range(1, 3001))
    assert (running.lines, json.loads(json.dumps(running.end))) == (3000, len(text))
