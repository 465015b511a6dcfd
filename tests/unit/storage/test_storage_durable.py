"""Files on a real disk: whole or absent, durable before success is reported, private; locks die with their owner."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ctxe.domain.errors import StoreError
from ctxe.storage import files
from ctxe.storage.locks import lock, sweep


@contextmanager
def system_calls() -> Iterator[list[str]]:
    """The names of durable-making calls in the order they happen, by watching the interpreter."""
    seen: list[str] = []
    watched = {"fsync", "replace", "write", "unlink"}

    def watch(_frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and argument.__name__ in watched and argument.__module__ == "posix":
            seen.append(argument.__name__)

    sys.setprofile(watch)
    try:
        yield seen
    finally:
        sys.setprofile(None)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A limit of the kernel: a write beyond it fails as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_synced_before_the_rename_and_the_folder_after_it(tmp_path: Path) -> None:
    with system_calls() as seen:
        files.replace(tmp_path / "a", b"x")
    assert seen == ["fsync", "replace", "fsync"]
    with system_calls() as seen:
        files.append(tmp_path / "log", "line")
    assert seen == ["write", "fsync", "fsync"]
    with system_calls() as seen:
        files.remove(tmp_path / "a")
    assert seen == ["unlink", "fsync"]


def test_many_files_are_renamed_only_after_all_are_synced(tmp_path: Path) -> None:
    paths = {tmp_path / str(n) / "f": str(n).encode() for n in range(40)}
    files.replace_many(paths)
    assert {path: path.read_bytes() for path in paths} == paths
    (tmp_path / "39" / "f").unlink()
    (tmp_path / "39" / "f").mkdir()
    (tmp_path / "39" / "f" / "inside").touch()
    with pytest.raises(StoreError, match="39/f: Is a directory"):
        files.replace_many(dict.fromkeys(paths, b"new"))
    assert list(tmp_path.rglob(".*.tmp")) == []


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path, log = tmp_path / "file", tmp_path / "log"
    files.replace(path, b"old")
    files.append(log, "first")
    with no_file_larger_than(1000):
        with pytest.raises(StoreError) as told:
            files.replace(path, b"x" * 5000)
        with pytest.raises(StoreError):
            files.append(log, "y" * 5000)
        with pytest.raises(StoreError):
            files.replace_many({path: b"x" * 5000, tmp_path / "other": b"z"})
        files.replace_quickly(tmp_path / "cache", b"x" * 5000)
    assert str(told.value) == f"cannot write {path}: File too large"
    assert told.value.hint == "check free space and permissions"
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == {"file": b"old", "log": b"first\n"}


def test_a_full_device_is_reported_by_name() -> None:
    with pytest.raises(StoreError, match="cannot append to /dev/full: No space left on device"):
        files.append(Path("/dev/full"), "line")


def test_files_and_folders_are_private_and_a_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c"
    files.replace(path, b"1")
    modes = [stat.S_IMODE(part.stat().st_mode) for part in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    path.chmod(0o644)
    files.replace(path, b"2")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (0o644, b"2")


@pytest.mark.parametrize("mode", [0o664, 0o775, 0o444])
def test_a_mode_is_kept_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "script"
    path.write_text("old")
    path.chmod(mode)
    before = os.umask(0o077)
    try:
        files.replace(path, b"new")
        files.replace_many({path: b"newest"})
    finally:
        os.umask(before)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"newest")


@pytest.mark.parametrize("name", ["a" * 255, "ж" * 127, "漢" * 85, "😀" * 63])
def test_a_name_as_long_as_names_may_be_is_replaced_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    files.replace(path, b"1")
    files.replace_many({path: b"2"})
    assert path.read_bytes() == b"2"
    files.replace_quickly(path, b"3")
    assert path.read_bytes() == b"3"


def test_a_torn_line_is_terminated_before_the_next_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"whole\ntor")
    files.append(path, "next")
    assert path.read_bytes() == b"whole\ntor\nnext\n"


@pytest.mark.parametrize("kind", ["folder", "fifo", "loop", "missing"])
def test_a_pipe_or_device_is_an_error_and_never_blocks(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    ways: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "loop": lambda: path.symlink_to("x"),
        "missing": lambda: None,
    }
    ways[kind]()
    with pytest.raises(StoreError, match="cannot read"):
        files.read(path)


def test_a_file_in_place_of_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match=r"cannot create .*/a"):
        files.make_folder(tmp_path / "a")
    with pytest.raises(StoreError, match=r"cannot create .*/a/b"):
        files.replace(tmp_path / "a" / "b" / "c", b"")


HOLD = """
import sys, time
from pathlib import Path
from ctxe.storage.locks import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_a_held_lock_is_waited_for_and_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with holder(path) as child:
        with pytest.raises(StoreError, match="in use by another session"), lock(path, 0.3):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        start = time.monotonic()
        with lock(path):
            assert time.monotonic() - start < 5


def test_old_temporary_files_are_removed_and_young_ones_kept(tmp_path: Path) -> None:
    old, young, other = tmp_path / ".a.1.tmp", tmp_path / ".b.2.tmp", tmp_path / "c.tmp"
    for path in (old, young, other):
        path.touch()
    os.utime(old, (0, 0))
    assert sweep(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.2.tmp", "c.tmp"]
