"""Hands the terminal over to a program that the user operates: an editor, a pager, a shell, a password prompt."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set
from ctxe.safety.programs import find_program
from ctxe.safety.shell.words import SimpleCommand
from ctxe.terminal.input import keyboard
from ctxe.terminal.input.interrupt import RESET
from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write

ALWAYS = word_set(
    "vi vim nvim vimdiff view nano pico emacs emacsclient micro hx helix kak joe ne ed less more most man info top htop"
    " btop atop glances ncdu watch ssh telnet sftp ftp mosh screen tmux zellij ranger nnn mc lf yazi fzf tig lazygit"
    " gitui gdb lldb pdb ipdb psql mysql mariadb sqlite3 redis-cli mongosh ipython bpython ptpython irb pry ghci iex"
    " passwd su sudo doas visudo dialog whiptail"
)
"""Programs that take over the screen or ask for a password, whatever their arguments."""
BARE = word_set(
    "bash sh zsh fish dash ksh python python3 node deno bun lua luajit julia R scala ocaml erl guile php perl"
)
"""Interpreters that read standard input when called without anything to run."""
MODULES = word_set("pdb ipdb code IPython asyncio")
CONTAINERS = word_set("docker podman nerdctl kubectl")
GIT = {
    "commit": pattern(r"-m|-F|-C|--(?:message|file|reuse-message|no-edit|fixup|dry-run)\b|-[a-zA-Z]*[mFC]$"),
    "mergetool": None,
    "difftool": None,
}
"""git commands that open an editor or tool, and the options with which they do not."""
BY_HAND = pattern(r"-(?:[ip]|-interactive|-patch)$|--edit$")


def is_interactive(command: str) -> bool:
    """Whether a command line contains a program that the user operates."""
    from ctxe.safety.shell.commands import parse

    parsed = parse(command)
    return any(_by_hand(part) for part in parsed.sure or parsed.seen if part.words)


def _by_hand(part: SimpleCommand) -> bool:
    from ctxe.safety.shell.words import program

    name, rest = program(part.words[0]), part.texts[1:]
    if name == "git":
        return _git(rest)
    if name in CONTAINERS:
        return any(re.fullmatch(r"-[a-zA-Z]*t[a-zA-Z]*|--tty", word) for word in rest)
    if name.rstrip("0123456789.") in BARE or name in BARE:
        debugs = any(pair[0] == "-m" and pair[1] in MODULES for pair in itertools.pairwise(rest))
        return debugs or "-i" in rest or not (rest or part.redirects)
    return name in ALWAYS


def _git(words: Sequence[str]) -> bool:
    """Whether a git command opens an editor, a tool or an interactive selection."""
    while words[:1] and words[0].startswith("-"):
        words = words[2 if words[0] in ("-c", "-C") else 1 :]
    command, rest = (words[0], words[1:]) if words else ("", ())
    if command in GIT:
        quiet = GIT[command]
        return quiet is None or not any(quiet.match(word) for word in rest)
    adds = command in ("add", "checkout", "reset", "restore", "stash", "rebase", "clean", "config")
    return adds and any(BY_HAND.match(word) for word in rest)


def shell_argv(command: str, root: Path) -> list[str]:
    """The arguments that run a command line in a shell.

    A single program replaces the shell, so its exit code is kept.
    """
    return [str(find_program("bash", root) or "/bin/sh"), "-c", command]


def run_on_terminal(
    screen: Screen, argv: Sequence[str], folder: str, environment: Mapping[str, str] | None = None
) -> int:
    """Run a program on the terminal and return its exit code; 128 and more is the signal that ended it.

    Meanwhile Ctrl-C goes to the program. Afterwards our terminal modes are restored. Raises OSError if it cannot start.
    """
    saved = keyboard.modes(screen.stdin)
    try:
        with _ignoring_key_signals():
            child = subprocess.Popen(argv, cwd=folder, env=None if environment is None else dict(environment))
            code = child.wait()
    finally:
        keyboard.restore(screen.stdin, saved)
        if screen.live:
            with contextlib.suppress(OSError, ValueError):
                write(screen.out, RESET if screen.color else RESET[4:])
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _ignoring_key_signals() -> Iterator[None]:
    r"""Ignore the signals of Ctrl-C and Ctrl-\. By handlers, because a child process would inherit SIG_IGN."""
    if threading.current_thread() is not threading.main_thread() or os.name == "nt":
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, act in before.items():
            signal.signal(number, act)
