"""The small program around bubblewrap: it holds places shut that do not exist yet, and takes back what steers others.

Run as ``python -I -S box.py ROOT HELD STEERING COMMAND…``. HELD are folders that are made while the command runs, so
that they can be mounted over; STEERING are folded names of entries that only a person may add to ROOT, or to a folder
of it (``.github/workflows``): those that appear are moved to a new temporary folder, where the command reaches nothing,
and told. Lists are joined by newlines. Standard library only.
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
    """Run the command below us and leave the root as it may be; the command's exit code, 128 + n for a signal."""
    root, held, steering, *command = words
    names = set(steering.split("\n"))
    before, links = _steering(root, names), _links(root, names)
    places = [place for path in held.split("\n") if path and (place := _hold(f"{root}/{path}"))]
    child = os.fork()
    if child == 0:
        _become(command)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: _end(child))
    status = _wait(child)
    for path, handle in places:
        _release(path, handle)
    for name in sorted(_steering(root, names) - before):
        _refuse(root, name)
    for name, target in sorted(set(links.items()) - set(_links(root, names).items())):
        _refuse(root, name)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)  # noqa: PTH103, PTH120
            os.symlink(target, f"{root}/{name}")  # noqa: PTH211
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: list[str]) -> None:
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is what is wanted)
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
    """Make an empty folder and lock it, or share the one that another session holds; None for one that is real."""
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
    """Whether it is one of our own empty folders, of a session that runs or was killed."""
    try:
        return os.lstat(path).st_mode == 0o040500 and not os.listdir(path)  # noqa: PTH208
    except OSError:
        return False


def _release(path: str, handle: int) -> None:
    """Remove a place unless another session still holds it."""
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_place(path):
            os.rmdir(path)  # noqa: PTH106
    os.close(handle)


def _fold(name: str) -> str:
    shown = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold()).rstrip(". ")


def _steering(root: str, names: set[str]) -> set[str]:
    """Entries of the root, and of git's folder, that steer ctxe, git or other assistants."""
    found = {name for name in _entries(root) if _fold(name) in names and not is_place(f"{root}/{name}")}
    for host in {name.partition("/")[0] for name in names if "/" in name}:
        for folder in (entry for entry in _entries(root) if _fold(entry) == host):
            found |= {f"{folder}/{name}" for name in _entries(f"{root}/{folder}") if f"{host}/{_fold(name)}" in names}
    return found | {f".git/{name}" for name in _entries(f"{root}/.git") if name in GIT_STEERING}


def _links(root: str, names: set[str]) -> dict[str, str]:
    """Steering entries that are links: nothing can be mounted over one, so they are put back afterwards."""
    found = {}
    for name in _steering(root, names):
        with contextlib.suppress(OSError):
            found[name] = os.readlink(f"{root}/{name}")  # noqa: PTH115
    return found


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def _refuse(root: str, name: str) -> None:
    """Move what a command put in a place that only a person may fill out of the way, and say so."""
    if not os.path.lexists(f"{root}/{name}"):
        return
    import shutil
    import tempfile

    target = f"{tempfile.mkdtemp(prefix='ctxe-refused-')}/{name.replace('/', '_')}"
    try:
        shutil.move(f"{root}/{name}", target)
    except OSError:  # to another disk goes not everything: a name that steers nobody will do
        target = f"{tempfile.mkdtemp(prefix='ctxe-refused-', dir=root)}/{name.replace('/', '_')}"
        with contextlib.suppress(OSError):
            os.rename(f"{root}/{name}", target)  # noqa: PTH104
    sys.stderr.write(f"[sandbox: {name!a} may only be made by a person; it was moved to {target!a}]\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
