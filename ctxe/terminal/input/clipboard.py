"""The clipboard: the picture on it, and text put there, by the program of the desktop or by the terminal itself."""

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
"""The variable that says a desktop is there (none: always), its program, and the arguments that ask for a PNG."""
COPIERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", "wl-copy", ("--type", "text/plain")),
    ("DISPLAY", "xclip", ("-selection", "clipboard", "-in")),
    ("DISPLAY", "xsel", ("--clipboard", "--input")),
    ("", "pbcopy", ()),
)
"""The same for programs that take text on their input."""
SECONDS = 5.0


def picture(environment: Mapping[str, str]) -> bytes:
    """The bytes of a PNG. Raises ConfigError where no program gives one, or no picture was copied."""
    import shutil

    asked = [name for variable, name, _ in PROGRAMS if not variable or environment.get(variable)]
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
    raise ConfigError(f"the clipboard cannot be read: {' or '.join(asked)} is missing", "name a file: @shot.png")


def put(text: str, environment: Mapping[str, str], screen: Screen) -> str:
    """Put a text on the clipboard, what cannot be seen in it spelled out; who took it. Raises ConfigError.

    Over SSH the desktop is at the other end: the terminal is asked (OSC 52, xterm's control sequences).
    """
    data = visible(text).encode("utf-8", "replace")
    if "SSH_CONNECTION" not in environment and (name := _taken(data, environment)):
        return name
    if not screen.live:
        raise ConfigError("there is no clipboard here", "install wl-copy or xclip, or use a terminal that has one")
    write(screen.out, f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07")
    return "the terminal"


def _taken(data: bytes, environment: Mapping[str, str]) -> str:
    import shutil

    for variable, name, words in COPIERS:
        found = shutil.which(name)  # of this process, which looks for programs nowhere in the project
        if found is None or (variable and not environment.get(variable)):
            continue
        try:  # its output goes nowhere: xclip stays behind, and would keep a pipe open
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
