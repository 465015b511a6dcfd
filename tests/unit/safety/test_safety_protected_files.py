"""Which files are protected: reads, edits and commands that reach one are asked about in every mode."""

import pytest

from ctxe.domain.tool import Allow, Ask, Deny
from ctxe.safety.command_lines import TOO_MANY_FOLDERS
from ctxe.safety.permissions import decide
from tests.unit.safety.actions import ASK, AUTO, command, edit, read, with_

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
        "cd -P .claude && cp ../x settings.json",
        "cd -- .claude && cp ../x settings.json",
    ],
)
def test_commands_that_enter_a_protected_folder_and_write_there_ask(line: str) -> None:
    assert "is protected" in getattr(decide(command(line), AUTO), "why", "")
    for harmless in ("cd sub/.claude && cat settings.json", "cd .github && make", "make x && cd .vscode && ls"):
        assert decide(command(harmless), AUTO) == Allow(), harmless


def test_a_line_that_enters_more_folders_than_are_followed_asks_before_it_writes() -> None:
    away = "cd a && cd .. && cd a && cd .. && "
    assert getattr(decide(command(f"{away}cd .claude && cp ../x settings.json"), AUTO), "why", "") == TOO_MANY_FOLDERS
    assert decide(command(f"{away}cd src && make"), AUTO) == Allow()
    assert decide(command("cd a && make && cd ../b && make && cd ../c && make"), AUTO) == Allow()


@pytest.mark.parametrize(
    "path", ["src/a.py", "gitignore", "docs/agents.md.txt", ".gitignore", "ctxe/x.py", ".env.example", "a.git"]
)
def test_ordinary_files_are_edited_in_auto(path: str) -> None:
    assert decide(edit(path), AUTO) == Allow()
    assert decide(edit(path), with_(AUTO, mode="auto-edit")) == Allow()
    assert decide(edit(path), with_(AUTO, sandboxed=False, interactive=False)) == Allow()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "src/../../x", "/w/repo-evil/x", "/w/repo/../repo-evil/x"])
def test_edits_outside_are_refused(path: str) -> None:
    assert decide(edit(path), AUTO) == Deny(f"{path} is outside the work tree")


def test_secret_files_are_read_after_a_question_only() -> None:
    assert decide(read("src/a.py"), ASK) == Allow()
    assert decide(read("src/a.py", ".env"), AUTO) == Ask(".env may hold keys and passwords", "read:.env")
    assert decide(read(".env"), with_(ASK, granted=("read:.env",))) == Allow()
    assert isinstance(decide(read(".env"), with_(AUTO, interactive=False)), Deny)


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
