"""Ctrl-C in a real process under a real terminal: once keeps the partial answer, twice exits, modes are restored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pexpect
import pytest

from ctxe.domain.events import Event, Notice
from ctxe.terminal.input.interrupt import Interrupts, play

# Its clock runs four times as fast: the two seconds within which a second press leaves are half a second here.
SESSION = """
    import os, subprocess, sys, time
    from ctxe.domain.events import Notice, TurnFinished, TurnStarted
    from ctxe.domain.model import TextDelta
    from ctxe.terminal.input.interrupt import handling_interrupts, play
    from ctxe.terminal.input.prompt import Left, Prompt
    from ctxe.terminal.render import Renderer
    from ctxe.terminal.screen import detect

    def turn(words):
        yield TurnStarted(words)
        yield TextDelta("As far as I came")
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        print("CHILD", child.pid, file=sys.stderr, flush=True)
        try:
            child.wait()
        except KeyboardInterrupt:
            child.kill()
            child.wait()
            {slow}
            yield TurnFinished("interrupted")
            raise

    screen = detect(sys.stdin, sys.stdout, sys.stderr, os.environ)
    with handling_interrupts(screen, lambda: 4 * time.monotonic()), Renderer(screen) as renderer:
        prompt = Prompt(screen)
        while not isinstance(words := prompt.read(), Left):
            print("WHOLE", play(turn(words), renderer.show))
    sys.exit(words.code)
"""


def start(slow: str = "pass", **environ: str) -> pexpect.spawn:
    program = textwrap.dedent(SESSION).replace("{slow}", slow)
    env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", 'trap : INT; "$0" -c "$1"; echo "CODE $?"; stty -a', sys.executable, program],
        env=env,
        timeout=20,
        encoding="utf-8",
    )
    child.expect("›|>")
    time.sleep(0.3)
    child.send("go\r")
    child.expect(r"CHILD (\d+)")
    child.sleeper = int(child.match[1])
    time.sleep(0.3)
    return child


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_one_ctrl_c_keeps_the_partial_answer_and_the_session(term: str) -> None:
    child = start(TERM=term)
    began = time.monotonic()
    child.send("\x03")
    child.expect("interrupted; what arrived is kept")
    child.expect("WHOLE False")
    assert time.monotonic() - began < 1
    assert gone(child.sleeper)
    time.sleep(0.6)
    child.send("again\r")
    child.expect("CHILD")
    child.send("\x03")
    child.expect("WHOLE False")
    time.sleep(0.6)
    child.send("\x04")
    child.expect("CODE 0")
    child.expect(" echo ")
    child.close()


def test_two_ctrl_c_exit_with_130_and_restore_the_terminal() -> None:
    child = start()
    child.send("\x03")
    child.expect("WHOLE False")
    child.send("\x03")
    child.expect("CODE 130")
    child.expect("(?<!-)icanon.*(?<!-)echo ")
    child.close()


def test_a_second_ctrl_c_exits_while_the_turn_is_still_closing() -> None:
    child = start(slow="time.sleep(30)")
    child.send("\x03")
    time.sleep(0.2)
    began = time.monotonic()
    child.send("\x03")
    child.expect("CODE 130")
    assert time.monotonic() - began < 1
    child.expect("(?<!-)icanon.*(?<!-)echo ")
    child.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_restore_the_terminal(number: signal.Signals) -> None:
    child = start()
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(child.pid)], capture_output=True, check=True)
    for line in found.stdout.split():
        os.kill(int(line), number)
    child.expect(f"CODE {128 + number}")
    child.expect("(?<!-)icanon.*(?<!-)echo ")
    os.kill(child.sleeper, signal.SIGKILL)
    child.close()


def test_keys_typed_during_work_are_not_echoed_but_kept() -> None:
    child = start()
    child.send("typed ahead")
    time.sleep(0.3)
    child.send("\x03")
    child.expect("WHOLE False")
    assert "typed ahead" not in child.before
    time.sleep(0.6)
    child.send("\x04")
    child.close(force=True)


def test_an_interrupt_waits_until_drawing_is_over() -> None:
    interrupts, seen = Interrupts(), []

    def drawing() -> None:
        with interrupts.deferred():
            interrupts(signal.SIGINT, None)
            seen.append("drawn")

    with pytest.raises(KeyboardInterrupt):
        drawing()
    assert seen == ["drawn"]


def test_a_second_ctrl_c_counts_within_two_seconds() -> None:
    now = [0.0]
    interrupts = Interrupts(lambda: now[0])
    presses = []
    for at in (10.0, 11.9, 14.0, 16.1, 17.0):
        now[0] = at
        presses.append(interrupts.press())
    assert presses == [False, True, False, False, True]


def test_an_interrupt_is_thrown_into_the_event_generator() -> None:
    shown: list[Event] = []

    def events() -> Iterator[Event]:
        try:
            yield Notice("first")
            yield Notice("second")
        except KeyboardInterrupt:
            yield Notice("closed")
            raise

    def show(event: Event) -> None:
        shown.append(event)
        if event == Notice("first"):
            raise KeyboardInterrupt

    assert play(events(), show) is False
    assert shown == [Notice("first"), Notice("closed")]
    assert play([Notice("a"), Notice("b")], shown.append) is True


def test_the_event_generator_is_closed_when_drawing_fails() -> None:
    closed: list[str] = []

    def events() -> Iterator[Event]:
        try:
            yield Notice("first")
        finally:
            closed.append("closed")

    def show(_: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        play(events(), show)
    assert closed == ["closed"]
