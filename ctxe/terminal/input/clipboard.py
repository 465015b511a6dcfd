"""The picture on the clipboard, by the program of the desktop that gives it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from ctxe.domain.errors import ConfigError

PROGRAMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", "wl-paste", ("--no-newline", "--type", "image/png")),
    ("DISPLAY", "xclip", ("-selection", "clipboard", "-target", "image/png", "-out")),
    ("", "pngpaste", ("-",)),
)
"""The variable that says a desktop is there (none: always), its program, and the arguments that ask for a PNG."""
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
