"""search: ripgrep and our own walk find the same, bounded in time and lines, secret files left out."""

import shutil
import time
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.tools.search import rendered, search
from ctxe.tools.search_run import FoundLine
from ctxe.tools.workspace import WorkspaceBounds

HAS_RG = shutil.which("rg") is not None


@pytest.fixture(params=["ripgrep", "own walk"] if HAS_RG else ["own walk"])
def tree(place: Any, request: pytest.FixtureRequest) -> Any:
    place.git("init", "-q")
    if request.param == "own walk":
        place.search = []
    place.put("src/a.py", "import os\n\ndef alpha(x):\n    return os.path(x)\n")
    place.put("src/b.py", "from a import alpha\r\nprint(alpha(1), alpha(2))\r\n")
    place.put("docs/notes.md", "alpha is a letter\n")
    place.put("build/alpha.o", "alpha\n")
    place.put("secret.txt", "alpha key\n")
    place.put("hidden/x", "alpha\n")
    place.put(".ctxe/memory/m.md", "alpha\n")
    place.put("bin.dat", b"alpha\n\0")
    place.put(".gitignore", "build/\n")
    place.put(".ctxeignore", "hidden/\n")
    place.put(".github/ci.yml", "run: alpha\n")
    place.secrets = frozenset({"secret.txt"})
    return place


def find(place: Any, pattern: str, **arguments: Any) -> str:
    text: str = place.call(search, pattern=pattern, **arguments).text
    return text


