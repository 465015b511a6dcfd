"""Bad input of every kind: one clear line and a hint, the exit code of its kind, nothing lost, no traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Ran, ctxe, environment, openai_at, repository
from tests.wire.server import Answer, Drop, Reply, WireServer, failure

FILES = {"README.md": "# Demo\n", "main.py": "print('hello')\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)


def told(ran: Ran, code: int, says: str) -> None:
    """One line that says it, perhaps a hint, and never a traceback."""
    assert ran.code == code, ran.err
    assert says in ran.err
    assert "Traceback" not in ran.err + ran.out
    assert len(ran.err.strip().splitlines()) <= 3, ran.err


def settings(home: Path, text: str) -> None:
    folder = home / ".config/ctxe"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[model]\nnmae = 'x'\n", "unknown setting model.nmae"),
        ("[budget]\nmax_steps = 'many'\n", "budget.max_steps = 'many' is not a whole number"),
        ("[approval]\nmode = 'yolo'\n", "approval.mode = 'yolo' is not one of ask, auto-edit, auto, read-only"),
        ("[model\n", "config.toml cannot be read"),
        ("[frobnicate]\nx = 1\n", "unknown setting frobnicate.x"),
    ],
)
def test_invalid_settings_are_refused_with_the_file_and_the_reason(
    home: Path, repo: Path, text: str, says: str
) -> None:
    settings(home, text)
    told(ctxe(repo, environment(home), "budget"), 3, says)


def test_starting_in_the_home_folder_says_that_it_is_no_project(home: Path, repo: Path) -> None:
    for folder, told_so in ((home, True), (repo, False)):
        done = ctxe(folder, environment(home), "chat", stdin="/exit\n")
        assert (done.code, "is not a project: all of it is searched" in done.out + done.err) == (0, told_so), done.err


def test_a_memory_folder_in_the_home_folder_does_not_claim_the_folders_below_it(home: Path) -> None:
    inside = home / "notes" / "deep"
    inside.mkdir(parents=True)
    assert ctxe(home, environment(home), "memory", "add", "All of it").code == 0
    assert ctxe(home / "notes", environment(home), "memory", "add", "A note").code == 0
    assert (home / ".ctxe").is_dir()
    for folder, kept in ((home, ["All of it"]), (home / "notes", ["A note"]), (inside, ["A note"])):
        held = ctxe(folder, environment(home), "memory", "show", "--json").json
        assert [entry["title"] for entry in held] == kept


def test_doctor_writes_nothing_into_the_folder(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "AGENTS.md").write_text("Use tabs.\n")
    assert ctxe(folder, environment(home), "doctor").code == 0
    assert [path.name for path in folder.iterdir()] == ["AGENTS.md"]


def test_read_only_commands_create_no_project_folder(home: Path, tmp_path: Path) -> None:
    folder, inside = tmp_path / "code", tmp_path / "code" / "tool"
    inside.mkdir(parents=True)
    (inside / "tool.py").write_text("def cut():\n    pass\n")
    assert ctxe(folder, environment(home), "plan", "cut").code == 0
    assert (folder / ".ctxe/cache").is_dir()
    planned = ("plan", "--json", "cut")
    assert ctxe(inside, environment(home), *planned).json["files"][0]["path"] == "tool.py"
    assert ctxe(folder, environment(home), "init").code == 0
    shutil.rmtree(inside / ".ctxe")
    assert ctxe(inside, environment(home), *planned).json["files"][0]["path"] == "tool/tool.py"


def test_project_settings_that_loosen_safety_are_refused_and_reported(home: Path, repo: Path) -> None:
    (repo / ".ctxe.toml").write_text("[approval]\nmode = 'auto'\n[model]\nbase_url = 'http://evil.example'\n")
    with WireServer([Reply("hi")], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hello")
        assert (done.code, len(server.requests)) == (0, 1)
    assert "not followed: .ctxe.toml: " in done.err
    assert "base_url" in done.err


def test_an_unknown_model_asks_for_its_context_window(home: Path, repo: Path) -> None:
    done = ctxe(repo, environment(home, OPENAI_API_KEY=KEY), "chat", "-p", "hi", "--model", "openai/gpt-unheard-of")
    told(done, 3, "gpt-unheard-of")
    assert "window" in done.err


def test_a_missing_api_key_is_one_line_that_names_the_variable(home: Path, repo: Path) -> None:
    told(ctxe(repo, environment(home), "chat", "-p", "hi", "--model", "openai/gpt-5"), 3, "there is no key for openai")


def test_an_unreachable_provider_is_one_line_with_a_hint(home: Path, repo: Path) -> None:
    env = environment(home, OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://127.0.0.1:9/v1", CTXE_MODEL="openai/gpt-5")
    done = ctxe(repo, env, "chat", "-p", "hi", seconds=90)
    assert done.code == 5
    assert done.err.count("nothing answers at http://127.0.0.1:9/v1") == 1
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(401, failure("Incorrect API key provided", "invalid_api_key")), "key"),
        (
            Answer(429, failure("You exceeded your current quota", "insufficient_quota", "insufficient_quota")),
            "no credit left",
        ),
        (Answer(404, failure("The model does not exist", "model_not_found")), "model"),
    ],
)
def test_a_permanent_provider_error_is_not_retried(home: Path, repo: Path, answer: Answer, says: str) -> None:
    with WireServer([], then=answer) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hi")
        assert len(server.requests) == 1
    assert done.code == 5
    assert says in done.err.lower()
    assert KEY not in done.err + done.out


def test_a_request_is_repeated_after_a_cut_connection(home: Path, repo: Path) -> None:
    with WireServer([Drop(reset=True), Reply("a whole answer", fault="cut"), Reply("a whole answer")]) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hi", "--output-format", "json")
        assert len(server.requests) == 3
    assert done.json["text"] == "a whole answer"


def test_folders_without_a_repository_work(home: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.py").write_text("x = 1\n")
    done = ctxe(plain, environment(home), "chat", "-p", "what is here?")
    assert done.code == 0, done.err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert ctxe(empty, environment(home), "chat", "-p", "what is here?").code == 0
    told(ctxe(tmp_path, environment(home), "-C", str(tmp_path / "gone"), "budget"), 3, "no folder")


def test_a_session_works_without_git_installed(home: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.py").write_text("def first():\n    return 1\n")
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").symlink_to(sys.executable)
    env = {**environment(home), "PATH": str(bare)}
    done = ctxe(plain, env, "chat", "-p", "where is first defined?")
    assert done.code == 0, done.err
    assert ctxe(plain, env, "budget").code == 0


def test_a_folder_below_a_home_that_is_a_repository_of_settings_is_a_project_of_its_own(home: Path) -> None:
    repository(home, {".gitignore": "*\n!.gitignore\n"})
    project = home / "notes"
    (project / "src").mkdir(parents=True)
    (project / "src/header.py").write_text("def parse_header(line):\n    return line\n")
    planned = ctxe(project, environment(home), "plan", "--json", "parse_header fails").json
    assert [file["path"] for file in planned["files"]] == ["src/header.py"]


def test_a_branch_without_commits_and_odd_file_names_work(home: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=odd, check=True)
    (odd / "long.txt").write_bytes(b"x" * 50_000_000)
    (odd / "binary.bin").write_bytes(bytes(range(256)) * 100)
    (odd / "latin.py").write_bytes("name = 'caf\xe9'\n".encode("latin-1"))
    (odd / os.fsdecode(b"bad-\xff-name.py")).write_bytes(b"y = 2\n")
    os.mkfifo(odd / "pipe")
    (odd / "loop").symlink_to("loop")
    done = ctxe(odd, environment(home), "chat", "-p", "what is in latin.py?", seconds=30)
    assert done.code == 0, done.err
    assert ctxe(odd, environment(home), "budget", "hello").code == 0


def test_a_torn_log_is_resumed_to_its_last_good_line(home: Path, repo: Path) -> None:
    with WireServer(lambda body: Reply("I hear you")) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "the first words").code == 0
        (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
        with log.open("ab") as file:
            file.write(b'{"n":99,"type":"turn_sta')
        before = log.read_bytes()
        done = ctxe(repo, env, "chat", "-c", "-p", "the second words")
        assert done.code == 0
        assert "torn last line left out" in done.err
        assert log.read_bytes().startswith(before)
        sent = json.dumps(server.bodies[-1])
    assert "the first words" in sent
    assert "the second words" in sent


def test_a_session_of_a_newer_version_is_refused_unchanged(home: Path, repo: Path) -> None:
    folder = repo / ".ctxe/sessions"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_text('{"v":99,"session":"s"}\n')
    (folder / "s.jsonl").chmod(0o600)
    told(ctxe(repo, environment(home), "chat", "-r", "s", "-p", "hi"), 6, "newer ctxe")
    assert (folder / "s.jsonl").read_text() == '{"v":99,"session":"s"}\n'


def test_a_damaged_memory_entry_is_reported_and_not_changed(home: Path, repo: Path) -> None:
    folder = repo / ".ctxe/decisions"
    folder.mkdir(parents=True)
    damage = b"---\nid: [\n<<<<<<< HEAD\ntitle: x\n=======\n\0\xff\n"
    (folder / "0001-x.md").write_bytes(damage)
    (repo / ".ctxe/MEMORY.md").mkdir()
    done = ctxe(repo, environment(home), "chat", "-p", "hi")
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert (folder / "0001-x.md").read_bytes() == damage


def test_control_characters_in_memory_names_and_titles_are_escaped(home: Path, repo: Path) -> None:
    for number, name in ((1, "a\x1b]0;evil\x07\x9b2J\r.md"), (2, "b.md")):
        file = repo / ".ctxe/memory" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f'---\nid: "000{number}-aaaa"\nkind: fact\nodd line\n'
            'title: "Use\\u001b[2J tabs"\nstatus: current\n---\nUse tabs.\n'
        )
    skill = repo / ".ctxe/skills/odd"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text('---\nname: odd\ndescription: x\nallowed-tools: "\\u001b[2J"\n---\nWords.\n')
    env = environment(home)
    for words in (("memory", "review"), ("skills", "check"), ("-p", "tabs"), ("memory", "--\x1b[2J\u202e")):
        ran = ctxe(repo, env, *words)
        assert not re.search("[\x00-\x09\x0b-\x1f\x80-\x9f\u202e]", ran.out + ran.err), words


@pytest.mark.parametrize("more", [{}, {"PYTHONIOENCODING": "ascii"}])
def test_json_output_stays_valid_for_any_text_and_stream(home: Path, repo: Path, more: dict[str, str]) -> None:
    odd = os.fsdecode(b"caf\xc3\xa9 \xff")
    for words in (("plan", "--json", odd), ("pack", "--json", odd), ("chat", "--dry-run", odd)):
        done = subprocess.run(
            [sys.executable, "-m", "ctxe", *words],
            cwd=repo,
            env=environment(home) | more,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), words
        assert "café" in json.dumps(json.loads(done.stdout.decode()), ensure_ascii=False)


def test_config_set_refuses_a_value_that_is_not_text(home: Path, repo: Path) -> None:
    told(ctxe(repo, environment(home), "config", "set", "model.name", os.fsdecode(b"\xff")), 3, "is not text")


def test_a_budget_that_is_too_small_names_the_parts_that_do_not_fit(home: Path, repo: Path) -> None:
    told(ctxe(repo, environment(home), "budget", "--budget", "900", "hi"), 4, "the request cannot fit")


WRONG = [
    ("budget", "--step"),
    ("budget", "--step", "-1"),
    ("budget", "--budget", "-1"),
    ("chat", "--approval", "yolo"),
    ("frobnicate",),
    ("sessions",),
]


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_exits_with_code_two_or_shows_help(home: Path, repo: Path, words: tuple[str, ...]) -> None:
    done = ctxe(repo, environment(home), *words)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_a_file_in_place_of_the_memory_folder_is_reported(home: Path, repo: Path) -> None:
    (repo / ".ctxe").write_text("in the way\n")
    told(ctxe(repo, environment(home), "chat", "-p", "hi"), 7, "cannot create")
    assert (repo / ".ctxe").read_text() == "in the way\n"


def test_the_chat_goes_on_when_the_disk_is_full(home: Path, repo: Path) -> None:
    limit = f"ulimit -f 8; exec {sys.executable} -m ctxe chat -p hello"
    (repo / ".ctxe").mkdir()
    with WireServer(lambda body: Reply("still here " * 4000), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = subprocess.run(["bash", "-c", limit], cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert "still here" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
