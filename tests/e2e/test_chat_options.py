"""Every option of ``ctxe chat`` and every slash command does what its help says, in the real process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ctxe.cli.chat.slash import slash_commands
from tests.e2e.copying import copier
from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.script import Entry
from tests.wire.server import Answer, Call, Reply, WireServer, failure

RESULT = {"type", "session", "outcome", "text", "why", "model", "steps", "usage", "usd", "seconds"}
ONCE = ("exit", "new", "clear", "fork", "help")
WORDS = {
    "add": "a.py",
    "read-only": "a.py",
    "drop": "a.py",
    "pin": "a pin",
    "unpin": "1",
    "remember": "a note",
    "run": "echo ran",
    "test": "true",
    "plan": "where is function a",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"a.py": "def a():\n    return 1\n", "sub/b.py": "b = 2\n"})


def asked(body: Any) -> str:
    """The newest user message of a chat request."""
    return str([message["content"] for message in body["messages"] if message["role"] == "user"][-1])


def log_of(repo: Path) -> Path:
    return max((repo / ".ctxe/sessions").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)


def test_stream_json_is_the_log_and_then_the_result(home: Path, repo: Path) -> None:
    script: list[Entry] = [
        Reply("Looking.", [Call("read_file", {"path": "a.py"})]),
        Reply("It returns 1."),
        Answer(400, failure("no")),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "what is a?", "--output-format", "stream-json")
        assert (done.code, done.err) == (0, "")
        *events, result = [json.loads(line) for line in done.out.splitlines()]
        logged = [json.loads(line) for line in log_of(repo).read_text().splitlines()]
        assert events == logged[1:]
        assert [event["n"] for event in events] == list(range(1, len(events) + 1))
        assert logged[0].keys() == {"v", "session", "project", "at"}
        assert result.keys() == RESULT
        wanted = ("result", logged[0]["session"], "answered", "It returns 1.", 2)
        assert tuple(result[key] for key in ("type", "session", "outcome", "text", "steps")) == wanted
        assert result["usage"].keys() == {"input", "output", "cache_read", "cache_write", "cache_write_1h"}
        documented = (Path(__file__).parents[2] / "docs/session-format.md").read_text()
        assert all(f"`{event['type']}`" in documented for event in events)
        failed = ctxe(repo, env, "chat", "-p", "-c", "and now?", "--output-format", "json")
        assert (failed.code, failed.json["outcome"]) == (5, "failed")
        assert failed.json["why"] in failed.err


def test_each_limit_ends_the_loop_with_its_own_exit_code(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Again.", [Call("list_files", {})]), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        steps = ctxe(repo, env, "chat", "-p", "go", "--max-steps", "3", "--output-format", "json")
        assert (steps.code, steps.json["outcome"], steps.json["steps"], len(server.bodies)) == (9, "step limit", 3, 3)
        money = ctxe(repo, env, "chat", "-p", "go", "--max-cost", "0.01", "--output-format", "json")
        assert (money.code, money.json["outcome"]) == (8, "cost limit")
        assert 0.01 <= money.json["usd"] < 0.015
        assert server.refused == []


def test_the_prompt_is_read_from_the_command_line_and_from_a_pipe(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "explain", "this", stdin="the\npiped text\n").out == "Answer.\n"
        assert asked(server.bodies[-1]).endswith("explain this\n\nthe\npiped text")
        assert ctxe(repo, env, "chat", "-p", stdin="only piped").out == "Answer.\n"
        assert asked(server.bodies[-1]).endswith("only piped")
        nothing = ctxe(repo, env, "chat", "-p", stdin=" \n")
        assert (nothing.code, len(server.bodies)) == (3, 2)
        assert "there is nothing to say" in nothing.err


def test_options_choose_tools_files_and_memory(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        (repo / ".ctxe").mkdir()
        (repo / ".ctxe/MEMORY.md").write_text("- CANARY-MEMORY: b is two\n")
        more = ("--allowed-tools", "read_file, search", "--file", "a.py", "--read", "sub/b.py", "--no-memory")
        assert ctxe(repo, env, "chat", "-p", "is b two, canary-memory?", *more).code == 0
        body = server.bodies[-1]
        assert [tool["function"]["name"] for tool in body["tools"]] == ["read_file", "search"]
        assert "def a():" in asked(body)
        assert "b = 2" in asked(body)
        assert "CANARY-MEMORY" not in json.dumps(body)
        assert not (repo / ".ctxe/daily").exists()
        assert ctxe(repo / "sub", env, "chat", "-p", "is b two, canary-memory?", "--file", "b.py").code == 0
        assert "b = 2" in asked(server.bodies[-1])
        assert "CANARY-MEMORY" in json.dumps(server.bodies[-1])
        assert ctxe(repo, env, "chat", "-p", "look", "--allowed-tools", "nonsense", "--file", "a.py").code == 3
        assert len(server.bodies) == 2


def test_a_dry_run_is_the_request_that_would_be_sent(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "first words").code == 0
        before = log_of(repo).read_bytes()
        dry = ctxe(repo, env, "chat", "-c", "--dry-run", "second words")
        assert (dry.code, len(server.bodies), log_of(repo).read_bytes()) == (0, 1, before)
        assert ctxe(repo, env, "chat", "-p", "-c", "second words").code == 0
        sent = server.bodies[-1]["messages"]
    planned = [
        {"role": message["role"], "content": "\n\n".join(block["text"] for block in message["content"])}
        for message in dry.json["messages"]
    ]
    assert planned == sent[1:]
    assert "\n\n".join(dry.json["system"]) == sent[0]["content"]


def test_an_option_without_effect_is_refused(home: Path, repo: Path) -> None:
    with WireServer() as server:
        env = environment(home, **anthropic_at(server.url))
        elsewhere = ctxe(repo, env, "chat", "-p", "hello", "--base-url", "http://127.0.0.1:9/v1")
        unprinted = ctxe(repo, env, "chat", "hello", "--output-format", "json")
        assert server.requests == []
    assert (elsewhere.code, unprinted.code) == (3, 3)
    assert "is not asked at --base-url" in elsewhere.err
    assert "--model local/NAME" in elsewhere.err
    assert "ANTHROPIC_BASE_URL" in elsewhere.err
    assert "--output-format is for --print" in unprinted.err


def test_every_slash_command_runs_on_a_fresh_session_and_after_a_turn(home: Path, repo: Path, tmp_path: Path) -> None:
    with WireServer(then=Reply("Answer."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        env |= {"DISPLAY": ":9", "PATH": f"{copier(tmp_path / 'bin', tmp_path / 'copied')}:{env['PATH']}"}
        names = list(slash_commands())
        assert len(names) >= 30
        lines = [f"/{name} {WORDS.get(name, '')}".strip() for name in names if name not in ONCE]
        more = ["!echo mine", "#noted", "/compact --preview", "/context --explain", "/budget words --explain"]
        fresh = ctxe(repo, env, "chat", stdin="\n".join(["/help", *lines, *more, "/exit"]))
        used = ctxe(repo, env, "chat", stdin="\n".join(["hello", *lines, *more, "/fork", "/new", "/clear", "/exit"]))
        assert server.refused == []
    assert re.findall(r"(?m)^/([\w-]+)", fresh.out)[: len(names)] == names
    for done in (fresh, used):
        assert (done.code, "bug" in done.err, "Traceback" in done.err) == (0, False, False), done.err
        assert "ctxe: " not in done.err, done.err
    assert "● run echo ran\n  ran\n  [exit 0]\n" in fresh.err
    assert "Answer." in used.out


def test_slash_model_and_approve_say_how_to_change_them(home: Path, repo: Path) -> None:
    done = ctxe(
        repo, environment(home), "chat", "--approval", "auto-edit", stdin="/model\n/approve\n/approve ask\n/exit\n"
    )
    assert "/model NAME [EFFORT] talks to another one" in done.out
    assert "approval: auto-edit\n/approve ask|auto|read-only changes it for this session" in done.out
    assert done.out.count("/approve ") == 1
    assert "approval: ask\n" in done.out


def test_a_wrong_slash_command_sends_nothing_and_suggests_the_right_one(home: Path, repo: Path) -> None:
    wrong = {
        "/nonsense": "no command /nonsense",
        "/vim": "no command /vim: `ctxe config set screen.keys vi`",
        "/architect": "no command /architect: /approve read-only",
        "/tasks": "no jobs; ",
        "/bugdet": "did you mean /budget",
        "/re": "did you mean /read-only, /recall, /redo, /remember, /resume, /review or /rewind?",
        "/permissions everything": "no approval mode",
        "/add gone.py": "no file gone.py",
        "/approve everything": "no approval mode",
        "/model nobody/nothing": "not known",
        "/model anthropic/claude-sonnet-4-5": "ANTHROPIC_API_KEY",
        "/resume nonsense": "no session nonsense",
        "/config nonsense": "unknown setting",
        "/add don't": "no file don't",
        "/memory nonsense": "No such command",
        "/clear the table": "/clear takes no words, so nothing was done",
        "/quit smoking": "/exit takes no words",
        "/undo a.py": "/undo takes --force, so nothing was done",
        "/compact --preveiw": "/compact knows no --preveiw, so nothing was done",
        "/help nonsense": "no command mentions nonsense",
        "/help /uncompact": "undo the last fold",
    }
    with WireServer(then=Reply("Still here."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", stdin="\n".join([*wrong, "/etc/hosts is a path", "/exit"]))
        assert (done.code, server.refused, asked(server.bodies[-1]).splitlines()[-1]) == (0, [], "/etc/hosts is a path")
    said = done.err + done.out
    assert [words for words, told in wrong.items() if told.lower() not in said.lower()] == [], said
    assert "a bug in ctxe" not in said


def test_ctxe_without_a_command_starts_a_chat(home: Path, repo: Path) -> None:
    answers = [Reply("It returns 1."), Reply("It still does."), Reply("Two.")]
    with WireServer(answers, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "-p", "what is a?").out == "It returns 1.\n"
        assert ctxe(repo, env, "-c", "-p", "and now?").out == "It still does.\n"
        assert ctxe(repo, env, "and of b?", "-p").out == "Two.\n"
        assert [asked(body).splitlines()[-1] for body in server.bodies] == ["what is a?", "and now?", "and of b?"]
        with Terminal(repo, env, ()) as terminal:
            terminal.wait(r"repo:\s+openai/gpt-5(.|\n)*›")
    assert ctxe(repo, env).err.startswith("Usage: ctxe")
    for typed, here in {
        "--yolo": "--approval",
        "-m": "--model",
        "exec": "ctxe -p",
        "login": "ANTHROPIC_API_KEY",
    }.items():
        told = ctxe(repo, env, typed, "hi")
        assert told.code == 2
        assert f"{typed}" in told.err
        assert here in told.err.partition(". Here: ")[2]
        assert "Possible options" not in told.err
    assert "Here:" not in ctxe(repo, env, "index", "--yes").err
    unknown = ctxe(repo, env, "mend", "it")
    assert unknown.code == 2
    assert "No such command 'mend'. Put words to the model in quotes" in unknown.err


@pytest.mark.parametrize("word", ["exit", "quit", ":q", "Exit"])
def test_quit_words_end_the_chat_without_a_slash(home: Path, repo: Path, word: str) -> None:
    with WireServer([], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", stdin=f"help\n{word}\nnever\n")
        assert (done.code, server.bodies, "/undo" in done.out) == (0, [], True), done.err
