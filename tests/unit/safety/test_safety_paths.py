"""Paths are real and inside, at the moment of use; odd files are refused in words and never waited for."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ctxe.domain.errors import ToolError
from ctxe.safety.paths import inside, open_folder, opened, reach, relative
from ctxe.safety.policy import Look
from ctxe.safety.reading import Text, detect, read_bytes, read_text
from ctxe.safety.writing import remove, write


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
def test_paths_inside_become_real(root: Path, path: str, real: str) -> None:
    assert relative(root, path) == real
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
    with pytest.raises(ToolError):
        read_bytes(root, path)
    with pytest.raises(ToolError):
        write(root, path, b"HOSTILE")
    with pytest.raises(ToolError):
        remove(root, path)
    assert sorted(p.name for p in (root.parent / "repo-evil").iterdir()) == ["x"]
    assert (root.parent / "repo-evil/x").read_text() == "CANARY"


def test_absolute_paths_inside_and_linked_roots_are_fine(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert relative(root, str(root / "src/a.py")) == "src/a.py"
    assert relative(link, str(root / "src/a.py")) == "src/a.py"
    assert relative(root, str(link / "src/a.py")) == "src/a.py"


@pytest.mark.parametrize("path", ["", "a\0b", "~/x", "~root/x"])
def test_what_is_no_path_is_said(root: Path, path: str) -> None:
    with pytest.raises(ToolError):
        inside(root, path)


def test_a_link_put_in_the_way_is_not_followed(root: Path) -> None:
    real = inside(root, "src/deep")
    (root / "src/deep").rmdir()
    (root / "src/deep").symlink_to(root.parent / "repo-evil")
    with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
        open_folder(root, real)


def test_a_race_of_links_never_leads_outside(root: Path) -> None:
    stop = threading.Event()

    def swap() -> None:
        place, real, link = root / "race", root / "real", root / "link"
        while not stop.is_set():
            real.mkdir(exist_ok=True)
            (real / "x").write_text("inside")
            link.unlink(missing_ok=True)
            link.symlink_to(root.parent / "repo-evil")
            for source in (real, link):
                if source.exists():
                    if place.is_symlink():
                        place.unlink()
                    elif place.exists():
                        (place / "x").unlink(missing_ok=True)
                        place.rmdir()
                    source.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                seen.add(read_bytes(root, "race/x")[0])
            except ToolError:
                seen.add(b"refused")
    finally:
        stop.set()
        thread.join()
    assert b"CANARY" not in seen
    assert b"refused" in seen


def test_odd_files_are_refused_at_once(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(root / "socket"))
    (root / "zero").symlink_to("/dev/zero")
    for path, words in (
        ("pipe", "pipe is a pipe, not a file"),
        ("socket", "socket"),
        ("src", "src is a folder, not a file"),
        ("loop", "loop"),
        ("zero", "zero is outside the work tree"),
        ("gone", "gone: no such file or directory"),
        ("src/a.py/x", "not a directory"),
    ):
        started = time.monotonic()
        with pytest.raises(ToolError, match=words):
            read_bytes(root, path)
        assert time.monotonic() - started < 1


def test_giants_cost_no_more_than_the_limit(root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(20_000_000_000)
    (root / "line").write_bytes(b"x" * 50_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(ToolError, match="sparse is binary \\(20000000000 bytes\\)"):
        read_text(root, "sparse")
    text = read_text(root, "line", 1_000_000)
    assert time.monotonic() - started < 2
    assert (len(text.text), text.whole, text.size) == (1_000_000, False, 50_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", Text("", "utf-8", b"", 0, True)),
        (b"plain\n", Text("plain\n", "utf-8", b"", 6, True)),
        ("é日".encode(), Text("é日", "utf-8", b"", 5, True)),
        (b"\xef\xbb\xbfmark", Text("mark", "utf-8", b"\xef\xbb\xbf", 7, True)),
        ("wide é\n".encode("utf-16"), Text("wide é\n", "utf-16-le", b"\xff\xfe", 16, True)),
        (b"\xfe\xff" + "wide".encode("utf-16-be"), Text("wide", "utf-16-be", b"\xfe\xff", 10, True)),
        ("no mark at all\n".encode("utf-16-le"), Text("no mark at all\n", "utf-16-le", b"", 30, True)),
        ("no mark at all\n".encode("utf-16-be"), Text("no mark at all\n", "utf-16-be", b"", 30, True)),
        ("\ufeffwide".encode("utf-32-le"), Text("wide", "utf-32-le", b"\xff\xfe\0\0", 20, True)),
        ("caf\xe9\n".encode("latin-1"), Text("café\n", "latin-1", b"", 5, True)),
    ],
)
def test_encodings_are_found(root: Path, data: bytes, text: Text) -> None:
    (root / "f").write_bytes(data)
    assert read_text(root, "f") == text
    assert text.mark + text.text.encode(text.encoding) == data


@pytest.mark.parametrize(
    "data", [b"\x7fELF\0\0\0\1" * 20, b"\x89PNG\r\n\x1a\n\0\0\0", bytes(range(1, 32)) * 9, b"\xff\xfe\xff"]
)
def test_binaries_are_refused_in_words(root: Path, data: bytes) -> None:
    (root / "f").write_bytes(data)
    with pytest.raises(ToolError, match=r"f is (binary|neither text)"):
        read_text(root, "f")


def test_a_character_cut_by_the_limit_is_left_out(root: Path) -> None:
    (root / "f").write_text("ééé", encoding="utf-8")
    assert read_text(root, "f", 3) == Text("é", "utf-8", b"", 6, False)
    assert detect("é".encode()[:1]) == ("utf-8", b"")


def test_writing_keeps_what_belongs_to_the_file(root: Path) -> None:
    path = root / "src/a.py"
    path.chmod(0o754)
    twin = root / "twin"
    (root / "old").write_text("x")
    os.link(root / "old", twin)
    write(root, "in.py", b"two\n")
    write(root, "old", b"both")
    write(root, "new/folder/f", b"fresh")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two\n", 0o754)
    assert (root / "in.py").is_symlink()
    assert twin.read_bytes() == b"both"
    assert (root / "new/folder/f").read_bytes() == b"fresh"
    assert [p.name for p in root.rglob(".*.tmp")] == []


def test_a_stale_write_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match="changed since it was read"):
        write(root, "src/a.py", b"two", before=b"other")
    with pytest.raises(ToolError, match="changed since it was read"):
        write(root, "gone.py", b"two", before=b"")
    write(root, "src/a.py", b"two", before=b"one\n")
    assert (root / "src/a.py").read_bytes() == b"two"


def test_what_cannot_be_written_is_told_and_nothing_is_lost(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path, words in (("src", "is a folder"), ("pipe", "is a pipe"), ("src/a.py/x", "not a directory|exists")):
        with pytest.raises(ToolError, match=words):
            write(root, path, b"x")
    (root / "src/a.py").chmod(0o644)
    script = (
        "import resource, sys; from pathlib import Path; from ctxe.safety.writing import write\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: write(Path(sys.argv[1]), 'src/a.py', b'x' * 1000)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=False, timeout=30
    )
    assert run.stdout == "ToolError src/a.py: file too large\n"
    assert (root / "src/a.py").read_text() == "one\n"
    assert [p.name for p in root.rglob(".*.tmp")] == []


def test_removing(root: Path) -> None:
    remove(root, "src/a.py")
    assert not (root / "src/a.py").exists()
    for path in ("src/a.py", "src"):
        with pytest.raises(ToolError):
            remove(root, path)


def test_descriptors_are_given_back(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with opened(root, "src/a.py", os.O_RDONLY):
            pass
        write(root, "src/a.py", b"x")
        for path in ("gone/x", "out/x", "src/a.py/x"):
            with pytest.raises(ToolError):
                read_bytes(root, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_commands_would_read_is_looked_at_for_real(root: Path) -> None:
    (root / ".env").write_text("KEY=x")
    (root / "src/keys").mkdir()
    (root / "src/keys/credentials.json").write_text("{}")
    (root / "src/link.txt").symlink_to(root / ".env")
    (root / "src/test.pem").write_text("x")
    look = reach(root)
    said = {
        "src/a.py": look(Look("src/a.py", shows=True)),
        "out.py": look(Look("out.py", shows=True)),
        "o*": look(Look("o*", shows=True)),
        "link to keys": look(Look("src/link.txt", shows=True)),
        "names only": look(Look("src/link.txt")),
        ".e*": look(Look(".e*", shows=True)),
        "*": look(Look("src/*.py", shows=True)),
        "below": look(Look("src", shows=True, deep=True)),
        "all": look(Look(".", shows=True, deep=True)),
        "not hidden": look(Look("new", shows=True, deep=True, hidden=False)),
        "certificates": look(Look("src/test.p?m", shows=False, deep=True)),
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
