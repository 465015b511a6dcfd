"""Paths are resolved and inside the project at the moment of use; odd files are refused in words and never block."""

import os
from pathlib import Path

import pytest

from ctxe.domain.errors import ToolError
from ctxe.safety.paths import inside, reach
from ctxe.safety.policy import ReadPath


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with links of every kind, and a sibling with a longer name."""
    tree = tmp_path / "repo"
    (tree / "src/deep").mkdir(parents=True)
    (tree / "src/a.py").write_text("one\n")
    (tmp_path / "repo-evil").mkdir()
    (tmp_path / "repo-evil/x").write_text("CANARY")
    (tree / "out").symlink_to(tmp_path / "repo-evil")
    (tree / "out.py").symlink_to(tmp_path / "repo-evil/x")
    (tree / "dangling").symlink_to(tmp_path / "repo-evil/new")
    (tree / "in.py").symlink_to("src/a.py")
    (tree / "in").symlink_to("src")
    (tree / "loop").symlink_to("loop")
    (tree / "chain").symlink_to("out")
    return tree


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/../src/a.py", "src/a.py"),
        ("src/deep/../a.py", "src/a.py"),
        ("in.py", "src/a.py"),
        ("in/a.py", "src/a.py"),
        ("in/new/file.py", "src/new/file.py"),
        (".", "."),
        ("src", "src"),
        ("new/folder/file", "new/folder/file"),
        ("with space/é\n", "with space/é\n"),
        ("..src", "..src"),
    ],
)
def test_paths_inside_the_project_are_resolved(root: Path, path: str, real: str) -> None:
    assert inside(root, path).relative_to(root.resolve()).as_posix() == real
    assert inside(root, path) == (Path(os.path.realpath(root)) / real if real != "." else Path(os.path.realpath(root)))


OUTSIDE = [
    "..",
    "../repo-evil/x",
    "src/../../repo-evil/x",
    "out",
    "out/x",
    "out/new",
    "out.py",
    "dangling",
    "chain/x",
    "in/../../repo-evil/x",
    "/etc/passwd",
    "/",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "src/a.py/../../../repo-evil/x",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_outside_are_refused_by_name(root: Path, path: str) -> None:
    with pytest.raises(ToolError, match="is outside the work tree"):
        inside(root, path)


def test_absolute_paths_inside_and_linked_roots_are_fine(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert inside(root, str(root / "src/a.py")).relative_to(root.resolve()).as_posix() == "src/a.py"
    assert inside(link, str(root / "src/a.py")).relative_to(root.resolve()).as_posix() == "src/a.py"
    assert inside(root, str(link / "src/a.py")).relative_to(root.resolve()).as_posix() == "src/a.py"


@pytest.mark.parametrize("path", ["", "a\0b", "~/x", "~root/x"])
def test_invalid_paths_are_refused(root: Path, path: str) -> None:
    with pytest.raises(ToolError):
        inside(root, path)


def test_files_a_command_would_read_are_resolved_on_disk(root: Path) -> None:
    (root / ".env").write_text("KEY=x")
    (root / "src/keys").mkdir()
    (root / "src/keys/credentials.json").write_text("{}")
    (root / "src/link.txt").symlink_to(root / ".env")
    (root / "src/test.pem").write_text("x")
    look = reach(root, lambda *_: False)
    said = {
        "src/a.py": look(ReadPath("src/a.py", shows=True)),
        "out.py": look(ReadPath("out.py", shows=True)),
        "o*": look(ReadPath("o*", shows=True)),
        "link to keys": look(ReadPath("src/link.txt", shows=True)),
        "names only": look(ReadPath("src/link.txt")),
        ".e*": look(ReadPath(".e*", shows=True)),
        "*": look(ReadPath("src/*.py", shows=True)),
        "below": look(ReadPath("src", shows=True, deep=True)),
        "all": look(ReadPath(".", shows=True, deep=True)),
        "not hidden": look(ReadPath("new", shows=True, deep=True, hidden=False)),
        "certificates": look(ReadPath("src/test.p?m", shows=False, deep=True)),
    }
    assert said == {
        "src/a.py": "",
        "out.py": "out.py is outside the work tree",
        "o*": "out is outside the work tree",
        "link to keys": "src/link.txt may hold keys and passwords",
        "names only": "",
        ".e*": ".env may hold keys and passwords",
        "*": "",
        "below": "it would also read keys/credentials.json",
        "all": "it would also read .env",
        "not hidden": "",
        "certificates": "",
    }
