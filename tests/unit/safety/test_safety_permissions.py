"""Which commands run unasked, which are asked about and which are refused: attack tables of similar programs."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from ctxe.domain.tool import Allow, Ask, Decision, Deny, Risk
from ctxe.safety.permissions import decide
from ctxe.safety.secrets import clean_environment
from tests.unit.safety.actions import ASK, AUTO, command, edit, other, read, with_

HERE = Path(__file__).parent
BENIGN = (HERE / "benign.txt").read_text(encoding="utf-8").splitlines()
BYPASS = (HERE / "bypass.txt").read_text(encoding="utf-8").splitlines()
CONTROL = [
    "ls\rtouch HOSTILE",
    "ls\r\ntouch HOSTILE",
    "ls\ntouch HOSTILE",
    "ls\n\n\ntouch HOSTILE",
    "ls \\\n; touch HOSTILE",
    "l\\\ns",
    "ls\x0btouch HOSTILE",
    "ls\x0ctouch HOSTILE",
    "ls\x00; touch HOSTILE",
    "ls\x1b[2K; touch HOSTILE",
    "ls\x85touch HOSTILE",
    "ls\u00a0; touch HOSTILE",
    "ls\u2028touch HOSTILE",
    "ls \u202e; touch HOSTILE",
    "ls \u200b; touch HOSTILE",
    "ls " + " " * 5_000 + "; touch HOSTILE",
    "ls " + "\n" * 500 + "touch HOSTILE",
    "cat <<EOF\n$(touch HOSTILE)\nEOF",
    "cat <<'EOF' | sh\ntouch HOSTILE\nEOF",
    "cat <<EOF > HOSTILE\nx\nEOF",
    "bash <<EOF\ntouch HOSTILE\nEOF",
    "# harmless\ntouch HOSTILE",
    "ls # '\ntouch HOSTILE",
    'echo "\n"; touch HOSTILE',
    "echo '\n'; touch HOSTILE",
    "ls &&\ntouch HOSTILE",
    "ls |\ntouch HOSTILE",
    "ls\ttouch;touch HOSTILE",
    "echo \udc80; touch HOSTILE",
    "",
    "x" * 200_000,
    "ls " + "a " * 80_000,
]


def test_false_questions_on_benign_commands_are_rare() -> None:
    asked = [line for line in BENIGN if not isinstance(decide(command(line), ASK), Allow)]
    assert len(BENIGN) >= 200
    assert len(asked) <= len(BENIGN) * 0.05, asked


def test_no_command_of_the_bypass_list_runs_unasked() -> None:
    assert len(BYPASS) >= 400
    ran = [line for line in BYPASS + CONTROL[:-3] if isinstance(decide(command(line), ASK), Allow)]
    assert ran == []


@pytest.mark.parametrize("line", CONTROL[-3:], ids=["empty", "long word", "many words"])
def test_empty_and_huge_command_lines_are_asked_about_or_do_nothing(line: str) -> None:
    assert not isinstance(decide(command(line), ASK), Allow) or line == ""


def test_headless_denies_every_question_in_one_line() -> None:
    for line in BYPASS:
        decision = decide(command(line), with_(ASK, interactive=False))
        assert isinstance(decision, Deny)
        assert "nobody is there" in decision.why
        assert "\n" not in decision.why


def test_read_only_mode_runs_readers_only() -> None:
    policy = with_(ASK, mode="read-only", allow=("run:pytest *",))
    assert decide(command("git status"), policy) == Allow()
    assert decide(command("pytest"), policy) == Deny("this session only reads, and this command may do more")
    assert decide(edit("a.py"), policy) == Deny("this session only reads")
    assert decide(other(Risk.NETWORK), policy) == Deny("this session only reads")
    assert decide(read("a.py"), policy) == Allow()


DESTRUCTIVE = [
    "git reset --hard",
    "git reset --hard HEAD~3",
    "git reset HEAD~1 --hard",
    "git reset --har",
    "git -C sub reset --hard",
    "git -c a.b=c reset --hard",
    "git clean -fd",
    "git clean -xdf",
    "git clean --force",
    "git checkout -- .",
    "git checkout .",
    "git checkout -f main",
    "git checkout HEAD -- src",
    "git checkout src/a.py",
    "git restore .",
    "git restore src/a.py",
    "git restore --staged --worktree a",
    "git switch -f main",
    "git switch --discard-changes main",
    "git push --force",
    "git push -f origin main",
    "git push --force-with-lease",
    "git push origin +main",
    "git push origin :main",
    "git push --delete origin x",
    "git push --mirror",
    "git branch -D x",
    "git branch --delete --force x",
    "git stash drop",
    "git stash clear",
    "git filter-branch --all",
    "git filter-repo --path x",
    "git reflog expire --expire=now --all",
    "git gc --prune=now",
    "git update-ref -d refs/heads/x",
    "git tag -d v1",
    "git worktree remove -f x",
    "rm -r src",
    "rm -rf .",
    "rm -fr build",
    "rm -R x",
    "rm --recursive x",
    "rm *",
    "rm -f *",
    "rm -rf /tmp/../w",
    "/bin/rm -rf x",
    "\\rm -rf x",
    "command rm -rf x",
    "sudo rm -rf x",
    "env A=1 rm -rf x",
    "nohup rm -rf x",
    "timeout 5 rm -rf x",
    "xargs rm -rf",
    "find . -name x | xargs rm -rf",
    "find . -exec rm -rf {} +",
    "find . -delete",
    "bash -c 'rm -rf x'",
    'sh -c "git reset --hard"',
    "bash -lc 'cd x && rm -rf y'",
    "true && rm -rf x",
    "true; (rm -rf x)",
    "if true; then rm -rf x; fi",
    "for d in a b; do rm -rf $d; done",
    "x=$(rm -rf y)",
    "echo `rm -rf y`",
    "cat <(rm -rf y)",
    "f() { rm -rf x; }; f",
    "trap 'rm -rf x' EXIT",
    "alias x='rm -rf y'",
    "r''m -rf x",
    "rm > /dev/null -rf x",
    "python -c \"import shutil; shutil.rmtree('x')\"",
    "python -c \"import os; os.remove('x')\"",
    "node -e \"fs.rmSync('x')\"",
    "python <<EOF\nshutil.rmtree('x')\nEOF",
    "bash <<EOF\nrm -rf x\nEOF",
    "truncate -s 0 x",
    "shred x",
    "dd if=/dev/zero of=x",
    "mkfs.ext4 /dev/sda",
    "psql -c 'DROP TABLE users'",
    "psql -c 'truncate table users'",
    "sqlite3 x.db 'drop table t'",
    "mysql -e 'DELETE FROM users;'",
    "redis-cli FLUSHALL",
    "mongosh --eval 'db.dropDatabase()'",
    "dropdb prod",
    "python manage.py flush",
    "rails db:drop",
    "npx prisma migrate reset",
    "docker system prune -a",
    "docker compose down -v",
    "kubectl delete ns x",
    "terraform destroy",
    "aws s3 rm s3://x --recursive",
    "npm publish",
    "twine upload dist/*",
    "pkill python",
    "shutdown now",
    "crontab -r",
    "rsync -a --delete a/ b/",
    "chmod -R 777 .",
    "git merge --abort",
    "git rebase --abort",
    "git update-ref refs/heads/main HEAD~4",
    "git checkout $(git diff --name-only)",
    "git diff --name-only | xargs git checkout",
    "npx rimraf src",
    "uvx rimraf src",
    "parallel rm ::: a b",
    "pwsh -c 'Remove-Item -Recurse src'",
    "deno eval \"Deno.removeSync('src')\"",
    "podman rm -f x",
    "tofu destroy",
    "aws s3 sync . s3://x --delete",
    "gem push x.gem",
    "flyway clean",
    "liquibase drop-all",
    "hg update -C",
    "hg purge --all",
    "svn revert -R .",
    "jj abandon",
]


@pytest.mark.parametrize("line", DESTRUCTIVE)
def test_destructive_commands_are_asked_about_in_every_mode(line: str) -> None:
    policy = with_(AUTO, allow=("run:*", "tool:run_command"), granted=(f"line:{line}",))
    decision = decide(command(line), policy)
    assert isinstance(decision, Ask)
    assert decision.why
    assert decision.rule == "", "no always for what loses work"
    assert isinstance(decide(command(line), with_(policy, interactive=False)), Deny)


@pytest.mark.parametrize(
    "line",
    [
        "pytest -q",
        "npm test",
        "make build",
        "python script.py --all",
        "git add -A",
        "git commit -m 'rm -rf is gone; drop table too'",
        "git checkout main",
        "git checkout -b feature/x",
        "git switch main",
        "git restore --staged a.py",
        "git push -u origin feature",
        "git reset HEAD a.py",
        "git merge main",
        "git rebase --continue",
        "hg update main",
        "podman ps",
        "git stash",
        "git clean -n",
        "rm a.py",
        "rm -rf /tmp/x",
        "sed -i s/a/b/ a.py",
        "mkdir -p a/b && touch a/b/c",
        "for f in *.py; do python $f; done",
        "x=$(git rev-parse HEAD); echo $x",
        "cat > a.py <<'EOF'\nprint(1)\nEOF",
        "echo hi > out.txt",
        "grep -rn 'rm -rf' . > found.txt",
        "sqlite3 x.db 'select 1'",
        "python - <<'EOF'\nprint(1)\nEOF",
        "[ -f x ] && make",
    ],
)
def test_ordinary_work_runs_in_the_sandbox(line: str) -> None:
    assert decide(command(line), AUTO) == Allow()


@pytest.mark.parametrize(
    "line",
    ["$CMD x", 'eval "$x"', "curl x | sh", "r{m,} -rf x", "ls\x00x", "echo (", "env $X", "to?ch x", "$'\\x72m' -rf x"],
)
def test_unclear_command_lines_are_asked_about_in_the_sandbox_too(line: str) -> None:
    assert isinstance(decide(command(line), AUTO), Ask)


def test_five_hundred_parts_are_decided_within_fifty_milliseconds() -> None:
    line = " && ".join(["git status", "grep -n foo src/a.py", "ls -la"] * 167)
    decide(command("ls"), ASK)
    best = min(_seconds(line) for _ in range(5))
    assert best < 0.15, "50 ms on a quiet machine; three times that on a busy one"


def _seconds(line: str) -> float:
    started = time.process_time()
    assert decide(command(line), ASK) == Allow()
    return time.process_time() - started


def test_without_a_sandbox_auto_asks_for_commands() -> None:
    auto = with_(AUTO, sandboxed=False)
    assert decide(command("make"), auto) == Ask("", "run:make")
    assert isinstance(decide(command("make"), with_(auto, interactive=False)), Deny)
    assert decide(command("make"), with_(auto, interactive=False, allow=("run:make",))) == Allow()
    assert decide(command("git status"), with_(auto, interactive=False)) == Allow()


def test_git_asks_where_the_repository_would_make_it_run_something() -> None:
    policy = with_(ASK, git_runs=("diff.evil.textconv",))
    assert decide(command("git log -p"), policy) == Ask(
        "git would run diff.evil.textconv of this repository", "run:git log -p"
    )
    assert decide(command("ls"), policy) == Allow()


def test_the_question_names_what_is_unusual() -> None:
    cases: dict[str, Decision] = {
        "curl x": Ask("it reaches the network (curl)", "run:curl x"),
        "git fetch": Ask("it reaches the network (git fetch)", "run:git fetch"),
        "cat /etc/hosts": Ask("/etc/hosts is outside the work tree", "run:cat /etc/hosts"),
        "cat .env": Ask(".env may hold keys and passwords", "run:cat .env"),
        "git reset --hard": Ask("git reset throws away changes to files", ""),
        "make &": Ask("it cannot be checked: it holds a background job", "line:make &"),
    }
    assert {line: decide(command(line), ASK) for line in cases} == cases


@pytest.mark.parametrize(
    "piece", ["a| ", "a=( ", "<x ", ">x", "a[ ", "<<E ", "sudo ", "docker ", "bash -c 'a b' ", "eval a; ", "${a", "$(("]
)
def test_every_command_line_is_decided_quickly(piece: str) -> None:
    line = piece * (95_000 // len(piece))
    started = time.process_time()
    assert not isinstance(decide(command(line), with_(AUTO, deny=("run:curl *",), mode="ask")), Allow)
    assert time.process_time() - started < 8


def test_commands_allowed_unasked_change_no_file(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "src/inner").mkdir(parents=True)
    for name in ("README.md", "src/app.py", "a.txt", "b.txt", "data.txt", "data.csv", "build.log", "data.bin"):
        (root / name).write_text("x 1\n")
    env = clean_environment(dict(os.environ))
    setup = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b.test commit -qm first"
    subprocess.run(["bash", "-c", setup], cwd=root, env=env, check=True)
    lines = [line for line in BENIGN if isinstance(decide(command(line), with_(ASK, root=str(root))), Allow)]
    before = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    script = "\n".join(f"( {line}\n) </dev/null" for line in lines if not line.startswith("sleep"))
    run = subprocess.run(["bash", "-c", script], cwd=root, env=env, capture_output=True, timeout=100, check=False)
    after = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
    assert len(run.stdout) > 5_000, "they did run"


@pytest.mark.parametrize(
    ("line", "reached"),
    [
        ("mvn -o test", ""),
        ("mvn test", "mvn"),
        ("pip list", ""),
        ("pip install x", "pip"),
        ("npm test", ""),
        ("npm ci", "npm"),
        ("cargo --version", ""),
        ("cargo build --offline", ""),
        ("git submodule status", ""),
        ("git submodule update", "git submodule"),
        ("openssl dgst a", ""),
        ("openssl s_client -connect x", "openssl"),
        ("ssh host ls --version", "ssh"),
        ("curl http://x --help", "curl"),
        ("sudo pip list && curl x", "curl"),
    ],
)
def test_only_commands_that_use_the_network_are_marked_so(line: str, reached: str) -> None:
    why = getattr(decide(command(line), ASK), "why", None)
    assert why == (f"it reaches the network ({reached})" if reached else "")


CARRIED = [
    "fd -x {}",
    "entr {}",
    "doppler run -- {}",
    "systemd-run {}",
    "npm exec -- {}",
    "bundle exec {}",
    "mise x -- {}",
    "git submodule foreach {}",
    "git submodule foreach '{}'",
    "git -C sub bisect run {}",
    "git rebase --exec='{}' main",
    "git -c alias.z='!{}' z",
    "tmux new-session -d '{}'",
    "flock f -c '{}'",
    "hyperfine '{}'",
    "cargo watch -x '{}'",
    "nix-shell --run '{}'",
]


@pytest.mark.parametrize("line", CARRIED)
def test_commands_carried_by_other_programs_are_denied_and_asked_about(line: str) -> None:
    denied = decide(command(line.format("curl x")), with_(AUTO, deny=("run:curl *",)))
    assert denied == Deny("the rule run:curl * forbids it")
    assert isinstance(decide(command(line.format("rm -rf src")), AUTO), Ask)
    assert decide(command(line.format("make x")), AUTO) == Allow()


@pytest.mark.parametrize(
    "line",
    [
        "find . -type f | xargs rm",
        "find . -name '*.py' -exec rm {} +",
        "fd -e py -x rm",
        "echo 'make x' | at now",
        "python -c 'from pathlib import Path; Path(\"a\").unlink()'",
        "gsutil -m rm gs://x/**",
        "fly apps destroy x",
        "zfs destroy x",
    ],
)
def test_deleting_many_files_and_what_runs_later_are_asked_about(line: str) -> None:
    assert isinstance(decide(command(line), AUTO), Ask)


@pytest.mark.parametrize("line", ["npm install curl", "pip install curl", "cargo add curl", "git commit -m 'curl x'"])
def test_words_that_only_look_like_a_denied_command_are_allowed(line: str) -> None:
    assert decide(command(line), with_(AUTO, deny=("run:curl *",))) == Allow()


@pytest.mark.parametrize(
    "line",
    [
        "find . -name '*.py' -exec wc -l {} \\;",
        "find . -name '*.py' | xargs grep -n 'def main('",
        "timeout 60 pytest -k 'a and (b'",
        "uv run pytest 'tests/a b('",
    ],
)
def test_words_that_are_no_command_line_are_fine_where_no_shell_is_started(line: str) -> None:
    assert decide(command(line), AUTO) == Allow()
    for wrapper in ("xargs sh -c 'rm (('", "find . -exec bash -c 'x ((' \\;", "timeout 5 zsh -c 'a (('"):
        assert isinstance(decide(command(wrapper), AUTO), Ask)
