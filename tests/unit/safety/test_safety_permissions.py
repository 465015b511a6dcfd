"""Which commands run unasked, which are asked about and which are refused: attack tables of similar programs."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny, Risk
from ctxe.safety.permissions import Policy, decide
from ctxe.safety.secrets import clean_environment

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
ASK = Policy(root="/w/repo")
AUTO = Policy(mode="auto", sandboxed=True, root="/w/repo")


def command(line: str) -> Action:
    return Action("run_command", "run", Risk.EXECUTE, lambda: iter(()), command=line)


def edit(*paths: str, tool: str = "edit_file") -> Action:
    return Action(tool, "edit", Risk.WRITE, lambda: iter(()), paths=paths)


def read(*paths: str) -> Action:
    return Action("read_file", "read", Risk.READ, lambda: iter(()), paths=paths)


def other(risk: Risk, tool: str = "mcp__x__y") -> Action:
    return Action(tool, "call", risk, lambda: iter(()))


def with_(policy: Policy, **changes: Any) -> Policy:
    import dataclasses

    return dataclasses.replace(policy, **changes)


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


@pytest.mark.parametrize("count", [60, 500, 5_000])
@pytest.mark.parametrize("joint", [" && ", " ; ", " | ", "\n", " || "])
def test_a_denied_command_stays_denied_in_a_long_line(count: int, joint: str) -> None:
    policy = with_(AUTO, deny=("run:curl *",), allow=("run:*",))
    line = joint.join(["true"] * count + ["curl trap.test"])
    started = time.process_time()
    assert decide(command(line), policy) == Deny("the rule run:curl * forbids it")
    assert time.process_time() - started < (0.5 if count < 5_000 else 5)


def test_five_hundred_parts_are_decided_within_fifty_milliseconds() -> None:
    line = " && ".join(["git status", "grep -n foo src/a.py", "ls -la"] * 167)
    decide(command("ls"), ASK)
    best = min(_seconds(line) for _ in range(5))
    assert best < 0.15, "50 ms on a quiet machine; three times that on a busy one"


def _seconds(line: str) -> float:
    started = time.process_time()
    assert decide(command(line), ASK) == Allow()
    return time.process_time() - started


@pytest.mark.parametrize(
    "line",
    [
        "git push origin main",
        "git -C sub push",
        "git -c a=b --no-pager push x",
        "git --config-env a.b=HOME push",
        "git --attr-source HEAD push",
        "/usr/bin/git push",
        "bash -c 'git push'",
        "echo $(git push)",
        "true && (git push)",
        "env A=1 git push",
        "if x; then git push; fi",
        "g''it push",
        "eval git push",
        "xargs git push",
        "$X; git push",
        "git push )",
    ],
)
def test_a_deny_rule_matches_every_spelling_of_the_command(line: str) -> None:
    policy = with_(AUTO, deny=("run:git push *",), allow=("run:git *",), granted=(f"line:{line}",))
    assert isinstance(decide(command(line), policy), Deny)


@pytest.mark.parametrize(
    ("rule", "line", "allowed"),
    [
        ("run:pytest *", "pytest", True),
        ("run:pytest *", "pytest -q tests/unit", True),
        ("run:pytest *", "pytest -q 2>&1 | tail -20", True),
        ("run:pytest *", "cd src && pytest -k 'a and b'", True),
        ("run:pytest *", "pytest-evil x", False),
        ("run:pytest *", "pytestevil", False),
        ("run:pytest *", "./pytest", False),
        ("run:pytest *", "/evil/pytest", False),
        ("run:pytest *", "pytest; touch HOSTILE", False),
        ("run:pytest *", "pytest && touch HOSTILE", False),
        ("run:pytest *", "pytest & touch HOSTILE", False),
        ("run:pytest *", "pytest $(touch HOSTILE)", False),
        ("run:pytest *", "pytest `touch HOSTILE`", False),
        ("run:pytest *", "pytest > HOSTILE", False),
        ("run:pytest *", "pytest\ntouch HOSTILE", False),
        ("run:pytest *", "A=1 pytest", False),
        ("run:pytest *", "pytest | tee HOSTILE", False),
        ("run:pytest *", "touch HOSTILE | pytest", False),
        ("run:git status", "git status", True),
        ("run:git commit", "git commit", True),
        ("run:git commit", "git commit -m x", False),
        ("run:git", "git commit", False),
        ("run:git commit *", "git commit-tree x", False),
        ("run:git commit *", "git -c core.editor=x commit", False),
        ("run:npm run test *", "npm run test:evil", False),
        ("run:npm run test*", "npm run test:all", True),
        ("run:make * x", "make a x", True),
        ("run:make * x", "make a b x", False),
        ("run:make 'a b'", "make 'a b'", True),
        ("run:make 'a b'", "make a b", False),
        ("run:make 'unclosed", "make unclosed", False),
        ("line:make a && make b", "make a && make b", True),
        ("line:make a && make b", "make a && make b && make c", False),
        ("tool:run_command", "make x", True),
        ("tool:run_comman", "make x", False),
        ("edit:make", "make", False),
    ],
)
def test_rules_are_matched_word_by_word(rule: str, line: str, allowed: bool) -> None:
    assert isinstance(decide(command(line), with_(ASK, allow=(rule,))), Allow) is allowed
    assert isinstance(decide(command(line), with_(ASK, granted=(rule,), interactive=False)), Allow) is allowed


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("pytest -q tests", "run:pytest *"),
        ("python -m pytest x", "run:python -m pytest *"),
        ("npm run build", "run:npm run build *"),
        ("make test", "run:make test *"),
        ("make -f evil", "run:make -f evil"),
        ("cargo test", "run:cargo test *"),
        ("python x.py 'a b'", "run:python x.py 'a b'"),
        ("touch '*.py'", "run:touch '[*].py'"),
        ("ls && make lint", "run:make lint *"),
        ("make a && make b", "line:make a && make b"),
        ("A=1 make", "line:A=1 make"),
        ("make > log.txt", "line:make > log.txt"),
        ("echo $HOME", "line:echo $HOME"),
    ],
)
def test_the_always_rule_is_narrow_and_allows_the_command_again(line: str, rule: str) -> None:
    decision = decide(command(line), ASK)
    assert isinstance(decision, Ask)
    assert decision.rule == rule
    assert decide(command(line), with_(ASK, granted=(rule,))) == Allow()


def test_an_exact_rule_allows_no_more() -> None:
    policy = with_(ASK, granted=("run:touch '[*].py'",))
    assert isinstance(decide(command("touch a.py"), policy), Ask)


PROTECTED = [
    ".git/config",
    ".git/hooks/pre-commit",
    ".GIT/config",
    ".g\u200cit/hooks/x",
    "sub/.git/config",
    ".git./config",
    ".git /config",
    "git~1/config",
    ".git::$INDEX_ALLOCATION/config",
    ".ctxe.toml",
    ".CTXE.TOML",
    ".ctxe/MEMORY.md",
    ".cTxE/skills/x/SKILL.md",
    "\uff0ectxe/x",
    ".ctxe\u200b/x",
    ".ctxeignore",
    "AGENTS.md",
    "agents.MD",
    "sub/dir/AGENTS.md",
    "\uff21GENTS.md",
    "CLAUDE.md",
    "GEMINI.md",
    ".cursorrules",
    ".cursor/rules/x.mdc",
    ".github/copilot-instructions.md",
    ".claude/settings.json",
    ".mcp.json",
    ".vscode/settings.json",
    ".devcontainer/devcontainer.json",
    ".devcontainer.json",
    ".idea/workspace.xml",
    ".Zed/tasks.json",
    ".opencode/plugin/x.ts",
    "opencode.json",
    ".windsurf/rules/x.md",
    ".clinerules/x.md",
    ".github/instructions/x.instructions.md",
    ".pre-commit-config.yaml",
    "sub/lefthook.yml",
    "mise.toml",
    ".roomodes",
    ".husky/pre-commit",
    ".github/workflows/ci.yml",
    ".GitHub/Workflows/new.yaml",
    "sub/.github/actions/build/action.yml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    ".circleci/config.yml",
    ".agents/skills/x/SKILL.md",
    ".env",
    ".env.production",
    ".envrc",
    "MEMORY.md",
    "id_rsa",
]


@pytest.mark.parametrize("path", PROTECTED)
def test_protected_files_ask_in_every_mode_existing_or_not(path: str) -> None:
    for policy in (
        AUTO,
        with_(AUTO, mode="auto-edit"),
        with_(ASK, granted=("edit:**", f"edit:{path}", "tool:edit_file")),
    ):
        decision = decide(edit("src/a.py", path), policy)
        assert isinstance(decision, Ask)
        assert "protected" in decision.why
        assert decision.rule == ""
        assert isinstance(decide(edit(path), with_(policy, interactive=False)), Deny)


@pytest.mark.parametrize(
    "path", [".github/ISSUE_TEMPLATE/bug.md", ".github/dependabot.yml", "workflows/a.py", "docs/jenkins.md"]
)
def test_edits_near_ci_configuration_that_run_nothing_are_not_asked_about(path: str) -> None:
    assert decide(edit(path), with_(AUTO, mode="auto-edit")) == Allow()


@pytest.mark.parametrize(
    "path",
    [".github/workflows/ci.yml", "AGENTS.md", ".git/hooks/pre-commit", ".ctxe.toml", ".vscode/tasks.json", ".env"],
)
@pytest.mark.parametrize(
    "line", ["echo x > {}", "cp x {}", "sed -i s/a/b/ {}", "tee {}", "mv x {}", "dd of={}", "x --out={}"]
)
def test_commands_that_name_protected_files_ask(path: str, line: str) -> None:
    assert isinstance(decide(command(line.format(path)), with_(AUTO, allow=("run:*",))), Ask)


@pytest.mark.parametrize(
    "line",
    [
        "cd sub/.claude && cp ../x settings.json",
        "cd .github && tee workflows/ci.yml",
        "cd sub; cd .vscode; sed -i s/a/b/ tasks.json",
        "pushd .husky && mv ../x pre-commit",
    ],
)
def test_commands_that_enter_a_protected_folder_and_write_there_ask(line: str) -> None:
    assert "is protected" in getattr(decide(command(line), AUTO), "why", "")
    for harmless in ("cd sub/.claude && cat settings.json", "cd .github && make", "make x && cd .vscode && ls"):
        assert decide(command(harmless), AUTO) == Allow(), harmless


@pytest.mark.parametrize(
    "path", ["src/a.py", "gitignore", "docs/agents.md.txt", ".gitignore", "ctxe/x.py", ".env.example", "a.git"]
)
def test_ordinary_files_are_edited_in_auto(path: str) -> None:
    assert decide(edit(path), AUTO) == Allow()
    assert decide(edit(path), with_(AUTO, mode="auto-edit")) == Allow()
    assert decide(edit(path), with_(AUTO, sandboxed=False, interactive=False)) == Allow()


def test_edits_are_asked_about_and_always_holds_for_that_file() -> None:
    assert decide(edit("src/a.py"), ASK) == Ask("", "edit:src/a.py")
    assert decide(edit("src/a.py"), with_(ASK, granted=("edit:src/a.py",))) == Allow()
    assert decide(edit("src/b.py"), with_(ASK, granted=("edit:src/a.py",))) == Ask("", "edit:src/b.py")
    assert decide(edit("a[1]*.py"), ASK) == Ask("", "edit:a[[]1][*].py")
    assert decide(edit("a[1]*.py"), with_(ASK, granted=("edit:a[[]1][*].py",))) == Allow()
    assert decide(edit("a", "b"), ASK) == Ask("", "")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "src/../../x", "/w/repo-evil/x", "/w/repo/../repo-evil/x"])
def test_edits_outside_are_refused(path: str) -> None:
    assert decide(edit(path), AUTO) == Deny(f"{path} is outside the work tree")


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("src/**", "src/a/b.py", True),
        ("src/**", "src-evil/a.py", False),
        ("src/*", "src/a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "a/b/c.py", True),
        ("*.py", "a/b.py", False),
        ("./src/a.py", "src/a.py", True),
        ("src/?.py", "src/a.py", True),
        ("src", "src/a.py", False),
    ],
)
def test_edit_rules_match_globs(glob: str, path: str, covered: bool) -> None:
    assert isinstance(decide(edit(path), with_(ASK, allow=(f"edit:{glob}",))), Allow) is covered
    assert isinstance(decide(edit(path), with_(AUTO, deny=(f"edit:{glob}",))), Deny) is covered


def test_a_denied_path_is_denied_in_every_spelling() -> None:
    policy = with_(AUTO, deny=("edit:vendor/**", "read:private/**"))
    assert isinstance(decide(edit("Vendor/a.py"), policy), Deny)
    assert isinstance(decide(read("PRIVATE/x"), policy), Deny)
    assert not isinstance(decide(command("cat private/x"), with_(policy, mode="ask")), Allow)


def test_secret_files_are_read_after_a_question_only() -> None:
    assert decide(read("src/a.py"), ASK) == Allow()
    assert decide(read("src/a.py", ".env"), AUTO) == Ask(".env may hold keys and passwords", "read:.env")
    assert decide(read(".env"), with_(ASK, granted=("read:.env",))) == Allow()
    assert isinstance(decide(read(".env"), with_(AUTO, interactive=False)), Deny)


def test_without_a_sandbox_auto_asks_for_commands() -> None:
    auto = with_(AUTO, sandboxed=False)
    assert decide(command("make"), auto) == Ask("", "run:make")
    assert isinstance(decide(command("make"), with_(auto, interactive=False)), Deny)
    assert decide(command("make"), with_(auto, interactive=False, allow=("run:make",))) == Allow()
    assert decide(command("git status"), with_(auto, interactive=False)) == Allow()


def test_a_file_written_by_a_command_is_an_edit() -> None:
    line = "echo hi > src/a.txt"
    assert isinstance(decide(command(line), ASK), Ask)
    assert decide(command(line), with_(ASK, mode="auto-edit")) == Allow()
    assert decide(command(line), with_(ASK, allow=("edit:src/*",))) == Allow()
    for away in (
        "echo hi > /etc/x",
        "echo hi > ../x",
        "echo hi > *",
        "echo hi > AGENTS.md",
        "cd src && echo > ../../x",
    ):
        assert isinstance(decide(command(away), with_(ASK, mode="auto-edit")), Ask)


def test_git_asks_where_the_repository_would_make_it_run_something() -> None:
    policy = with_(ASK, git_runs=("diff.evil.textconv",))
    assert decide(command("git log -p"), policy) == Ask(
        "git would run diff.evil.textconv of this repository", "run:git log -p"
    )
    assert decide(command("ls"), policy) == Allow()


def test_external_tools_are_asked_about_by_name() -> None:
    assert decide(other(Risk.NETWORK), AUTO) == Ask("it reaches the network", "tool:mcp__x__y")
    assert decide(other(Risk.EXECUTE), AUTO) == Ask("it acts outside of ctxe", "tool:mcp__x__y")
    assert decide(other(Risk.EXECUTE), with_(ASK, granted=("tool:mcp__x__y",))) == Allow()
    assert decide(other(Risk.READ), with_(ASK, deny=("tool:mcp__x__y",))) == Deny("the rule tool:mcp__x__y forbids it")


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


def test_server_tool_rules_match_patterns_and_a_changed_tool_is_always_asked_about() -> None:
    call = other(Risk.NETWORK, "git/search_code")
    assert decide(call, with_(ASK, allow=("tool:git/search_*",))) == Allow()
    assert decide(call, with_(ASK, allow=("tool:git/se?rch",))) == Ask("it reaches the network", "tool:git/search_code")
    assert decide(call, with_(ASK, allow=("tool:*",), deny=("tool:git/*",))) == Deny(
        "the rule tool:git/search_code forbids it"
    )
    changed = replace(call, changed="it is told otherwise")
    for policy in (with_(AUTO, allow=("tool:*",)), with_(ASK, granted=("tool:git/search_code",))):
        assert decide(changed, policy) == Ask("it is told otherwise")
    assert decide(changed, with_(ASK, mode="read-only", allow=("tool:*",))) == Deny("this session only reads")
    assert decide(changed, with_(ASK, deny=("tool:git/*",))) == Deny("the rule tool:git/search_code forbids it")
    assert decide(changed, with_(ASK, allow=("tool:*",), interactive=False)) == Deny(
        "git/search_code needs a person's yes (it is told otherwise) and nobody is there to give it"
    )


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
def test_only_commands_that_use_the_network_are_said_to(line: str, reached: str) -> None:
    why = getattr(decide(command(line), ASK), "why", None)
    assert why == (f"it reaches the network ({reached})" if reached else "")
