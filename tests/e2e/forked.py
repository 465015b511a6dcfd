"""A script in two parts: ``wait`` imports all modules and forks a run of ctxe per request; ``run`` requests one.

Who asks sends three files, words, folder and variables, and is told the run's number and how it ended; when it is gone,
so is the run. With ``terminal`` the first file becomes the terminal that the run leads.
``run`` stands for the run: it hands over its own files 0, 1 and 2 and ends as the run does. It imports little, for it
is started each time.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

PIECE = 65536
LOADED = ("openai", "anthropic", "prompt_toolkit.shortcuts", "rich.live", "rich.markdown", "rich.syntax", "tiktoken")


def run(path: str, words: list[str]) -> None:
    """Request a run, wait for its end and exit with its status."""
    told = json.dumps({"words": words, "folder": os.getcwd(), "env": dict(os.environ)}).encode()  # noqa: PTH109 - light
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(path)
        socket.send_fds(there, [f"{len(told)}\n".encode()], [0, 1, 2])
        there.sendall(told)
        with there.makefile() as lines:
            _, status = (int(line) for line in lines)
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def wait(path: str) -> None:
    """Fork for each request until standard input ends. Returns only in the forked processes, set up as the run."""
    import gc
    import importlib
    import pkgutil

    import ctxe

    ours = {found.name for found in pkgutil.walk_packages(ctxe.__path__, "ctxe.")} - {"ctxe.__main__"}
    for name in (*LOADED, *sorted(ours)):
        importlib.import_module(name)
    importlib.import_module("ctxe.storage.vocabulary").vocabulary("o200k_base")
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    os.write(1, b"ready\n")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while listener.fileno() in select.select([listener.fileno(), 0], [], [])[0]:
        there, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _stand_by(there)
            return
        there.close()
    os.unlink(path)  # noqa: PTH108 - light
    os.rmdir(os.path.dirname(path))  # noqa: PTH106, PTH120 - light
    os._exit(0)


def _stand_by(there: socket.socket) -> None:
    """Fork the run. Returns in the child; the parent waits and reports the child's status."""
    import threading

    begun, files, _, _ = socket.recv_fds(there, PIECE, 3)
    size, _, told = begun.partition(b"\n")
    while len(told) < int(size):
        told += there.recv(PIECE)
    child = os.fork()
    if child == 0:
        there.close()
        _become(json.loads(told), files)
        return
    for number in (*files, 0, 1, 2):
        os.close(number)
    there.sendall(f"{child}\n".encode())
    threading.Thread(target=_end_with, args=(there, child), daemon=True).start()
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        there.sendall(f"{status}\n".encode())
    os._exit(0)


def _end_with(there: socket.socket, child: int) -> None:
    with contextlib.suppress(OSError):
        if not there.recv(1):
            os.kill(child, signal.SIGKILL)


def _become(told: dict[str, Any], files: list[int]) -> None:
    """Set up the state that a newly started interpreter would have."""
    if told.get("terminal"):
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(files[0], termios.TIOCSCTTY, 0)
    for place, number in enumerate(files):
        os.dup2(number, place)
        os.close(number)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["env"])
    sys.argv[1:] = told["words"]
    sys.path[0] = told["folder"]


if __name__ == "__main__":
    part, path, *words = sys.argv[1:]
    if part == "run":
        run(path, words)
    wait(path)
    import runpy

    runpy.run_module("ctxe", run_name="__main__", alter_sys=True)
