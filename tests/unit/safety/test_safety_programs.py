"""Helper programs are found outside the repository, and git runs nothing that the repository configures."""

import os
import subprocess
from pathlib import Path

import pytest

from ctxe.domain.errors import CtxeError
from ctxe.safety.programs import configured_programs, find_program, git_command, git_environment, own_program
from ctxe.safety.secrets import clean_environment

HOSTILE = """
[core]
 fsmonitor = touch HOSTILE-fsmonitor
 pager = touch HOSTILE-pager; cat
 sshCommand = touch HOSTILE-ssh
 hooksPath = hooks
[filter "a=b"]
 clean = touch HOSTILE-clean; cat
 required = true
[filter.dotted] clean = touch HOSTILE-dotted; cat
[merge "odd"]
 driver = touch HOSTILE-merge
[gpg]
 program = ./sign
[commit]
 gpgSign = true
[log]
 showSignature = true
[diff "shown"]
 textconv = touch HOSTILE-textconv; cat
 command = touch HOSTILE-external; true
[diff]
 external = touch HOSTILE-diff
[include]
 path = "../mo""re"
[credential]
 helper = "!touch HOSTILE-credential"
"""


def program(path: Path, words: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def git(root: Path, *args: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    odd = {"GIT_DIR": "/nowhere", "LD_PRELOAD": "/nowhere.so", "HOME": str(home or root)}
    env = git_environment(dict(os.environ) | odd)
    return subprocess.run(git_command(root, *args), env=env, capture_output=True, text=True, timeout=20, check=False)


def test_a_program_is_found_outside_the_repository(tmp_path: Path) -> None:
    found = program(tmp_path / "bin/tool")
    assert find_program("tool", tmp_path / "repo", [str(tmp_path / "bin")]) == found


def test_programs_in_the_repository_are_never_used(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    planted = program(root / "bin/tool")
    links = tmp_path / "links"
    links.mkdir()
    (links / "tool").symlink_to(planted)
    (tmp_path / "linked").symlink_to(root / "bin")
    outside = program(tmp_path / "repo-evil/tool")
    search = [str(root / "bin"), str(links), str(tmp_path / "linked"), "", ".", "bin", str(outside.parent)]
    assert find_program("tool", root, search[:-1]) is None
    assert find_program("tool", root, search) == outside, "a sibling with a longer name is outside"


def test_folders_and_plain_files_are_no_programs(tmp_path: Path) -> None:
    (tmp_path / "bin/tool").mkdir(parents=True)
    (tmp_path / "bin/text").write_text("words")
    assert find_program("tool", tmp_path / "repo", [str(tmp_path / "bin")]) is None
    assert find_program("text", tmp_path / "repo", [str(tmp_path / "bin")]) is None


def test_a_session_in_the_root_folder_still_finds_programs() -> None:
    assert find_program("git", Path("/")) is not None


def test_missing_git_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CtxeError, match="git is not on PATH outside this repository"):
        git_command(tmp_path, "status", search=[])


def test_a_hostile_repository_runs_no_program_through_git(repository: Path) -> None:
    with (repository / ".git/config").open("a") as config:
        config.write(HOSTILE)
    (repository / "more").write_text('[filter "included"]\n clean = touch HOSTILE-included; cat\n')
    (repository / ".gitattributes").write_text(
        "*.a filter=a=b diff=shown\n*.b filter=dotted diff=shown merge=odd\n*.c filter=included\n"
    )
    program(repository / "sign", "touch HOSTILE-sign")
    for hook in ("pre-commit", "post-checkout", "post-index-change", "commit-msg", "reference-transaction"):
        program(repository / "hooks" / hook, f"touch HOSTILE-{hook}")
    for name in ("f.a", "f.b", "f.c"):
        (repository / name).write_text("one\n")
    done = [git(repository, "add", "-A")]
    done += [git(repository, "-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-qm", "first")]
    for name in ("f.a", "f.b", "f.c"):
        (repository / name).write_text("two\n")
    for words in (
        "status --porcelain",
        "diff",
        "-c core.abbrev=9 diff",
        "log -p",
        "show",
        "blame f.a",
        "diff-index -p HEAD",
    ):
        done.append(git(repository, *words.split()))
    assert [(run.returncode, run.stderr) for run in done] == [(0, "")] * len(done)
    assert "+two" in done[3].stdout
    assert [path.name for path in repository.iterdir() if path.name.startswith("HOSTILE")] == []


def test_the_hostile_repository_does_run_programs_with_plain_git(repository: Path) -> None:
    with (repository / ".git/config").open("a") as config:
        config.write('[filter "x"]\n clean = touch HOSTILE-clean; cat\n')
    (repository / ".gitattributes").write_text("*.a filter=x\n")
    (repository / "f.a").write_text("one\n")
    subprocess.run(["git", "-C", str(repository), "add", "-A"], check=True, capture_output=True)
    assert (repository / "HOSTILE-clean").exists()


def test_filters_configured_by_the_user_still_run(repository: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text('[filter "mine"]\n clean = tr a-z A-Z\n')
    (repository / ".gitattributes").write_text("*.a filter=mine\n")
    (repository / "f.a").write_text("one\n")
    git(repository, "add", "-A", home=tmp_path)
    assert git(repository, "show", ":f.a").stdout == "ONE\n"


def test_worktrees_are_guarded_too(repository: Path, tmp_path: Path) -> None:
    git(repository, "-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q", "--allow-empty", "-m", "first")
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    with (repository / ".git/config").open("a") as config:
        config.write('[filter "x"]\n clean = touch HOSTILE-clean; cat\n')
    (tmp_path / "tree/.gitattributes").write_text("*.a filter=x\n")
    (tmp_path / "tree/f.a").write_text("one\n")
    assert git(tmp_path / "tree", "add", "-A").returncode == 0
    assert not (tmp_path / "tree/HOSTILE-clean").exists()


def test_an_embedded_bare_repository_is_not_entered(repository: Path) -> None:
    bare = repository / "docs"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    with (bare / "config").open("a") as config:
        config.write("[core]\n worktree = .\n fsmonitor = touch HOSTILE\n")
    run = git(bare, "status")
    assert "safe.bareRepository" in run.stderr
    assert not (bare / "HOSTILE").exists()


@pytest.mark.parametrize(
    "config",
    [
        "[include]\n path = config\n",
        "[include]\n path = ~nobody-at-all/x\n",
        "[include]\n path = \0\n",
        "[filter \n",
        "\0" * 9,
    ],
)
def test_odd_configurations_are_survived(repository: Path, config: str) -> None:
    (repository / ".git/config").write_text(config)
    assert git_command(repository, "status")[-2:] == ["status", "--ignore-submodules=dirty"]


def test_git_ignores_variables_that_steer_it_and_never_prompts() -> None:
    env = git_environment(
        {"GIT_DIR": "x", "git_ssh": "x", "LD_PRELOAD": "x", "PAGER": "x", "HOME": "/h", "PATH": "/bin"}
    )
    assert env == {
        "HOME": "/h",
        "PATH": "/bin",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_ASKPASS": "",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "true",
        "LC_ALL": "C",
        "CTXE_NOTHING": "",
    }


def test_programs_that_git_would_run_are_listed_by_name(repository: Path) -> None:
    assert configured_programs(repository) == ()
    with (repository / ".git/config").open("a") as config:
        config.write(HOSTILE)
    (repository / "more").write_text('[DIFF "\x1bodd"] TextConv = x\n')
    assert configured_programs(repository) == (
        "core.pager",
        "core.sshcommand",
        "credential",
        "credential.helper",
        "diff.\\x1bodd.textconv",
        "diff.external",
        "diff.shown.command",
        "diff.shown.textconv",
        "filter.a=b",
        "filter.a=b.clean",
        "filter.a=b.required",
        "filter.dotted",
        "filter.dotted.clean",
        "gpg",
        "gpg.program",
    )


def test_a_git_common_folder_elsewhere_is_checked(repository: Path) -> None:
    (repository / "evil").mkdir()
    (repository / "evil/config").write_text('[filter "x"] clean = y\n')
    (repository / ".git/commondir").write_text("../evil\n")
    assert configured_programs(repository) == ("filter.x", "filter.x.clean")


@pytest.mark.parametrize("folder", [".git/hooks", "kept", "sub/.git/hooks"])
def test_the_hook_that_readers_run_is_known_and_others_are_no_question(repository: Path, folder: str) -> None:
    env = clean_environment(dict(os.environ))
    place = repository / "sub" if folder.startswith("sub") else repository

    def plain(at: Path, *words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "advice.addEmbeddedRepo=false")
        subprocess.run(["git", "-C", at, *who, *words], env=env, check=True, capture_output=True)

    subprocess.run(["git", "init", "-q", str(place)], check=True)
    (place / "a").write_text("one")
    for at in dict.fromkeys((place, repository)):
        plain(at, "add", ".")
        plain(at, "commit", "-qm", "one")
    plain(repository, "config", "core.hooksPath", "kept" if folder == "kept" else ".git/hooks")
    program(repository / folder / "pre-commit")
    assert configured_programs(repository) == ()
    program(repository / folder / "post-index-change", f"touch {repository}/HOSTILE")
    assert configured_programs(repository) == ("hooks/post-index-change",)
    os.utime(place / "a", (1, 1))
    plain(place, "diff")
    assert (repository / "HOSTILE").exists(), "plain git runs it, so a question is due"


def test_a_folder_of_hooks_that_only_git_can_tell_is_asked_about(repository: Path) -> None:
    (repository / ".git/config").write_text("[core]\n hooksPath = %(prefix)/hooks\n")
    why = "programs that cannot be checked (its hooks are in a place that only git can tell)"
    assert configured_programs(repository) == (why,)


def test_a_program_of_the_repository_that_a_name_would_start_is_known(tmp_path: Path) -> None:
    root, system = tmp_path / "repo", tmp_path / "bin"
    for name in ("cat", "python3.11", "rg"):
        program(system / name)
    program(root / ".venv/bin/cmake")
    program(root / ".venv/bin/echo")
    (root / ".venv/bin/plain").write_text("not to be run")
    (root / ".venv/bin/python").symlink_to(system / "python3.11")
    (root / ".venv/bin/cat").symlink_to(system / "rg")
    (tmp_path / "late").symlink_to(root / ".venv/bin")
    ours = own_program(root, [str(root / ".venv/bin"), ".venv/bin", str(system)])
    assert ours("cmake") == str(root / ".venv/bin/cmake")
    assert ours("cat") == str(root / ".venv/bin/cat"), "a link to another program"
    assert [ours(name) for name in ("echo", "plain", "python", "rg", "missing")] == [""] * 5
    late = own_program(root, [str(system), str(tmp_path / "late")])
    assert late("cat") == ""
    assert late("cmake") == str(tmp_path / "late/cmake")
