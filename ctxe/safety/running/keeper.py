"""A program between ctxe and a command: when either ends, it ends all processes that the command started.

Run as ``python -I -S keeper.py STATUS_FD WORDS…`` with a pipe as standard input: its end of file means that ctxe
has ended in any way. With ``STATUS_FD,LIFE_FD`` another descriptor is that pipe, and standard input is the command's.
It imports only a little of the standard library, since every command waits for its start.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POLITE_SECONDS, LAST_SECONDS = 0.4, 1.4
STEP_SECONDS = 0.02
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def main(words: list[str]) -> int:
    """Start ``words[1:]``, wait for its end or ours, end remaining processes, report to descriptor ``words[0]``."""
    report, life = (int(number) for number in f"{words[0]},0".split(",")[:2])
    for descriptor in {report, life} - {0}:
        os.set_inheritable(descriptor, False)
    _control(PR_SET_CHILD_SUBREAPER, 1)
    signal_pipe, signal_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
    os.set_blocking(signal_end, False)
    signal.set_wakeup_fd(signal_end, warn_on_full_buffer=False)
    for number in SIGNALS:
        signal.signal(number, lambda _number, _frame: None)
    child = _start(words[1:], report, life)
    status = _wait(child, signal_pipe, life)
    left_over, late_status = _end_all(child)
    status = late_status if status is None else status
    code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    os.write(report, f"exit {code} {left_over}\n".encode())
    return 0


def _control(option: int, value: int) -> None:
    """Call prctl(2), if the system has it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def _start(words: list[str], report: int, life: int) -> int:
    """Fork and exec in a new session; a failure of exec is reported to ``report``.

    When standard input is the pipe that watches ctxe, the command gets none.
    """
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if life == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (*SIGNALS, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        _control(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == keeper:
            os.execvp(words[0], words)  # noqa: S606 (a shell is not wanted)
    except OSError as error:
        os.write(report, f"error {error.errno} 0\n".encode())
    finally:
        os._exit(127)


def _wait(child: int, signal_pipe: int, life: int) -> int | None:
    """The command's wait status; None when ctxe closed its pipe or died, or a signal told us to end first."""
    while True:
        ready, _, _ = select.select([life, signal_pipe], [], [])
        status, _ = _reap(child)
        if status is not None:
            return status
        if life in ready and not os.read(life, 4096):
            return None
        if signal_pipe in ready and any(byte != signal.SIGCHLD for byte in os.read(signal_pipe, 4096)):
            return None


def _reap(child: int) -> tuple[int | None, bool]:
    """Reap every child that has ended. Returns the command's status if it was one of them, and whether any are left."""
    status = None
    while True:
        try:
            pid, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status, False
        if pid == 0:
            return status, True
        if pid == child:
            status = ended


def _end_all(child: int) -> tuple[int, int | None]:
    """End all processes that the command left, by SIGTERM first. Returns their number and the command's status."""
    alive = _descendants()
    count, status = len(alive), None
    started = time.monotonic()
    terminated: set[int] = set()
    while alive and (spent := time.monotonic() - started) < LAST_SECONDS:
        # by process id, so usually parents first: a shell continues when only the command it waits for ends
        for pid in sorted(alive if spent > POLITE_SECONDS else alive - terminated):
            _signal(pid, signal.SIGKILL if spent > POLITE_SECONDS else signal.SIGTERM)
        terminated |= alive
        time.sleep(STEP_SECONDS)
        ended, _ = _reap(child)
        status = ended if status is None else status
        alive = _descendants()
    if sys.platform != "linux":
        _signal(-child, signal.SIGKILL)
    ended, _ = _reap(child)
    return count, ended if status is None else status


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
        if number == signal.SIGTERM:
            os.kill(pid, signal.SIGCONT)
    except OSError:
        pass


def _descendants() -> set[int]:
    """Living descendants of this process, which as subreaper also gets orphans. Empty without /proc."""
    parents: dict[int, int] = {}
    try:
        for name in os.listdir("/proc"):  # noqa: PTH208 (pathlib costs 10 ms at start)
            if name.isdigit():
                _note_parent(int(name), parents)
    except OSError:
        return set()
    descendants, is_growing = {os.getpid()}, True
    while is_growing:
        children = {pid for pid, parent in parents.items() if parent in descendants}
        is_growing = not children <= descendants
        descendants |= children
    return descendants - {os.getpid()}


def _note_parent(pid: int, parents: dict[int, int]) -> None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (as above)
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return
    if state not in (b"Z", b"X"):
        parents[pid] = int(parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
