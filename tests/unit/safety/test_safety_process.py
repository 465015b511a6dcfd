"""A command is bounded in time, output and child processes, whatever it does and however ctxe ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctxe.domain.errors import ToolError
from ctxe.safety.running.process import Finished, complete, run
from tests.processes import gone, running

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def sh(words: str, cwd: Path, seconds: float = 10.0, limit: int = 1_000_000) -> Finished:
    return complete(["/bin/sh", "-c", words], cwd, ENV, seconds, limit)


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A number of seconds that no other sleeping process has."""
    return f"9{int.from_bytes(str(tmp_path).encode()) % 10**7:07d}"


def test_output_comes_in_order_and_as_it_is_made(tmp_path: Path) -> None:
    pieces = run(["/bin/sh", "-c", "echo one; echo two >&2; sleep 0.5; echo three; exit 7"], tmp_path, ENV)
    started = time.monotonic()
    assert next(pieces) in ("one\n", "one\ntwo\n")
    assert time.monotonic() - started < 0.45
    last = [piece for piece in pieces if isinstance(piece, Finished)]
    assert [(end.exit_code, end.output, end.omitted, end.timed_out) for end in last] == [
        (7, "one\ntwo\nthree\n", 0, False)
    ]


@pytest.mark.parametrize(
    ("words", "code"), [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", -9), ("kill -15 $$", -15)]
)
def test_the_exit_code_of_the_command_is_reported(tmp_path: Path, words: str, code: int) -> None:
    assert sh(words, tmp_path).exit_code == code


def test_a_command_runs_in_the_given_folder_and_environment(tmp_path: Path) -> None:
    assert sh("pwd; env | sort | grep -v -e PWD -e _= -e SHLVL -e OLDPWD", tmp_path).output.split("\n")[:3] == [
        os.path.realpath(tmp_path),
        "LC_ALL=C.UTF-8",
        f"PATH={ENV['PATH']}",
    ]


def test_a_command_gets_no_input_and_no_terminal(tmp_path: Path) -> None:
    end = sh("cat; tty; [ -t 0 ] || echo none; exec 3</dev/tty && echo stolen; true", tmp_path)
    assert "none" in end.output
    assert "stolen" not in end.output


def test_no_file_descriptor_is_inherited(tmp_path: Path) -> None:
    ours = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(ours, True)
    try:
        # a pipe would be a descriptor of the shell for a moment
        assert sh("ls /proc/$$/fd; true", tmp_path).output.split() == ["0", "1", "2"]
    finally:
        os.close(ours)


LIBC_OWN = 0b11 << 31
"""Signals 32 and 33, which no program can set: glibc's posix_spawn, which may have begun these tests, ignores them."""


def test_signal_handlers_are_reset_for_a_command(tmp_path: Path) -> None:
    assert sh("yes | head -1", tmp_path).output == "y\n", "SIGPIPE ends the writer"
    ignored = int(sh("grep SigIgn /proc/$$/status", tmp_path).output.split()[1], 16)
    assert ignored & ~LIBC_OWN == 0


def test_a_time_limit_ends_the_command_and_its_children(tmp_path: Path, marker: str) -> None:
    started = time.monotonic()
    end = sh(f"echo before; sleep {marker} & sleep {marker}; echo after", tmp_path, seconds=0.5)
    assert (end.output, end.timed_out, end.exit_code) == ("before\n", True, -15)
    assert time.monotonic() - started < 2.5
    assert running(marker) == []


def test_processes_that_ignore_signals_or_daemonise_are_ended(tmp_path: Path, marker: str) -> None:
    script = (
        "import os, signal, time\n"
        "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n"
        f"time.sleep({marker})\n"
    )
    started = time.monotonic()
    end = complete([sys.executable, "-c", script], tmp_path, ENV, 0.5)
    assert end.timed_out
    assert time.monotonic() - started < 3
    assert running(marker) == []


def test_background_processes_left_behind_are_ended_and_counted(tmp_path: Path, marker: str) -> None:
    started = time.monotonic()
    end = sh(f"sleep {marker} & (setsid sleep {marker} >/dev/null 2>&1 &) ; echo done", tmp_path)
    assert (end.output, end.exit_code, end.left, end.timed_out) == ("done\n", 0, 2, False)
    assert time.monotonic() - started < 2
    assert running(marker) == []


def test_closing_the_iterator_ends_the_command(tmp_path: Path, marker: str) -> None:
    pieces = run(["/bin/sh", "-c", f"echo begun; sleep {marker}"], tmp_path, ENV)
    with contextlib.closing(pieces):
        assert next(pieces) == "begun\n"
    assert running(marker) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killing_ctxe_ends_the_command(tmp_path: Path, marker: str, number: int) -> None:
    words = f"echo begun; setsid sleep {marker} & sleep {marker}"
    script = (
        "import sys; from pathlib import Path; from ctxe.safety.running.process import run\n"
        f"for piece in run(['/bin/sh', '-c', '{words}'], Path('.'), {ENV!r}):\n"
        "    print(piece, end='', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as us:
        assert us.stdout is not None
        assert us.stdout.readline() == "begun\n"
        time.sleep(0.1)
        os.kill(us.pid, number)
        try:
            us.wait(5)
        finally:
            us.kill()
        assert gone(marker)


def test_a_terminal_signal_does_not_reach_the_command(tmp_path: Path) -> None:
    end = sh("ps -o pgid= -p $$; ps -o sid= -p $$; echo $$", tmp_path).output.split()
    assert len(set(end)) == 1
    assert int(end[0]) != os.getpgrp()


def test_the_output_kept_in_memory_is_bounded(tmp_path: Path) -> None:
    end = sh("seq 1 2000000", tmp_path, seconds=30, limit=1_000)
    total = len("".join(f"{n}\n" for n in range(1, 2_000_001)))
    assert end.output.startswith("1\n2\n3\n")
    assert end.output.endswith("1999999\n2000000\n")
    assert end.omitted == total - 1_000
    assert f"… {total - 1_000} bytes left out …" in end.output


def test_the_time_limit_holds_during_endless_output(tmp_path: Path) -> None:
    began = time.monotonic()
    for piece in run(["yes"], tmp_path, ENV, 0.3):
        if isinstance(piece, Finished):
            assert piece.timed_out
        time.sleep(0.01)  # who shows it takes longer than who says it
        assert time.monotonic() - began < 5


def test_output_that_is_not_text_is_decoded(tmp_path: Path) -> None:
    assert sh(r"printf 'a\377\303b\303'", tmp_path).output == "a�" + "�b�"
    pieces = list(run(["/bin/sh", "-c", r"printf '\303'; sleep 0.2; printf '\244'"], tmp_path, ENV))
    assert pieces[0] == "ä"


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["/nowhere/program"], "No such file or directory"),
        (["/"], "Permission denied"),
        (["a\0b"], "null byte"),
        (["/bin/true", "x" * 3_000_000], "Argument list too long"),
    ],
)
def test_a_program_that_cannot_start_is_reported(tmp_path: Path, argv: list[str], why: str) -> None:
    with pytest.raises(ToolError, match=f"cannot run .*{why}"):
        complete(argv, tmp_path, ENV)


def test_a_missing_working_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="No such file or directory"):
        complete(["/bin/true"], tmp_path / "gone", ENV)
