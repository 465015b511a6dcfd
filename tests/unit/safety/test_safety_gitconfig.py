"""Git configuration is read as git reads it, in submodules too, so that no program named in it runs."""

import os
import subprocess
from pathlib import Path

import pytest

from ctxe.domain.errors import CtxeError
from ctxe.repo.git import Git
from ctxe.safety.gitconfig import CONFIG_LIMIT, Setting, parsed
from ctxe.safety.programs import configured_programs, git_command, git_environment
from ctxe.safety.secrets import clean_environment

CLEAN = " clean = touch HOSTILE; cat\n"
WAYS = {
    "two headings in a line": '[core] [filter "x"]\n' + CLEAN,
    "headings without a blank": '[core][filter "x"]clean = touch HOSTILE; cat\n',
    "a comment that ends with a backslash": '# see \\\n[filter "x"]\n' + CLEAN,
    "a comment behind a quoted bracket": '[core]\n y = "a\\"[filter" ; \\\n[filter "x"]\n' + CLEAN,
    "a value over two lines": '[core]\n y = "a\\\n[b]"\n[filter "x"]\n' + CLEAN,
    "carriage returns": '[core]\r\n[filter "x"]\r\n clean = touch HOSTILE; cat\r\n',
    "beyond a megabyte": "# filling\n" * 120_000 + '[filter "x"]\n' + CLEAN,
    "capitals": '[FILTER "x"]\n CLEAN = touch HOSTILE; cat\n',
}
ATTRIBUTE = "*.a filter=x\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made(tmp_path / "repo")


def made(root: Path, attributes: bytes = ATTRIBUTE.encode()) -> Path:
    """A repository with one commit, whose file f.a was changed since."""
    root.mkdir()
    plain(root, "init", "-q", "-b", "main")
    (root / ".gitattributes").write_bytes(attributes)
    (root / "f.a").write_text("one\n")
    plain(root, "add", "-A")
    plain(root, "-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-qm", "first")
    (root / "f.a").write_text("another\n")
    return root


def plain(root: Path, *words: str) -> str:
    """git as a command of the model runs it."""
    env = clean_environment(os.environ)
    return subprocess.run(["git", *words], cwd=root, env=env, capture_output=True, text=True, check=True).stdout


def ours(root: Path, *words: str) -> str:
    env = git_environment({"HOME": str(root)})
    return subprocess.run(git_command(root, *words), env=env, capture_output=True, text=True, check=True).stdout


def configure(root: Path, text: str | bytes) -> None:
    with (root / ".git/config").open("ab") as config:
        config.write(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("way", WAYS)
def test_a_filter_is_found_however_it_is_written(repository: Path, way: str) -> None:
    configure(repository, WAYS[way])
    assert configured_programs(repository) == ("filter.x", "filter.x.clean")
    assert "+another" in ours(repository, "diff")
    assert ours(repository, "status", "--porcelain") == " M f.a\n"
    assert not (repository / "HOSTILE").exists()
    plain(repository, "diff")
    assert (repository / "HOSTILE").exists(), "plain git runs it, so the trap is a real one"


@pytest.mark.parametrize("name", [b"", b"\xff\xfe", "é".encode(), b"a=b.c"], ids=["none", "no text", "accent", "odd"])
def test_filters_named_with_any_bytes_are_switched_off(tmp_path: Path, name: bytes) -> None:
    root = made(tmp_path / "repo", b"*.a filter=" + name + b"\n")
    configure(root, b'[filter "' + name + b'"]\n clean = touch HOSTILE; cat\n')
    assert "+another" in ours(root, "diff")
    assert not (root / "HOSTILE").exists()


def test_includes_are_followed_as_deep_as_git_does(repository: Path) -> None:
    configure(repository, "[include]\n path = 1\n")
    for number in range(1, 9):
        (repository / f".git/{number}").write_text(f'[include]\n path = "{number + 1}" ; on\n')
    (repository / ".git/9").write_text('[filter "x"]\n' + CLEAN)
    assert "+another" in ours(repository, "diff")
    assert configured_programs(repository) == ("filter.x", "filter.x.clean")
    assert not (repository / "HOSTILE").exists()


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("[include]\n path = %(prefix)/x\n", "it includes a file from a place that only git can tell"),
        ('[includeIf "gitdir:/"]\n path = /proc/self/x\n', "it includes a file from a place that only git can tell"),
        ("#" * CONFIG_LIMIT, "it is too long"),
        ("[include]\n" + "".join(f" path = {n}\n" for n in range(100)), "it includes too many files"),
    ],
    ids=["prefix", "proc", "long", "many"],
)
def test_git_is_not_run_with_configuration_that_cannot_be_checked(repository: Path, config: str, why: str) -> None:
    configure(repository, config)
    assert configured_programs(repository) == (f"programs that cannot be checked ({why})",)
    with pytest.raises(CtxeError, match="git's configuration here cannot be checked"):
        git_command(repository, "status")


