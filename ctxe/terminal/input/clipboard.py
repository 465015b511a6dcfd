"""The clipboard: reads a picture from it and puts text on it, by a desktop program or through the terminal."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping

from ctxe.domain.errors import ConfigError
from ctxe.safety.display import visible
from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write

PROGRAMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", "wl-paste", ("--no-newline", "--type", "image/png")),
    ("DISPLAY", "xclip", ("-selection", "clipboard", "-target", "image/png", "-out")),
    ("", "pngpaste", ("-",)),
)
"""A variable that is set on such a desktop (none: always), its program, and the arguments that ask for a PNG."""
COPIERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", "wl-copy", ("--type", "text/plain")),
    ("DISPLAY", "xclip", ("-selection", "clipboard", "-in")),
    ("DISPLAY", "xsel", ("--clipboard", "--input")),
    ("", "pbcopy", ()),
)
"""The same for programs that copy text from their standard input."""
SECONDS = 5.0


def read_picture(environment: Mapping[str, str]) -> bytes:
    """The bytes of a PNG. Raises ConfigError if no program can read one, or the clipboard has no picture."""
    import shutil

    programs = [name for variable, name, _ in PROGRAMS if not variable or environment.get(variable)]
    for variable, name, words in PROGRAMS:
        found = shutil.which(name)
        if found is None or (variable and not environment.get(variable)):
            continue
        try:
            done = subprocess.run(
                [found, *words], env=dict(environment), capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout:
            return done.stdout
        raise ConfigError("there is no picture on the clipboard", "copy one, or name its file: @shot.png")
    raise ConfigError(f"the clipboard cannot be read: {' or '.join(programs)} is missing", "name a file: @shot.png")


def copy_text(text: str, environment: Mapping[str, str], screen: Screen) -> str:
    """Put a text on the clipboard, invisible characters spelled out. Returns who took it. Raises ConfigError.

    Over SSH the desktop is on the user's machine, so the terminal is asked to do it (OSC 52, xterm control sequences).
    """
    data = visible(text).encode("utf-8", "replace")
    if "SSH_CONNECTION" not in environment and (name := _taken(data, environment)):
        return name
    if not screen.live:
        raise ConfigError("there is no clipboard here", "install wl-copy or xclip, or use a terminal that has one")
    write(screen.out, f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07")
    return "the terminal"


def _taken(data: bytes, environment: Mapping[str, str]) -> str:
    """Copy by the first program that succeeds, and return its name; "" if none does."""
    import shutil

    for variable, name, words in COPIERS:
        found = shutil.which(name)  # searched by this process, which never takes programs from the project
        if found is None or (variable and not environment.get(variable)):
            continue
        try:  # its output is discarded: xclip keeps running and would hold a pipe open
            done = subprocess.run(
                [found, *words],
                env=dict(environment),
                input=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return name
    return ""
