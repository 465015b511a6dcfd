"""Secrets of the user stay on the machine: secret files, the API key, the daily log."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.e2e.harness import KEY, Terminal, ctxe, environment, git, openai_at, repository
from tests.e2e.one_shot import allow, one_shot
from tests.wire.server import Call, Reply, WireServer

SECRETS = {
    ".env": "DB_PASSWORD=canary-01\nAWS_SECRET_ACCESS_KEY=canary02AbCdEf0123456789AbCdEf0123456789\n",
    ".env.local": "X=canary-03\n",
    "id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary04aaaaaaaaaaaaaaaa\n-----END OPENSSH PRIVATE KEY-----\n",
    ".npmrc": "//registry.example/:_authToken=canary-05\n",
    ".netrc": "machine x login y password canary-06\n",
    "credentials.json": '{"k": "canary-07"}\n',
    "secrets.yml": "a: canary-08\n",
    ".aws/credentials": "[default]\naws_secret_access_key = canary-09\n",
    ".git-credentials": "https://u:canary-10@example.invalid\n",
    "prod.tfvars": 'x = "canary-11"\n',
    ".pypirc": "password = canary-12\n",
    ".ssh/config": "# canary-13\n",
}
COMMANDS = (
    "cat .env",
    "cat *",
    "cat .e*",
    "git diff",
    "git log -p",
    "git show HEAD",
    "git show HEAD:.env",
    "git grep canary",
    "git grep canary HEAD",
    "grep -r canary .",
    "rg canary",
    "rg -uu canary .",
    "find . -type f -exec cat {} +",
    "head -50 main.py .env",
    "cat < .env",
    "sort .env 2>&1",
    "git blame .env",
    "git cat-file -p HEAD:.env",
    "tar cf - .",
    "base64 id_rsa",
    "env",
    "printenv OPENAI_API_KEY",
    "cat /proc/self/environ",
    'cat "$HOME/.ssh/id_ed25519"',
)


def test_secret_files_reach_no_request_without_approval(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {**SECRETS, "main.py": "print(1)\n"})
    (repo / ".env").write_text(SECRETS[".env"] + "NEW=canary-14\n")
    calls = [Call("read_file", {"path": path}) for path in SECRETS]
    calls += [Call("search", {"pattern": "canary", **more}) for more in ({}, {"path": ".env"}, {"glob": "*"})]
    calls += [Call("run_command", {"command": command}) for command in COMMANDS]
    calls += [Call("list_files", {})]
    words = "where do DB_PASSWORD, AWS_SECRET_ACCESS_KEY and the _authToken canary come from? @.env @main.py @id_rsa"
    done, left, told = one_shot(home, repo, calls, words)
    assert len(told) == len(calls)
    leaks = {
        str(call.arguments): text for call, text in zip(calls, told, strict=True) if re.search(r"canary-?\d", text)
    }
    assert leaks == {}
    assert re.findall(r"canary-?\d+", left + done.out + done.err) == []
    assert "print(1)" in left
    kept = [path for path in (repo / ".ctxe").rglob("*") if path.is_file() and "restore" not in path.parts]
    assert [path for path in kept if re.search(rb"canary-?\d", path.read_bytes())] == []


def test_the_api_key_reaches_no_model_log_memory_or_command(home: Path, tmp_path: Path) -> None:
    allow(home, "tool:run_command")
    repo = repository(tmp_path / "repo", {"main.py": f"key = '{KEY}'\n"})
    calls = [
        Call("run_command", {"command": "env; export -p"}),
        Call("run_command", {"command": "tr '\\0' '\\n' < /proc/$PPID/environ; cat /proc/self/environ"}),
        Call("run_command", {"command": "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null"}),
        Call("run_command", {"command": "python3 -c 'import os; print(os.environ)'"}),
        Call("read_file", {"path": "main.py"}),
        Call("search", {"pattern": "sk-test"}),
        Call("write_file", {"path": "out.txt", "text": "x"}),
    ]
    done, left, told = one_shot(home, repo, calls, f"my key is {KEY}", "--approval", "auto-edit")
    assert "PATH=" in told[0]
    assert "OPENAI_API_KEY" not in told[0]
    assert KEY not in "".join(told)
    assert KEY not in done.out + done.err
    assert "your API key was taken out of your words" in done.err
    kept = [path for folder in (repo / ".ctxe", home) for path in folder.rglob("*") if path.is_file()]
    kept = [path for path in kept if "restore" not in path.parts]  # whole copies of what the user's own files held
    assert len(kept) > 3
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    assert KEY not in left


def test_the_api_key_in_user_commands_and_pins_reaches_no_model_or_log(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {"main.py": "x = 1\n"})
    with WireServer(then=Reply("I see."), key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter(f"!echo {'long ' * 20}{KEY}; exit 3")
            terminal.wait(r"\[exit 3\]")
            terminal.enter(f"!echo up; sleep 41709 # {KEY} &")
            terminal.wait("1 job")
            terminal.enter(f"/pin use {KEY} always")
            terminal.wait("your API key was taken out of your words")
            terminal.enter("go on")
            terminal.wait("I see.")
            terminal.leave()
        (body,) = server.bodies
    assert "[the user pins this] use ‹secret: our own key› always" in json.dumps(body, ensure_ascii=False)
    assert json.dumps(body, ensure_ascii=False).count("[the user ran `echo ") == 2
    kept = b"".join(path.read_bytes() for path in (repo / ".ctxe").rglob("*") if path.is_file())
    assert b"exit 3" in kept
    for part in (KEY, KEY[:20], KEY[-20:]):
        assert part not in json.dumps(body)
        assert part.encode() not in kept


def test_the_daily_log_and_the_branch_name_hold_no_keys(home: Path, tmp_path: Path) -> None:
    key = "ghp_" + "aB3dE6gH9jK2mN5pQ8sTuV1wX4yZ7bC0dEfG"
    repo = repository(tmp_path / "repo", {"main.py": "x = 1\n"})
    git(repo, "switch", "-qc", f"try-{key}")
    with WireServer(then=Reply(f"I used {key}, as you said."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", f"{'so ' * 60}use {key} now").code == 0
        (body,) = server.bodies
    assert "git branch: try-‹secret: GitHub token›" in json.dumps(body, ensure_ascii=False)
    (day,) = (repo / ".ctxe/daily").iterdir()
    assert "‹secret: GitHub token›" in day.read_text()
    assert key[:8] not in day.read_text(), "the log of the day may be committed"
