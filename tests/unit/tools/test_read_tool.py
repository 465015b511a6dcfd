"""read_file: numbered lines, ranges, and clear refusals of everything that is not a text file of the project."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.conversation import Touch
from ctxe.domain.errors import ToolError
from ctxe.domain.section import digest
from ctxe.tools.read import read_file
from ctxe.tools.workspace import WorkspaceBounds


def test_lines_are_numbered_except_empty_ones(place: Any) -> None:
    place.put("a.py", "def f():\n    return 1\n\n\n  \nx = 2\n")
    output = place.call(read_file, path="a.py")
    assert output.text == "a.py: 6 lines\n1\tdef f():\n2\t    return 1\n\n\n5\t  \n6\tx = 2"
    assert output.touches == (Touch("a.py", "read", digest("def f():\n    return 1\n\n\n  \nx = 2\n")),)
    assert output.kind == "read"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"first": 2, "last": 3}, "a: lines 2-3 of 4\n2\ttwo\n3\tthree"),
        ({"first": 4}, "a: lines 4-4 of 4\n4\tfour"),
        ({"last": 1}, "a: lines 1-1 of 4\n1\tone"),
        ({"first": 3, "last": 99}, "a: lines 3-4 of 4\n3\tthree\n4\tfour"),
        ({"first": 1, "last": 4}, "a: 4 lines\n1\tone\n2\ttwo\n3\tthree\n4\tfour"),
    ],
)
def test_a_range_shows_its_lines_and_counts_the_rest(place: Any, span: dict[str, int], text: str) -> None:
    place.put("a", "one\ntwo\nthree\nfour")
    assert place.read("a", **span) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\r\n", "f: 2 lines, CRLF\n1\ta\n2\tb"),
        (b"a\rb\r", "f: 2 lines, CR line ends\n1\ta\n2\tb"),
        (b"\xef\xbb\xbfx\n", "f: 1 line, UTF-8 with BOM\n1\tx"),
        ("é\n".encode("latin-1"), "f: 1 line, Windows-1252\n1\té"),
        ("hé\n".encode("utf-16"), "f: 1 line, UTF-16 LE\n1\thé"),
        (b"", "f is empty"),
        (b"x\x0cy\xe2\x80\xa8z\n", "f: 1 line\n1\tx\x0cy\u2028z"),
    ],
)
def test_encodings_and_line_endings_are_reported(place: Any, data: bytes, text: str) -> None:
    place.put("f", data)
    assert place.read("f") == text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.py", "there is no file missing.py"),
        ("src/man.py", "there is no file src/man.py; did you mean src/main.py?"),
        ("main.py", "there is no file main.py; did you mean src/main.py?"),
        ("src", "src is a folder; list_files shows what is in it"),
        ("pipe", "pipe is a pipe, not a text file"),
        ("pic.png", "pic.png is binary (12 bytes, PNG image); only text can be read and edited"),
        (
            "spec.pdf",
            "spec.pdf is binary (45 bytes, PDF); only text can be read and edited; "
            "`pdftotext -layout FILE -` prints its text where it is installed",
        ),
        ("../out", "../out is outside of the project; tools work below its root only"),
        ("/etc/passwd", "/etc/passwd is outside of the project; tools work below its root only"),
        ("out-link", "out-link is outside of the project; tools work below its root only"),
        ("folder-link/passwd", "folder-link/passwd is outside of the project; tools work below its root only"),
        ("../root-evil/x", "../root-evil/x is outside of the project; tools work below its root only"),
        ("", "path is empty"),
        ("a\0b", "path holds a NUL character"),
        ("a\ud800b", "path holds U+D800, which no name of a file has"),
        ("loop", "loop is a link to itself, not a text file"),
        ("x" * 5000, f"there is no file {'x' * 5000}"),
    ],
)
def test_unreadable_files_are_refused_with_a_reason(place: Any, name: str, said: str) -> None:
    place.put("src/main.py", "x")
    place.put("pic.png", b"\x89PNG\r\n\x1a\n\0\0\0\0")
    place.put("spec.pdf", b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n")
    place.put("../out", "outside")
    place.put("../root-evil/x", "outside")
    os.mkfifo(place.root / "pipe")
    (place.root / "out-link").symlink_to("../out")
    (place.root / "folder-link").symlink_to("/etc")
    (place.root / "loop").symlink_to("loop")
    with pytest.raises(ToolError) as caught:
        place.read(name)
    assert str(caught.value) == said


@pytest.mark.parametrize("name", [".env", "env-link"])
def test_permission_is_decided_on_the_resolved_path(place: Any, name: str) -> None:
    place.put(".env", "KEY=1")
    (place.root / "env-link").symlink_to(".env")
    assert read_file(place.workspace).prepare({"path": name}).paths == (".env",)


def test_invalid_ranges_are_refused(place: Any) -> None:
    place.put("a", "one\ntwo\n")
    with pytest.raises(ToolError, match="a has 2 lines; there is no line 3"):
        place.read("a", first=3)
    with pytest.raises(ToolError, match=r"last \(1\) is before first \(2\)"):
        place.read("a", first=2, last=1)
    with pytest.raises(ToolError, match="read_file: first must be at least 1"):
        place.read("a", first=0)


def test_links_inside_the_project_are_followed(place: Any) -> None:
    place.put("real/a", "x\n")
    (place.root / "ln").symlink_to("real")
    output = place.call(read_file, path=str(place.root / "ln/../ln/a"))
    assert (output.text, output.touches[0].path) == ("real/a: 1 line\n1\tx", "real/a")


def test_huge_files_are_refused_at_once(place: Any) -> None:
    file = place.put("sparse", b"")
    os.truncate(file, 20_000_000_000)
    began = time.process_time()
    with pytest.raises(ToolError, match=r"sparse is too large to read \(20,000 MB\); look into it by search"):
        place.read("sparse")
    assert time.process_time() - began < 0.5


def test_one_long_line_is_bounded(place: Any) -> None:
    place.bounds = WorkspaceBounds(text=1000)
    place.put("min.js", "x" * 5000)
    text = place.read("min.js")
    assert text.endswith("x\n[4,002 characters more; give first and last]")
    assert len(text) < 1100


def test_a_link_swapped_in_before_opening_is_not_followed(place: Any, tmp_path: Path) -> None:
    place.put("d/a", "ours\n")
    place.put("../out/a", "theirs\n")
    action = read_file(place.workspace).prepare({"path": "d/a"})
    (place.root / "d").rename(tmp_path / "moved")
    (place.root / "d").symlink_to(tmp_path / "out")
    with pytest.raises(ToolError, match="there is no file d/a"):
        list(action.run())
