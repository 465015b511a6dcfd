"""A program around bubblewrap: it blocks places that do not exist yet, and removes new protected files.

Run as ``python -I -S bubblewrap.py ROOT BLOCKED PROTECTED COMMAND…``. BLOCKED are folders that are
created while the command runs, so that they can be mounted over. PROTECTED are folded names of entries that only a
person may add to ROOT or to a folder in it (``.github/workflows``): new ones are moved to a new temporary folder out of
the command's reach, and reported. Lists are joined by newlines. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import unicodedata

GIT_STEERING = ("commondir", "config.worktree", "modules", "hooks", "config")


def main(words: list[str]) -> int:
    """Run the command as a child and clean up the root afterwards. Returns its exit code, 128 + n for a signal."""
    root, blocked, protected_names, *command = words
    names = set(protected_names.split("\n"))
    protected_before, links = _protected(root, names), _links(root, names)
    locked = [place for path in blocked.split("\n") if path and (place := _hold(f"{root}/{path}"))]
    child = os.fork()
    if child == 0:
        _exec(command)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: _end(child))
    status = _wait(child)
    for path, handle in locked:
        _release(path, handle)
    for name in sorted(_protected(root, names) - protected_before):
        _refuse(root, name)
    for name, target in sorted(set(links.items()) - set(_links(root, names).items())):
        _refuse(root, name)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)  # noqa: PTH103, PTH120
            os.symlink(target, f"{root}/{name}")  # noqa: PTH211
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _exec(command: list[str]) -> None:
    try:
        os.execvp(command[0], command)  # noqa: S606 (a shell is not wanted)
    except OSError as error:
        sys.stderr.write(f"sandbox: {command[0]}: {error.strerror}\n")
    finally:
        os._exit(127)


def _end(child: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)


def _wait(child: int) -> int:
    while True:
        with contextlib.suppress(InterruptedError):
            return os.waitpid(child, 0)[1]


def _hold(path: str) -> tuple[str, int] | None:
    """Create an empty folder and lock it, or share that of another session; None when the folder is a real one."""
    try:
        os.mkdir(path, 0o500)  # noqa: PTH102 (pathlib costs 10 ms at start)
    except FileExistsError:
        if not is_place(path):
            return None
    except OSError:
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_SH)
    except OSError:
        return None
    return path, handle


def is_place(path: str) -> bool:
    """Whether a path is an empty folder that ``_hold`` made, in this session or in one that was killed."""
    try:
        return os.lstat(path).st_mode == 0o040500 and not os.listdir(path)  # noqa: PTH208
    except OSError:
        return False


def _release(path: str, handle: int) -> None:
    """Remove a held folder unless another session still holds it."""
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_place(path):
            os.rmdir(path)  # noqa: PTH106
    os.close(handle)


def _fold(name: str) -> str:
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).rstrip(". ")


def _protected(root: str, names: set[str]) -> set[str]:
    """The protected entries of the root and of git's folder, which configure ctxe, git or other assistants."""
    protected = {name for name in _entries(root) if _fold(name) in names and not is_place(f"{root}/{name}")}
    for host in {name.partition("/")[0] for name in names if "/" in name}:
        for folder in (entry for entry in _entries(root) if _fold(entry) == host):
            protected |= {
                f"{folder}/{name}" for name in _entries(f"{root}/{folder}") if f"{host}/{_fold(name)}" in names
            }
    return protected | {f".git/{name}" for name in _entries(f"{root}/.git") if name in GIT_STEERING}


def _links(root: str, names: set[str]) -> dict[str, str]:
    """Protected entries that are symlinks, with their targets. They cannot be mounted over, so they are restored."""
    targets = {}
    for name in _protected(root, names):
        with contextlib.suppress(OSError):
            targets[name] = os.readlink(f"{root}/{name}")  # noqa: PTH115
    return targets


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def _refuse(root: str, name: str) -> None:
    """Move a protected entry that the command made to a temporary folder, and report it."""
    if not os.path.lexists(f"{root}/{name}"):
        return
    import shutil
    import tempfile

    target = f"{tempfile.mkdtemp(prefix='ctxe-refused-')}/{name.replace('/', '_')}"
    try:
        shutil.move(f"{root}/{name}", target)
    except OSError:  # not everything can be moved to another disk: rename it to a harmless name instead
        target = f"{tempfile.mkdtemp(prefix='ctxe-refused-', dir=root)}/{name.replace('/', '_')}"
        with contextlib.suppress(OSError):
            os.rename(f"{root}/{name}", target)  # noqa: PTH104
    sys.stderr.write(f"[sandbox: {name!a} may only be made by a person; it was moved to {target!a}]\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
