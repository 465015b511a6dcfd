"""The files that commands really read and write, with links, shell globs and nested repositories."""

import subprocess
from pathlib import Path

import pytest

from ctxe.domain.tool import Action, Allow, Ask, Risk
from ctxe.repo.git import Git
from ctxe.safety.paths import MOST_NAMES, reach
from ctxe.safety.permissions import Mode, Policy, decide


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A work tree with links that lead out, a key file, git hooks behind a link, and a repository inside."""
    root = tmp_path / "repo"
    for folder in ("src", "docs", "plain", ".git/hooks"):
        (root / folder).mkdir(parents=True)
    (tmp_path / "outside").write_text("secret")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "src/away").symlink_to(tmp_path)
    (root / "docs/held.txt").symlink_to("../secrets.yml")
    (root / "secrets.yml").write_text("a: b")
    (root / "hooks").symlink_to(".git/hooks")
    (root / "plain/a.py").write_text("a")
    subprocess.run(["git", "init", "-q", str(root / "inner")], check=True)
    return root


def held(place: Path, name: str) -> bool:
    return Git(place).is_content(name)


def asked(root: Path, line: str, mode: Mode = "ask") -> str | None:
    """Why a command line is asked about; None when it runs by itself."""
    action = Action("run_command", "run", Risk.EXECUTE, lambda: iter(()), command=line)
    decision = decide(action, Policy(mode, root=str(root), reach=reach(root, held)))
    assert isinstance(decision, Allow | Ask)
    return decision.why if isinstance(decision, Ask) else None


@pytest.mark.parametrize("line", ["cat lin[^z]", "cat lin[[:alpha:]]", "cat l*[^z]", "head link", "echo ../*"])
def test_shell_globs_do_not_lead_outside_the_project(root: Path, line: str) -> None:
    assert (asked(root, line) or "").endswith("is outside the work tree")


@pytest.mark.parametrize("line", ["cat s[^x]crets.yml", "cat s?crets.yml", "cat docs/hel[^z].txt", "cat docs/*"])
def test_shell_globs_do_not_reach_secret_files(root: Path, line: str) -> None:
    assert (asked(root, line) or "").endswith("may hold keys and passwords")


def test_a_glob_with_too_many_names_is_asked_about(root: Path) -> None:
    (root / "many").mkdir()
    for number in range(MOST_NAMES + 1):
        (root / f"many/{number}").touch()
    assert asked(root, "cat many/*") == "many/* stands for too many files to check"
    assert asked(root, "wc -l many/*1") is None


def test_programs_that_follow_links_are_asked_about_when_links_exist(root: Path) -> None:
    assert asked(root, "grep -R x src") == "it would also read what away links to"
    assert asked(root, "grep -R x docs") == "it would also read what held.txt links to"
    assert asked(root, "diff -r plain src") == "it would also read what away links to"
    assert asked(root, "rg -L x plain src") == "it would also read what away links to"
    assert asked(root, "rg -nL x docs") == "it would also read what held.txt links to"
    assert asked(root, "grep -r x src") is None
    assert asked(root, "rg -L x plain") is None
    assert asked(root, "grep -R x plain") is None
    assert asked(root, "diff -r plain plain") is None


@pytest.mark.parametrize("line", ["echo x > hooks/a", "cd hooks && echo x > a", "cd src && echo x > ../hooks/a"])
def test_a_link_into_a_protected_place_is_asked_about(root: Path, line: str) -> None:
    why = "it writes .git/hooks/a, which is protected: the repository's own data and hooks"
    assert asked(root, line, "auto-edit") == why
    assert asked(root, "echo x > plain/a", "auto-edit") is None


@pytest.mark.parametrize("line", ["git -C inner status", "cd inner && git diff", "cd inner/.git && git log"])
def test_git_in_a_nested_repository_that_runs_programs_is_asked_about(root: Path, line: str) -> None:
    assert asked(root, line) is None
    with (root / "inner/.git/config").open("a") as config:
        config.write("[diff]\n external = touch HOSTILE\n")
    assert asked(root, line) == f"git would run diff.external of the repository in {line.split()[1 + ('-C' in line)]}"
    assert asked(root, "git status") is None


def test_git_content_named_by_hash_is_asked_about(root: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.test")
        return subprocess.run(
            ["git", "-C", root, *who, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    git("add", "secrets.yml", "plain")
    git("commit", "-qm", "one")
    blob, commit, tree = git("rev-parse", "HEAD:secrets.yml"), git("rev-parse", "HEAD"), git("rev-parse", "HEAD:plain")
    for line in (
        f"git cat-file -p {blob}",
        f"git cat-file blob {blob}",
        f"git show {blob[:8]}",
        f"git show --stat {commit} {blob}",
        f"git diff {blob} {commit}",
        f"git diff {commit}..{blob}",
        f"git -C plain show {blob}",
        f"cd plain && git show {blob}",
        f"git show {blob}^{{}}",
        f"git show {blob.upper()}",
        f"git show any-1-g{blob}",
    ):
        assert (asked(root, line) or "").endswith("is a file's content without its name"), line
    for line in (f"git show {commit}", f"git show {commit[:7]}~0", f"git cat-file -p {tree}", "git show abc1234"):
        assert asked(root, line) is None, line


def test_output_without_file_names_is_asked_about_when_secret_files_exist(root: Path) -> None:
    (root / "plain/.env").write_text("KEY=canary")
    (root / "docs/.docker").mkdir()
    (root / "docs/.docker/config.json").write_text("{}")
    for option in ("-I", "--no-filename", "--heading", "-p", "-0", "--json", "-uu"):
        assert asked(root, f"rg {option} KEY plain") == "it would also read .env", option
    assert asked(root, "rg -n KEY plain") is None
    assert asked(root, "grep -rh auth docs") == "it would also read .docker/config.json"


@pytest.mark.parametrize("line", ["cd deep && cd .. && cat note", "cd deep/.. && cat note", "cd deep/.. && wc note"])
def test_a_shell_leaves_a_linked_folder_by_its_name(root: Path, line: str) -> None:
    (root / "plain/inner").mkdir()
    (root / "plain/note").write_text("harmless")
    (root / "deep").symlink_to("plain/inner")
    (root / "note").symlink_to("../outside")
    assert (asked(root, line) or "").endswith("note is outside the work tree")
    assert asked(root, "cd plain/inner && cd .. && cat note") is None


@pytest.mark.parametrize("line", ["true || cd {} && cat ../outside", "ls | cd {} && cat ../outside"])
def test_a_folder_that_may_not_have_been_entered_is_not_relied_upon(root: Path, line: str) -> None:
    assert (asked(root, line.format("plain")) or "").endswith("outside is outside the work tree")
    assert asked(root, "true && cd plain && cat ../plain/a.py") is None
    write = line.replace("cat", "echo x >").format("plain")
    assert (asked(root, write, "auto-edit") or "").endswith("outside is outside the work tree")


@pytest.mark.parametrize("name", ["-R", "--files0-from=x"])
def test_a_name_that_begins_like_an_option_is_asked_about(root: Path, name: str) -> None:
    (root / "plain" / name).touch()
    for line in ("cd plain && grep x *", "cd plain && wc -l *[x]*", "cat plain/*"):
        assert "which a program may take for an option" in (asked(root, line) or ""), line
    assert asked(root, "grep x plain/a.*") is None


def test_diff_shows_the_files_of_folders_unasked_for(root: Path) -> None:
    (root / "docs/held.txt").unlink()
    (root / "a.py").write_text("b")
    assert asked(root, "diff a.py plain") is None
    assert asked(root, "diff -N plain .") == "it would also read what link links to"
    (root / "plain/secrets.yml").write_text("a: b")
    assert asked(root, "diff -N plain docs") == "it would also read secrets.yml"
    assert asked(root, "diff a.py src") == "it would also read what away links to"
    assert asked(root, "diff a.py plain/a.py") is None


@pytest.mark.parametrize("line", ["grep -vh *", "grep -v s*", "rg -v s*", "jq s*", "git grep -v s*"])
def test_a_glob_in_place_of_the_pattern_is_looked_at_as_files(root: Path, line: str) -> None:
    assert asked(root, line) is not None
    assert asked(root, "grep -v 's*' plain/a.py") is None
    assert asked(root, "grep -n a.* plain/a.py") is None
