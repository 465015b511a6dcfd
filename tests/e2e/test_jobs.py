"""Background jobs as model and user see them: a server is started, awaited, read, stopped; its end is reported once."""

import itertools
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ctxe.safety.running.sandbox import detect
from tests.e2e.harness import KEY, Terminal, ctxe, environment, repository
from tests.e2e.wire_bodies import APIS, blocks
from tests.processes import gone, running
from tests.wire.server import Call, Reply, WireServer

SERVER = """
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
open("port", "w").write(str(server.server_port))
print("Listening on", server.server_port, flush=True)
server.serve_forever()
"""
ASK = """
import urllib.request
port = open("port").read()
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/hello.txt").read().decode())
"""
FILES = {"serve.py": SERVER, "ask.py": ASK, "hello.txt": "hello from the job\n", ".gitignore": "port\n"}
BUILD = "echo building; sleep 1; python3 -c 'raise ValueError(\"too late\")'"
ENDED = "a job ended meanwhile"


def sh(command: str, **more: Any) -> Call:
    return Call("run_command", {"command": command, **more})


def allow(home: Path, *rules: str) -> None:
    """Let these commands run unasked."""
    folder = home / ".config/ctxe"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(f"[approval]\nallow = {json.dumps([f'run:{rule}' for rule in rules])}\n")


def job(number: int, **arguments: Any) -> Call:
    return Call("use", {"name": f"job/{number}", "arguments": arguments})


