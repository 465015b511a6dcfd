"""The state of a tree and its repository, and turns that change it, for tests of undo."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from ctxe.repo.undo import restore as undoing
from ctxe.repo.undo.restore import Restore

State = dict[str, tuple[object, ...]]


def run(root: Path, *argv: str) -> str:
    out = subprocess.run(
        argv, cwd=root, check=True, capture_output=True, env={"PATH": os.environ["PATH"], "HOME": str(root)}
    )
    return out.stdout.decode("utf-8", "surrogateescape")


def git(root: Path, *args: str) -> str:
    return run(root, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", *args)


def state(root: Path, times: bool = True) -> State:
    """Everything below the root but git's folder and ours: kind, mode, content, and the times of files."""
    found: State = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".ctxe"}]
        for name in [*folders, *names]:
            path = Path(folder, name)
            seen = path.lstat()
            key = os.fspath(path.relative_to(root))
            if path.is_symlink():
                found[key] = ("link", os.readlink(path))  # noqa: PTH115
            elif path.is_dir():
                found[key] = ("folder",)
            else:
                content = path.read_bytes() if stat.S_ISREG(seen.st_mode) else b""
                found[key] = (stat.S_IMODE(seen.st_mode), content, seen.st_mtime_ns if times else 0)
    return found


def turn(store: Restore, act: Callable[[], object], paths: tuple[str, ...] = ()) -> undoing.Point:
    """One turn: covered as edits when paths are given, else as a command."""
    point = undoing.take(store, "s", 1, "a turn")
    point = undoing.cover(store, point, paths) if paths else undoing.cover_tree(store, point)
    act()
    return undoing.finish(store, point)


def sh(root: Path, command: str) -> Callable[[], object]:
    return lambda: git_shell(root, command)


def git_shell(root: Path, command: str) -> str:
    return run(root, "sh", "-c", f"git config user.name a; git config user.email a@example.org; {command}")
