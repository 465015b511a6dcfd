"""A file's content changes and nothing else of it does."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.repo.undo.rewrite import link, look, read, remove, remove_folder, rewrite, stamp


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_new_file_with_its_folders_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        rewrite(tmp_path, "a/b/c.txt", b"x\n")
    finally:
        os.umask(old)
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"x\n"
    assert mode(tmp_path / "a/b/c.txt") == 0o640
    assert names(tmp_path / "a/b") == ["c.txt"]


def test_mode_attributes_and_owner_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_bytes(b"old")
    path.chmod(0o751)
    os.setxattr(path, "user.note", b"mine")
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    before = path.stat()
    rewrite(tmp_path, "run.sh", b"new")
    after = path.stat()
    assert path.read_bytes() == b"new"
    assert os.getxattr(path, "user.note") == b"mine"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_hard_links_stay_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a long old content")
    os.link(tmp_path / "a", tmp_path / "b")
    inode = (tmp_path / "a").stat().st_ino
    rewrite(tmp_path, "a", b"new")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_ino == inode
    rewrite(tmp_path, "b", b"")
    assert (tmp_path / "a").read_bytes() == b""
    assert names(tmp_path) == ["a", "b"]


def test_read_only_file_is_refused_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(StoreError, match=r"cannot write a: it is read-only \(mode 444\)"):
        rewrite(tmp_path, "a", b"new")
    assert path.read_bytes() == b"old"
    rewrite(tmp_path, "a", b"new", force=True)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o444)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", "a/../../x"])
def test_paths_outside_the_project_are_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(StoreError, match="not a path below the root"):
        rewrite(root, name, b"x")
    assert names(tmp_path) == ["root"]


def test_a_path_through_a_linked_folder_is_refused(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    (out / "x").write_bytes(b"theirs")
    (root / "in").symlink_to(out)
    for act in (
        lambda: rewrite(root, "in/x", b"ours"),
        lambda: read(root, "in/x", 10),
        lambda: remove(root, "in/x"),
        lambda: stamp(root, "in/x", 0o600, 1),
        lambda: link(root, "in/y", "z"),
    ):
        with pytest.raises(StoreError, match="a folder on the way is a link"):
            act()
    assert look(root, "in/x") is None
    assert (out / "x").read_bytes() == b"theirs"
    assert names(out) == ["x"]


def test_a_link_as_the_last_part_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "out").write_bytes(b"theirs")
    (root / "l").symlink_to("../out")
    with pytest.raises(StoreError, match="not a regular file"):
        rewrite(root, "l", b"ours")
    with pytest.raises(StoreError, match="cannot read l"):
        read(root, "l", 10)
    assert (tmp_path / "out").read_bytes() == b"theirs"


def test_fifos_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(StoreError, match="not a regular file"):
            read(tmp_path, name, 10)
        with pytest.raises(StoreError, match="not a regular file"):
            rewrite(tmp_path, name, b"x")


def test_failed_write_leaves_the_old_content_and_no_stray(tmp_path: Path) -> None:
    import resource
    import signal

    for links in (1, 2):
        (tmp_path / "a").write_bytes(b"old" * 100)
        if links == 2:
            os.link(tmp_path / "a", tmp_path / "b")
        was = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, was[1]))
        try:
            with pytest.raises(StoreError, match="cannot write a: File too large"):
                rewrite(tmp_path, "a", b"x" * 100_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, was)
            signal.signal(signal.SIGXFSZ, ignored)
        assert (tmp_path / "a").read_bytes() == b"old" * 100
    assert names(tmp_path) == ["a", "b"]


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    one, two = b"1" * 300_000, b"2" * 200_000
    (tmp_path / "a").write_bytes(one)
    loop = (
        "import sys; from pathlib import Path; from ctxe.repo.undo.rewrite import rewrite\n"
        "print('go', flush=True)\n"
        "while True:\n"
        "    for data in (b'2' * 200_000, b'1' * 300_000): rewrite(Path(sys.argv[1]), 'a', data)\n"
    )
    for n in range(6):
        writer = subprocess.Popen([sys.executable, "-c", loop, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.003 * n)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert (tmp_path / "a").read_bytes() in (one, two)
    assert all(name == "a" or (name.startswith(".") and name.endswith(".tmp")) for name in names(tmp_path))


def test_a_file_is_stamped_linked_and_removed(tmp_path: Path) -> None:
    rewrite(tmp_path, "d/a", b"x")
    stamp(tmp_path, "d/a", 0o700, 1_500_000_000_123_456_789)
    seen = look(tmp_path, "d/a")
    assert seen is not None
    assert (stat.S_IMODE(seen.st_mode), seen.st_mtime_ns) == (0o700, 1_500_000_000_123_456_789)
    link(tmp_path, "d/a", "elsewhere")
    assert str((tmp_path / "d/a").readlink()) == "elsewhere"
    assert not remove_folder(tmp_path, "d")
    remove(tmp_path, "d/a")
    remove(tmp_path, "d/a")
    assert remove_folder(tmp_path, "d")
    assert names(tmp_path) == []
