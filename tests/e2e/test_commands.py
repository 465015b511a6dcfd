"""The other commands as their users run them: init, doctor, config, sessions, cost, trust, completion, budget."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, git, openai_at, repository
from tests.wire.server import Call, Reply, Usage, WireServer


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", {"main.py": "print('hello')\n", "AGENTS.md": "Use tabs.\n"})


def test_read_only_commands_leave_git_status_clean_and_init_lets_git_see_the_memory(home: Path, repo: Path) -> None:
    env = environment(home)
    for words in (("budget", "hi"), ("memory", "show"), ("failures", "list"), ("sessions", "list"), ("doctor",)):
        ctxe(repo, env, *words)
    assert git(repo, "status", "--porcelain") == ""
    done = ctxe(repo, env, "init", "--yes")
    assert done.code == 0, done.err
    ctxe(repo, env, "memory", "add", "tabs it is", "--kind", "decision")
    status = git(repo, "status", "--porcelain", "--untracked-files=all")
    assert ".ctxe/decisions/" in status
    assert "sessions" not in status
    assert "cache" not in status


def test_doctor_names_environment_variables_without_effect(home: Path, repo: Path) -> None:
    env = environment(home, CTXE_BUDGT_WINDOW="9", CTXE_BUDGET_WINDOW="9000", CTXE_HOME=str(home / "own"))
    said = [check["says"] for check in ctxe(repo, env, "doctor", "--json").json if check["name"] == "settings"]
    assert said == [f"{home}/own/config.toml (not there: defaults)", "CTXE_BUDGT_WINDOW sets nothing"]


def test_doctor_reports_unreadable_settings_as_a_finding(home: Path, repo: Path) -> None:
    env = environment(home, CTXE_HOME=str(home / "own"))
    (home / "own").mkdir()
    (home / "own/config.toml").write_text("[budget\n")
    done = ctxe(repo, env, "doctor", "--json")
    [finding] = done.json
    assert (done.code, finding["name"], finding["state"]) == (1, "settings", "fail")
    assert "config.toml" in finding["says"]


def test_a_session_of_a_newer_ctxe_is_named_in_the_list(home: Path, repo: Path) -> None:
    env = environment(home)
    ctxe(repo, env, "chat", "-p", "hello")
    [log] = (repo / ".ctxe/sessions").glob("*.jsonl")
    log.with_name("later.jsonl").write_text('{"v":99,"session":"later"}\n')
    done = ctxe(repo, env, "sessions", "list")
    assert log.stem in done.out
    assert "later: written by a newer ctxe" in done.err


def test_doctor_reports_a_repository_that_git_refuses(home: Path, repo: Path) -> None:
    (repo / ".git/HEAD").write_text("garbage\n")
    done = ctxe(repo, environment(home), "doctor", "--json")
    git = next(check for check in done.json if check["name"] == "git")
    assert (done.code, git["state"]) == (1, "fail")
    assert "it refuses this repository: not a git repository" in git["says"]


def test_doctor_reports_each_finding_with_what_to_do(home: Path, repo: Path) -> None:
    found = {check["name"]: check for check in ctxe(repo, environment(home), "doctor", "--json").json}
    assert {"python", "vocabularies", "git", "folder", "settings", "memory", "model", "sandbox"} <= set(found)
    assert found["model"]["says"].startswith("offline/repository: no API key is set")
    without_key = ctxe(repo, environment(home, CTXE_MODEL="openai/gpt-5"), "doctor")
    assert without_key.code == 1
    assert "there is no key for openai" in without_key.out
    with WireServer([], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "doctor", "--check")
    assert done.code == 0, done.out + done.err


def test_settings_are_shown_with_their_origin_and_changed_in_the_users_file(home: Path, repo: Path) -> None:
    env = environment(home, CTXE_BUDGET_MAX_STEPS="7")
    assert ctxe(repo, env, "config", "set", "approval.mode", "auto-edit").code == 0
    (repo / ".ctxe.toml").write_text("[approval]\nmode = 'read-only'\n")
    shown = ctxe(repo, env, "config", "show", "--json").json
    assert shown["approval.mode"] == {"value": "read-only", "origin": ".ctxe.toml"}
    assert shown["budget.max_steps"] == {"value": 7, "origin": "CTXE_BUDGET_MAX_STEPS"}
    assert ctxe(repo, env, "config", "get", "approval.mode").out == "read-only\n"
    assert "config.toml" in ctxe(repo, env, "config", "path").out
    assert ctxe(repo, env, "config", "get", "approval.mod").code == 3


def test_the_status_line_says_which_provider_was_chosen_and_why(home: Path, repo: Path) -> None:
    env = environment(home, ANTHROPIC_API_KEY=KEY, OPENAI_API_KEY=KEY)
    checks = {check["name"]: check["says"] for check in ctxe(repo, env, "doctor", "--json").json}
    assert checks["model"].startswith("anthropic/")
    assert "ANTHROPIC_API_KEY is set; OPENAI_API_KEY is set too" in checks["model"]


def test_sessions_are_listed_shown_searched_exported_and_priced(home: Path, repo: Path) -> None:
    usage = Usage(input=100_000, output=1_000, cache_read=50_000)
    script = [
        Reply("Looking.", [Call("read_file", {"path": "main.py"})], usage=usage),
        Reply("It greets.", usage=usage),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "what does main do?").code == 0
    (session,) = ctxe(repo, env, "sessions", "list", "--json").json
    assert (session["words"], session["turns"], session["outcome"]) == ("what does main do?", 1, "answered")
    assert session["input"] == 200_000
    assert session["usd"] == pytest.approx(2 * (0.05 * 1.25 + 0.05 * 0.125 + 0.001 * 10))
    shown = ctxe(repo, env, "sessions", "show", session["id"][:12])
    assert "It greets." in shown.out + shown.err
    assert "print('hello')" in ctxe(repo, env, "sessions", "show", "--grep", "PRINT(").out
    assert "## what does main do?" in ctxe(repo, env, "sessions", "export").out
    exported = ctxe(repo, env, "sessions", "export", "--format", "jsonl").out.splitlines()
    log = (repo / f".ctxe/sessions/{session['id']}.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in exported] == [json.loads(line) for line in log]
    costs = ctxe(repo, env, "cost", "--by", "model", "--json").json
    assert costs["openai/gpt-5"]["replies"] == 2
    past = ctxe(repo, env, "budget", "--session", session["id"], "--step", "1", "--json").json
    assert past["used"] == sum(chunk["tokens"] for section in past["sections"] for chunk in section["chunks"])
    assert ctxe(repo, env, "budget", "--session", session["id"], "--step", "9").code == 6


def test_ctxe_budget_equals_the_request_that_is_sent(home: Path, repo: Path) -> None:
    env = environment(home, **openai_at("http://127.0.0.1:9"))
    ledger = ctxe(repo, env, "budget", "--json", "what does @main.py do?").json
    rows = {chunk["id"]: chunk for section in ledger["sections"] for chunk in section["chunks"]}
    assert ledger["model"] == "openai/gpt-5"
    assert ledger["used"] == sum(section["tokens"] for section in ledger["sections"])
    assert rows["main.py"]["why"] == "you named it"
    assert rows["AGENTS.md"]["tokens"] > 0
    assert ledger["cost"]["input_usd"] == pytest.approx(ledger["used"] * 1.25e-6, abs=1e-6)
    with WireServer([Reply("ok")], key=KEY) as server:
        ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "what does @main.py do?")
        sent = json.dumps(server.bodies[0])
    assert "print('hello')" in sent
    assert "Use tabs." in sent


def test_trust_is_granted_listed_and_revoked(home: Path, repo: Path) -> None:
    env = environment(home)
    ctxe(repo, env, "trust")
    assert list(ctxe(repo, env, "trust", "--json").json) == [str(repo.resolve())]
    ctxe(repo, env, "trust", "--revoke")
    assert ctxe(repo, env, "trust", "--json").json == {}


def test_bash_completion_works_in_a_real_shell(home: Path, repo: Path) -> None:
    script = ctxe(repo, environment(home), "completion", "bash").out
    assert "_ctxe_completion" in script
    assert ctxe(repo, environment(home), "completion", "tcsh").code == 2


def test_a_folder_can_be_named_before_and_after_the_command(home: Path, repo: Path, tmp_path: Path) -> None:
    env = environment(home)
    for words in (("-C", str(repo), "config", "path"), ("config", "path", f"--project={repo}")):
        assert str(repo / ".ctxe.toml") in ctxe(tmp_path, env, *words).out


def test_auto_mode_is_confirmed_once_per_folder(home: Path, repo: Path) -> None:
    with WireServer(lambda body: Reply("hello")) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto")) as terminal:
            terminal.wait("trust this folder")
            terminal.enter("n")
            terminal.wait("approval ask")
        with Terminal(repo, env, ("chat", "--approval", "auto")) as terminal:
            terminal.wait("trust this folder")
            terminal.enter("y")
            terminal.wait("approval auto")
        with Terminal(repo, env, ("chat", "--approval", "auto")) as terminal:
            assert "trust this" not in terminal.wait("approval auto")


def test_a_model_server_on_this_machine_is_offered_once(home: Path, repo: Path) -> None:
    listening = subprocess.run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000"], capture_output=True, check=False)
    assert listening.returncode != 0, "port 8000 of this machine is in use"
    served = WireServer(lambda body: Reply("from here"), port=8000, models=("tiny",), windows={"tiny": 32_000})
    with served, Terminal(repo, environment(home), ("chat",)) as terminal:
        terminal.wait("serves vllm/tiny")
        terminal.enter("y")
        terminal.wait("›")
        terminal.enter("hello")
        terminal.wait("from here")
    assert 'name = "vllm/tiny"' in (home / ".config/ctxe/config.toml").read_text()


def test_the_window_stated_for_an_unknown_model_is_saved(home: Path, repo: Path) -> None:
    with WireServer(lambda body: Reply("from afar")) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--model", "openai/gpt-unheard-of")) as terminal:
            terminal.wait("Its window in tokens")
            terminal.enter("about sixty")
            terminal.wait("A number, like 128000 or 128k")
            terminal.enter("64k")
            terminal.wait("›")
            terminal.enter("hello")
            terminal.wait("from afar")
        assert server.bodies[0]["model"] == "gpt-unheard-of"
    assert "window = 64000" in (home / ".config/ctxe/config.toml").read_text()


def test_commit_shows_a_message_and_commits_only_what_the_session_changed(home: Path, repo: Path) -> None:
    (repo / "other.txt").write_text("mine\n")
    git(repo, "add", "other.txt")
    script = [
        Reply("", [Call("read_file", {"path": "main.py"})]),
        Reply("", [Call("edit_file", {"path": "main.py", "old": "hello", "new": "good day"})]),
        Reply("Done."),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.wait("›")
            terminal.enter("greet politely")
            terminal.wait(r"Done\.(.|\n)*%")
            terminal.enter("/commit")
            terminal.wait(r"Greet politely(.|\n)*commit\?")
            terminal.enter("y")
            terminal.wait("1 file changed")
            terminal.enter("/exit")
            assert terminal.ended() == 0
    assert git(repo, "log", "-1", "--format=%s").strip() == "Greet politely"
    assert git(repo, "show", "--name-only", "--format=").split() == ["main.py"]
    assert git(repo, "status", "--porcelain") == "A  other.txt\n"


def test_the_model_writes_the_message_of_a_commit_when_it_is_asked(home: Path, repo: Path) -> None:
    script = [
        Reply("", [Call("read_file", {"path": "main.py"})]),
        Reply("", [Call("edit_file", {"path": "main.py", "old": "hello", "new": "good day"})]),
        Reply("Done."),
        Reply("```\n\n```"),
        Reply("```\nGreet people\n\nThey are\x1b[31m asked for.\n```"),
    ]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("greet politely")
            terminal.wait(r"Done\.(.|\n)*%")
            for wanted in ("openai/gpt-5 wrote no message", r"Greet people\n\n?\s*They are asked for\.(.|\n)*commit\?"):
                terminal.settle()
                terminal.enter("/commit")
                terminal.wait(r"commit\?[^\n]*\[w\]rite it, \[n\]o:\s*\Z")
                terminal.type("w")
                terminal.wait(wanted)
            terminal.type("y")
            terminal.wait("1 file changed")
            terminal.settle()
            assert terminal.screen.count("asked openai/gpt-5 to write a commit message") == 2, "what was paid is told"
            terminal.leave()
        asked = json.dumps(server.bodies[-1])
    assert git(repo, "log", "-1", "--format=%B").strip() == "Greet people\n\nThey are asked for."
    for part in ("greet politely", "Begin", "+print('good day')", "You write the message of one commit"):
        assert part in asked, part
