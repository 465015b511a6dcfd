"""list_files: grouped by folder, ignored files left out, as deep as fits."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.errors import ToolError
from ctxe.tools.listing import grouped, list_files, matches


def ls(place: Any, **arguments: Any) -> str:
    text: str = place.call(list_files, **arguments).text
    return text


@pytest.fixture(params=["git", "no git"])
def tree(place: Any, request: pytest.FixtureRequest) -> Any:
    """The same files with and without git, which must list alike."""
    if request.param == "git":
        place.git("init", "-q")
    for name in ("README.md", "src/a.py", "src/b c.py", "src/deep/er/d.py", "tests/test_a.py", "build/out.o", "x.log"):
        place.put(name, "x")
    place.put(".gitignore", "build/\n*.log\n")
    place.put(".ctxeignore", "tests/\n")
    place.put(".ctxe/memory/x.md", "x")
    return place


def test_files_are_grouped_by_folder(tree: Any) -> None:
    assert ls(tree) == '5 files\n.ctxeignore .gitignore README.md\nsrc/: a.py "b c.py"\nsrc/deep/er/: d.py'.replace(
        "5 files", "6 files"
    )


def test_a_depth_limit_counts_the_deeper_files(tree: Any) -> None:
    assert ls(tree, depth=1) == "6 files\nsrc/(3) .ctxeignore .gitignore README.md"
    assert ls(tree, depth=2) == '6 files\n.ctxeignore .gitignore README.md\nsrc/: deep/(1) a.py "b c.py"'


def test_a_folder_a_pattern_or_a_file_can_be_listed(tree: Any) -> None:
    assert ls(tree, path="src") == '3 files in src/\nsrc/: a.py "b c.py"\nsrc/deep/er/: d.py'
    assert ls(tree, pattern="*.py") == '3 files\nsrc/: a.py "b c.py"\nsrc/deep/er/: d.py'
    assert ls(tree, path="src", pattern="**/d.*") == "1 file in src/\nsrc/deep/er/: d.py"
    assert ls(tree, path="README.md") == "README.md is a file (1 bytes); read_file shows it"


def test_an_ignored_folder_is_shown_one_level(tree: Any) -> None:
    tree.put("build/sub/x", "")
    assert ls(tree, path="build") == "build is ignored by git; it has 2 names\nout.o sub/"
    tree.put("node_modules/dep/index.js", "")
    assert ls(tree, path="node_modules") == "node_modules is filled by programs; it has 1 name\ndep/"
    tree.git("init", "-q", "within")
    tree.put("within/a.py", "")
    assert ls(tree, path="within") == "within is a repository of its own; it has 2 names\n.git/ a.py"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "nope"}, "there is no folder nope"),
        ({"path": ".."}, ".. is outside of the project; tools work below its root only"),
        ({"pattern": "*.zzz"}, "no file below . matches *.zzz"),
        ({"depth": 0}, "list_files: depth must be at least 1"),
    ],
)
def test_unlistable_paths_are_refused_with_a_reason(tree: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        ls(tree, **arguments)
    assert str(caught.value) == said


def test_an_empty_project_says_so(place: Any) -> None:
    with pytest.raises(ToolError, match="the project has no files yet"):
        ls(place)


def test_a_big_project_is_shown_as_deep_as_fits() -> None:
    paths = [f"a{i}/b{j}/f{k}.py" for i in range(10) for j in range(10) for k in range(10)]
    text = grouped(paths)
    assert text.startswith("1000 files\na0/: b0/(10) b1/(10) ")
    assert text.count("\n") == 10
    flat = [f"f{n}" for n in range(1000)]
    assert grouped(flat).endswith(" f299 … 700 more")


@given(
    st.lists(st.from_regex(r"(?:[a-c]/){0,3}[a-c]{1,2}", fullmatch=True), min_size=1, unique=True), st.integers(1, 5)
)
def test_every_omitted_file_is_counted(paths: list[str], depth: int) -> None:
    import re

    paths = [path for path in paths if not any(other.startswith(path + "/") for other in paths)]
    lines = grouped(sorted(paths), depth).split("\n")
    assert lines[0].split()[0] == str(len(paths))
    rest = [word for line in lines[1:] for word in line.rpartition("/: ")[2].split(" ")]
    shown = sum(int(found[1]) if (found := re.fullmatch(r".*/\((\d+)\)", word)) else 1 for word in rest)
    assert shown == len(paths)


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("a.py", "*.py", True),
        ("x/a.py", "*.py", True),
        ("x/a.py", "x/*.py", True),
        ("x/y/a.py", "x/*.py", False),
        ("x/y/a.py", "x/**/*.py", True),
        ("x/a.py", "x/**/*.py", True),
        ("a.py", "**/*.py", True),
        ("x/y/z", "x/**", True),
        ("a.tsx", "*.{ts,tsx}", True),
        ("a1", "a[0-9]", True),
        ("ab", "a[!0-9]", True),
        ("a+b", "a+b", True),
        ("ab", "a", False),
        ("x/a.py", "./x/a.py", True),
        ("[", "[", True),
        ("a]", "a[]]", True),
        ("a", "[", False),
        ("^", "[^a]", True),
        ("x", "[!]", False),
    ],
)
def test_list_globs_match_whole_paths(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, pattern) is fits


def test_hostile_globs_are_matched_quickly() -> None:
    began = time.process_time()
    for pattern in ("*a" * 40 + "b", "{a,b}" * 40, "**/" * 12 + "x/b", "[" * 50):
        assert not matches("/".join(["a" * 200] * 12), pattern)
    assert time.process_time() - began < 2