@pytest.mark.parametrize("api", ["messages", "responses"])
def test_a_server_and_a_build_run_in_the_background_and_are_asked_for_output(
    api: str, home: Path, tmp_path: Path
) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("", [sh("python3 serve.py 41701", background=True)]),
        Reply("", [job(1, until="listening on", seconds=20), sh("python3 ask.py")]),
        Reply("", [sh(BUILD, background=True)]),
        Reply("", [sh("sleep 2")]),
        Reply("", [Call("read_file", {"path": "hello.txt"})]),
        Reply("", [job(1), job(1, stop=True)]),
        Reply("All done."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        allow(home, "python3 *", "sleep *", "echo *")
        ran = ctxe(repo, env, "chat", "-p", "go")
        assert server.refused == []
        sent = [blocks(api, body) for body in server.bodies]
    assert ran.out == "All done.\n", ran
    for before, after in itertools.pairwise(sent):
        assert after[: len(before)] == before
    whole = "\n".join(sent[-1])
    for part in ("Listening on", "hello from the job", "building", "GET /hello.txt HTTP/1.1", "job 1 ended: stopped"):
        assert part in whole, part
    assert (whole.count(ENDED), whole.count("job 2 ended: exit 1")) == (1, 1), "told once, unasked"
    told = next(number for number, request in enumerate(sent) if ENDED in "\n".join(request))
    assert told == 4, "with the first request after its end"
    assert "ValueError: too late" in "\n".join(sent[told])
    assert gone("serve.py\x0041701")


def test_the_user_lists_and_stops_jobs_and_a_resume_reports_lost_ones(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("", [sh("python3 serve.py 41702", background=True)]),
        Reply("", [sh("echo up; sleep 41703", background=True)]),
        Reply("Both run."),
        Reply("I know that it was stopped."),
        Reply("I know that the other is gone."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS["chat"](server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.settle(0.2)
            terminal.enter("go")
            terminal.wait(r"\$ python3 serve.py 41702\n(.|\n)*it goes on in the background; /jobs shows it")
            terminal.type("y\r")
            terminal.wait(r"Both run\.(.|\n)*ask  2 jobs")
            terminal.enter("/jobs")
            terminal.wait(r"1 +still runs +[\d.]+s +1 line +python3 serve.py 41702")
            terminal.enter("/jobs show 1")
            terminal.wait(r"Listening on \d+\n(.|\n)*job 1 still runs: python3 serve.py 41702")
            terminal.enter("/jobs stop 9")
            terminal.wait("there are 1, 2")
            terminal.enter("/jobs stop 2")
            terminal.wait(r"job 2 ended: stopped by the user: echo up; sleep 41703(.|\n)*ask  1 job")
            assert running("41703\0") == []
            terminal.enter("!echo mine; sleep 41706 &")
            terminal.wait(r"● run echo mine; sleep 41706, in the background · job 3 · 1 line\b(.|\n)*ask  2 jobs")
            terminal.enter("and now?")
            terminal.wait(r"● job 2 ended: stopped by the user \(echo up(.|\n)*I know that it was stopped\.")
            terminal.settle()
            terminal.type("\x04")
            assert terminal.ended() == 0
        assert gone("serve.py\x0041702")
        with Terminal(repo, env, ("chat", "-c")) as terminal:
            terminal.wait("job 1 no longer runs: `python3 serve.py 41702` ended with the session")
            terminal.settle(0.2)
            terminal.enter("go on")
            terminal.wait("I know that the other is gone")
            terminal.settle()
            terminal.type("\x04")
            assert terminal.ended() == 0
        with Terminal(repo, env, ("chat", "-c")) as terminal:
            screen = terminal.wait("3 turns so far")
            assert "no longer runs" not in screen, "it is said once"
        assert server.refused == []
        sent = ["\n".join(blocks("chat", body)) for body in server.bodies]
    assert "job 2 ended: stopped by the user" in sent[3]
    assert "[the user ran `echo mine; sleep 41706 &`]" in sent[3]
    assert "mine\\n[job 3 goes on;" in sent[3]
    assert "job 1 no longer runs" not in sent[3]
    assert gone("sleep\x0041706")
    assert sent[4].count("[ctxe: job 1 no longer runs: `python3 serve.py 41702` ended with the session]") == 1


@pytest.mark.parametrize("end", ["interrupted twice", "hung up", "killed"])
def test_no_job_is_left_however_the_session_ends(end: str, home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    allow(home, "bash *")
    stubborn = "bash -c 'trap \"\" TERM HUP INT; setsid sleep 41704 & sleep 41704'"
    script = [Reply("", [sh(stubborn, background=True)]), Reply("It runs.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS["chat"](server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.settle(0.2)
            terminal.enter("go")
            terminal.wait(r"It runs\.(.|\n)*ask  1 job")
            assert running("41704\0")
            if end == "interrupted twice":
                terminal.type("\x03")
                terminal.settle(0.3)
                terminal.type("\x03")
                assert terminal.ended() == 130
            else:
                terminal.child.kill(signal.SIGHUP if end == "hung up" else signal.SIGKILL)
                terminal.ended()
        assert gone("41704\0")


def test_read_only_mode_and_a_session_without_job_tools_start_no_background_job(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    script = [
        Reply("", [sh("tail -f hello.txt", background=True)]),
        Reply("No."),
        Reply("", [sh("true", background=True)]),
        Reply("No."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS["chat"](server.url))
        ctxe(repo, env, "chat", "-p", "--approval", "read-only", "go")
        ctxe(repo, env, "chat", "-p", "--allowed-tools", "run_command", "go")
        sent = ["\n".join(blocks("chat", body)) for body in server.bodies]
    assert "not permitted: this session only reads: it has no background jobs" in sent[1]
    assert "there are no background jobs here: run it without background" in sent[3]


BOXED = detect(Path("/nowhere")).active


def test_in_auto_a_job_runs_in_the_sandbox(home: Path, tmp_path: Path) -> None:
    assert BOXED, "this machine has a sandbox"
    repo = repository(tmp_path / "repo", FILES)
    outside = tmp_path / "outside"
    command = f"touch hello.txt; touch {outside}; echo tried; sleep 41705"
    script = [
        Reply("", [sh(command, background=True), job(1, until="tried")]),
        Reply("", [job(1, stop=True)]),
        Reply("Tried."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **APIS["chat"](server.url))
        ran = ctxe(repo, env, "chat", "-p", "--approval", "auto", "go")
        sent = "\n".join(blocks("chat", server.bodies[-1]))
    assert ran.out == "Tried.\n"
    assert "job 1 ended: stopped" in sent
    assert "goes on in a sandbox without network: no other command reaches its ports" in sent
    assert "outside" in sent, "what it could not write is told"
    assert not outside.exists()
    assert os.environ.get("HOME") != str(repo)
    assert gone("sleep\x0041705")


def test_a_key_moves_a_running_command_to_the_background(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    allow(home, "sh *")
    slow = "sh -c 'echo begun; while [ ! -e go ]; do sleep 0.1; done; echo it is over'"
    script = [Reply("", [sh(slow)]), Reply("It goes on."), Reply("It ended.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=f"{server.url}/v1", CTXE_MODEL="openai/gpt-5")
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("run it")
            terminal.wait("  begun")
            terminal.wait("Ctrl-B background")
            terminal.type("\x02")
            terminal.wait(r"echo it is over'\s+·\s+job\s+1 ·(.|\n)*It goes on\.")
            terminal.wait(r"1 job\n?")
            told = json.dumps(server.bodies[1])
            assert "the user moved it to the background after" in told
            assert "job 1 goes on" in told
            (repo / "go").touch()
            terminal.settle(0.6)
            terminal.enter("and now?")
            terminal.wait(r"It ended\.")
        assert "it is over" in json.dumps(server.bodies[2])
        assert "\\nbegun" not in json.dumps(server.bodies[2]).partition("a job ended meanwhile")[2]
    assert running("while [ ! -e go ]") == []