def test_matches_are_grouped_below_their_file(tree: Any) -> None:
    assert find(tree, "alpha") == (
        ".github/ci.yml\n1:run: alpha\n"
        "docs/notes.md\n1:alpha is a letter\n"
        "src/a.py\n3:def alpha(x):\n"
        "src/b.py\n1:from a import alpha\n2:print(alpha(1), alpha(2))"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"pattern": r"^def \w+\("}, "src/a.py\n3:def alpha(x):"),
        ({"pattern": "alpha(", "literal": True, "glob": "*.py", "path": "src/a.py"}, "src/a.py\n3:def alpha(x):"),
        ({"pattern": "return", "context": 1}, "src/a.py\n3-def alpha(x):\n4:    return os.path(x)"),
        ({"pattern": "alpha", "path": "docs"}, "docs/notes.md\n1:alpha is a letter"),
        ({"pattern": "alpha", "glob": "docs/**"}, "docs/notes.md\n1:alpha is a letter"),
        ({"pattern": "-x", "literal": True}, "no match for -x"),
        ({"pattern": "zzz", "path": "src", "glob": "*.py"}, "no match for zzz in src (*.py)"),
        ({"pattern": "letter$"}, "docs/notes.md\n1:alpha is a letter"),
        ({"pattern": r"import(?= os)"}, "src/a.py\n1:import os"),
        ({"pattern": r"(?i)ALPHA IS"}, "docs/notes.md\n1:alpha is a letter"),
    ],
)
def test_each_search_option_finds_what_it_promises(tree: Any, arguments: dict[str, Any], text: str) -> None:
    assert find(tree, **arguments) == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pattern": ""}, "pattern must be one line of text, and not empty"),
        ({"pattern": "a\nb"}, "pattern must be one line of text, and not empty"),
        ({"pattern": "a", "path": "nope"}, "there is no file or folder nope"),
        ({"pattern": "a", "path": "../"}, "../ is outside of the project; tools work below its root only"),
        (
            {"pattern": "alpha", "path": "secret.txt"},
            "secret.txt may hold secrets and is not searched unless the user allows it",
        ),
    ],
)
def test_unsearchable_paths_are_refused_with_a_reason(tree: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        find(tree, **arguments)
    assert str(caught.value) == said


def test_an_invalid_pattern_is_reported_in_one_line(tree: Any) -> None:
    with pytest.raises(ToolError, match=r"^bad pattern: .*(unclosed group|unterminated subpattern).*; escape special"):
        find(tree, "alpha(")


def test_a_catastrophic_pattern_is_stopped(place: Any) -> None:
    place.search = []
    place.bounds = WorkspaceBounds(search_seconds=1.0)
    place.put("a.txt", "a" * 60 + "b\n")
    began = time.monotonic()
    text = find(place, "(a+)+$")
    assert text == "no match for (a+)+$; stopped after 1 s"
    assert time.monotonic() - began < 6


def test_too_many_matches_end_the_search(tree: Any) -> None:
    tree.put("many.txt", "needle\n" * 20_000)
    text = find(tree, "needle")
    assert text.startswith("many.txt (5,000 matches, first 200)\n1:needle\n")
    assert text.endswith("200:needle\n5,000 matches in 1 file; stopped after 5,000 matches")


def test_matches_are_shared_among_files_and_long_lines_cut() -> None:
    found = {f"f{n:02}": [FoundLine(i + 1, "x", 0) for i in range(60)] for n in range(12)}
    text = rendered(found)
    assert text.startswith("f00 (60 matches, first 25)\n1:x\n")
    assert text.endswith("\n720 matches in 12 files; 4 files not shown: narrow by path or glob")
    assert rendered({"f": [FoundLine(7, "a" * 500 + "HIT" + "b" * 500, 500)]}) == f"f\n7:…{'a' * 80}HIT{'b' * 157}…"
    assert rendered({"f": [FoundLine(1, "c" * 300, -1), FoundLine(2, "x", 0)]}) == f"f\n1-{'c' * 240}…\n2:x"


def test_odd_files_do_not_stop_a_search(tree: Any) -> None:
    import os

    os.mkfifo(tree.root / "pipe")
    (tree.root / "loop").symlink_to("loop")
    (tree.root / "out").symlink_to("/etc")
    tree.put("latin.txt", b"caf\xe9 alpha\n")
    big = tree.put("sparse", b"")
    os.truncate(big, 20_000_000_000)
    began = time.monotonic()
    assert "latin.txt\n1:" in find(tree, "alpha")
    assert time.monotonic() - began < 5


def test_a_ripgrep_in_the_project_is_never_run(place: Any) -> None:
    rg = place.put("bin/rg", "#!/bin/sh\ntouch HOSTILE\n")
    rg.chmod(0o755)
    place.put("a.txt", "alpha\n")
    place.search = [str(place.root / "bin"), "bin", ""]
    assert find(place, "alpha") == "a.txt\n1:alpha"
    assert not (place.root / "HOSTILE").exists()


def test_an_ignored_folder_is_searched_when_named(tree: Any) -> None:
    tree.put("build/inner.txt", "alpha too\n")
    tree.git("init", "-q", "sub")
    tree.put("sub/s.py", "alpha = 0\n")
    tree.put("sub/.gitignore", "*.log\n")
    tree.put("sub/s.log", "alpha\n")
    assert find(tree, "alpha", path="build/inner.txt") == "build/inner.txt\n1:alpha too"
    assert find(tree, "alpha", path="build") == "build/alpha.o\n1:alpha\nbuild/inner.txt\n1:alpha too"
    assert find(tree, "alpha", path="build", glob="*.txt") == "build/inner.txt\n1:alpha too"
    assert find(tree, "alpha", path="sub") == "sub/s.py\n1:alpha = 0"
    for hidden in ("hidden", ".ctxe", ".git", "sub/.git"):
        assert find(tree, "alpha|bare", path=hidden) == f"no match for alpha|bare in {hidden}"


def test_links_are_not_followed_wherever_they_are(tree: Any) -> None:
    (tree.root.parent / "outside").mkdir()
    (tree.root.parent / "outside/a.py").write_text("alpha outside")
    tree.put("build/real.txt", "alpha in it")
    for name, target in (
        ("build/away", "../../outside/a.py"),
        ("build/held", "../secret.txt"),
        ("d/x", "../secret.txt"),
    ):
        (tree.root / name).parent.mkdir(exist_ok=True)
        (tree.root / name).symlink_to(target)
    assert find(tree, "alpha", path="build") == "build/alpha.o\n1:alpha\nbuild/real.txt\n1:alpha in it"
    assert find(tree, "alpha", path="d") == "no match for alpha in d"
    tree.git("add", "src")
    shutil.rmtree(tree.root / "src")
    (tree.root / "src").symlink_to("../outside")
    assert "outside" not in find(tree, "alpha")


def test_a_glob_never_includes_ignored_files(tree: Any) -> None:
    everything = find(tree, "alpha")
    assert find(tree, "alpha", glob="*") == everything
    assert find(tree, "alpha", glob="**") == everything
    assert (
        find(tree, "alpha", glob="{src/*.py,docs/**}")
        == everything.partition("docs/")[1] + everything.partition("docs/")[2]
    )
    for ignored in ("*.o", "build/**", "hidden/*", ".ctxe/**", "bin.dat"):
        assert find(tree, "alpha", glob=ignored) == f"no match for alpha ({ignored})"
