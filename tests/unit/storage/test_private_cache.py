"""The cache folder that is trusted: for whom its name is valid, and what happens where no key can be stored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctxe.project import Project
from ctxe.storage.private_cache import KEY, own_folder, temporary_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's own folder, not made yet."""
    return tmp_path / "home" / "ctxe"


def name(root: Path, user: Path) -> str:
    folder = own_folder(root / ".ctxe/cache", root, user)
    assert folder is not None
    assert folder.parent == root / ".ctxe/cache"
    return folder.name


def test_the_cache_name_survives_a_rename_but_differs_for_copies_and_other_users(
    root: Path, user: Path, tmp_path: Path
) -> None:
    first = name(root, user)
    assert name(root, user) == first
    moved = root.rename(tmp_path / "moved")
    assert name(moved, user) == first
    assert name(shutil.copytree(moved, tmp_path / "copy"), user) != first
    assert name(moved, tmp_path / "other") != first


def test_the_key_file_is_private_and_a_truncated_one_is_replaced(root: Path, user: Path) -> None:
    first = name(root, user)
    assert ((user / KEY).stat().st_mode & 0o777, len((user / KEY).read_bytes())) == (0o600, 32)
    (user / KEY).write_bytes(b"torn")
    assert name(root, user) != first


def writable_by_all(key: Path) -> None:
    key.write_bytes(bytes(32))
    key.chmod(0o666)


def a_link(key: Path) -> None:
    (key.parent / "elsewhere").write_bytes(bytes(32))
    key.symlink_to(key.parent / "elsewhere")


def no_folder(key: Path) -> None:
    key.parent.rmdir()
    key.parent.write_bytes(b"")


@pytest.mark.parametrize("plant", [writable_by_all, a_link, no_folder, os.mkfifo, Path.mkdir])
def test_a_key_file_others_could_write_is_neither_used_nor_changed(root: Path, user: Path, plant: object) -> None:
    user.mkdir(parents=True)
    assert callable(plant)
    plant(user / KEY)
    before = sorted((path, path.lstat().st_mode, path.lstat().st_mtime_ns) for path in user.rglob("*"))
    assert own_folder(root / ".ctxe/cache", root, user) is None
    assert sorted((path, path.lstat().st_mode, path.lstat().st_mtime_ns) for path in user.rglob("*")) == before


TOGETHER = """
from pathlib import Path
import sys
from ctxe.storage.private_cache import own
print(own(Path(), Path(), Path(sys.argv[1])))
"""


def test_sessions_started_at_once_share_one_cache(root: Path, user: Path) -> None:
    words = [sys.executable, "-c", TOGETHER, str(user)]
    many = [subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE) for _ in range(6)]
    assert len({one.communicate(timeout=60)[0] for one in many} - {b"None\n"}) == 1


def test_foreign_caches_are_limited_and_links_are_not_followed(root: Path, user: Path, tmp_path: Path) -> None:
    cache, outside = root / ".ctxe/cache", tmp_path / "outside"
    for number in range(6):
        for place in (cache, outside):
            (place / f"{number:016x}").mkdir(parents=True)
            (place / f"{number:016x}" / "index.db").write_text("theirs")
            os.utime(place / f"{number:016x}", (number, number))
    (cache / f"{7:016x}").symlink_to(outside)
    (cache / "store.lock").touch()
    name(root, user)
    assert sorted(path.name for path in cache.iterdir()) == [*(f"{n:016x}" for n in (3, 4, 5, 7)), "store.lock"]
    shutil.rmtree(cache)
    cache.symlink_to(outside)
    name(root, user)
    assert len(list(outside.rglob("index.db"))) == 6


@pytest.fixture
def keyless(root: Path, user: Path) -> dict[str, str]:
    """An environment whose user folder can hold no key."""
    user.parent.mkdir()
    user.write_bytes(b"")
    return {"HOME": str(user.parent), "CTXE_HOME": str(user), "PATH": os.environ["PATH"]}


@pytest.fixture
def keyed(user: Path) -> dict[str, str]:
    """An environment whose user folder can hold one."""
    return {"HOME": str(user.parent), "CTXE_HOME": str(user), "PATH": os.environ["PATH"]}


def test_without_a_key_the_cache_lasts_as_long_as_the_process(root: Path, keyless: dict[str, str]) -> None:
    (root / "AGENTS.md").write_text("Use tabs.\n")
    words = [sys.executable, "-m", "ctxe", "budget", "--json", "fix it"]
    temporary = root.parent / "tmp"
    temporary.mkdir()
    environment = {**keyless, "TMPDIR": str(temporary)}
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, timeout=60, check=True)
    assert (b'"used"' in done.stdout, list(temporary.iterdir())) == (True, [])
    assert not list(root.rglob("counts.db"))


class Owner:
    """Anything that has a cache."""


def test_a_temporary_cache_is_removed_with_its_owner(root: Path, keyless: dict[str, str]) -> None:
    owner = Owner()
    folder = temporary_folder(owner)
    (folder / "index.db").write_text("x")
    del owner
    assert not folder.exists()
    assert Project.open(root, keyless).own_cache.parent != root / ".ctxe/cache"


def test_on_a_full_disk_there_is_no_cache_and_the_rest_works(root: Path, tmp_path: Path) -> None:
    (root / "AGENTS.md").write_text("Use tabs.\n")
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = f"ulimit -f 0; {sys.executable} -m ctxe budget --json 'fix it' | cat"
    done = subprocess.run(
        ["bash", "-c", command], cwd=root, env=environment, capture_output=True, timeout=60, check=True
    )
    assert (b'"used"' in done.stdout, done.stderr) == (True, b"")


def test_git_ignores_the_cache_despite_the_repositorys_own_ignore_file(root: Path, keyed: dict[str, str]) -> None:
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "-q"], check=True)
    (root / ".ctxe").mkdir()
    (root / ".ctxe" / ".gitignore").write_text("# nothing\n")
    cache = Project.open(root, keyed).cache
    (cache / "counts.db").write_text("x")
    seen = subprocess.run([*git, "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True).stdout
    assert cache.name not in seen