@pytest.mark.parametrize("name", ["config", "included", "commondir"])
def test_a_pipe_in_place_of_git_config_does_not_block(repository: Path, name: str) -> None:
    configure(repository, "[include]\n path = included\n")
    (repository / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(repository / ".git" / name)
    assert configured_programs(repository) == ("programs that cannot be checked (it is not a file)",)
    with pytest.raises(CtxeError, match="cannot be checked: it is not a file"):
        git_command(repository, "status")


def test_a_pipe_in_place_of_head_does_not_block(repository: Path) -> None:
    (repository / ".git/HEAD").unlink()
    os.mkfifo(repository / ".git/HEAD")
    assert configured_programs(repository) == ("programs that cannot be checked (its HEAD is not a file)",)
    assert Git(repository, {"HOME": str(repository)}).branch() == ""


def test_a_pipe_in_place_of_the_git_index_does_not_block(repository: Path) -> None:
    (repository / ".git/index").unlink()
    os.mkfifo(repository / ".git/index")
    assert configured_programs(repository) == ()


def test_a_missing_object_is_not_fetched_by_a_program_of_the_repository(repository: Path) -> None:
    blob = plain(repository, "rev-parse", "HEAD:f.a").strip()
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    configure(repository, '[extensions]\n partialClone = far\n[remote "far"]\n url = .\n uploadpack = touch HOSTILE;\n')
    configure(repository, "[core]\n repositoryformatversion = 1\n")
    assert configured_programs(repository) == ("extensions.partialclone",)
    with pytest.raises(subprocess.CalledProcessError):
        ours(repository, "show", "HEAD:f.a")
    assert not (repository / "HOSTILE").exists()


@pytest.mark.parametrize("named", [True, False], ids=["a submodule", "a link in the index alone"])
def test_the_configuration_of_a_submodule_is_checked(repository: Path, named: bool) -> None:
    inner = made(repository / "inner")
    if named:
        plain(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "./inner", "inner")
    else:
        plain(repository, "-c", "advice.addEmbeddedRepo=false", "add", "inner")
    assert configured_programs(repository) == ()
    (inner / "f.a").write_text("two\n")
    configure(inner, '[filter "x"]\n' + CLEAN)
    assert configured_programs(repository) == ("filter.x", "filter.x.clean")
    ours(repository, "status", "--porcelain")
    assert not (inner / "HOSTILE").exists()
    plain(repository, "status")
    assert (inner / "HOSTILE").exists(), "plain git runs it, so a question is due"


def test_sections_and_settings_are_read_in_their_order() -> None:
    text = '\ufeff[A.B]c\n[x "y\\"]"] d="e # f" # g\n\th = i\\tj ; k\n?? broken\n[m]'
    assert list(parsed(text)) == [
        Setting("a", "b", ""),
        Setting("a", "b", "c"),
        Setting("x", 'y"]', ""),
        Setting("x", 'y"]', "d", "e # f"),
        Setting("x", 'y"]', "h", "itj"),
        Setting("m", "", ""),
    ]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (b"\0\xff" * 50, ()),
        (b"gitdir: a\0b\n", ()),
        (b"\n", ()),
        (
            b"gitdir: " + b"x" * 5000,
            ("programs that cannot be checked (its HEAD cannot be read: File name too long)",),
        ),
    ],
)
def test_a_git_file_that_names_no_folder_is_tolerated(tmp_path: Path, held: bytes, told: tuple[str, ...]) -> None:
    (tmp_path / ".git").write_bytes(held)
    assert configured_programs(tmp_path) == told
    assert Git(tmp_path, dict(os.environ)).output("status") is None


def test_a_shared_folder_is_named_up_to_a_nul(repository: Path) -> None:
    (repository / ".git/commondir").write_bytes(b"shared\0more")
    assert configured_programs(repository) == ()
    (repository / ".git/shared").mkdir()
    (repository / ".git/shared/config").write_text('[filter "x"]\n' + CLEAN)
    assert configured_programs(repository) == ("filter.x", "filter.x.clean")
