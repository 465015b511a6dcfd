"""Choosing the sandbox for commands: bubblewrap, else Landlock, else none; the user is told which."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.safety.programs import find_program
from ctxe.safety.running.landlock import OLDEST, version
from ctxe.safety.running.process import complete
from ctxe.safety.running.sandbox_commands import Confinement, Sandbox, bubblewrap_command, landlock_command
from ctxe.safety.shell.commands import parse
from ctxe.safety.shell.readonly import reads
from ctxe.safety.shell.words import program

__all__ = ["Confinement", "Sandbox", "detect", "wrap", "writes_git"]

KINDS: tuple[str, ...] = ("bubblewrap", "landlock") if sys.platform == "linux" else ()
PROBE_SECONDS = 10.0


def detect(root: Path, search: Sequence[str] | None = None, kinds: Sequence[str] = KINDS) -> Sandbox:
    """The first sandbox that passes a test: a command inside tries to write outside and must fail (about 0.1 s each).

    Never raises; when none works, ``says`` gives the reasons. The caller should keep the answer.
    """
    reasons: list[str] = []
    for kind in kinds:
        for candidate in _bubblewrap(root, search, reasons) if kind == "bubblewrap" else _landlock(reasons):
            if not (problem := _problem(candidate)):
                return candidate
            reasons.append(f"{candidate.kind}: {problem}")
    return Sandbox("none", f"commands run without a sandbox ({'; '.join(reasons) or 'none is known for this system'})")


def _bubblewrap(root: Path, search: Sequence[str] | None, reasons: list[str]) -> Iterator[Sandbox]:
    program = find_program("bwrap", root, search)
    if program is None:
        reasons.append("bubblewrap is not installed")
        return
    says = "commands run in a bubblewrap sandbox: they write only in the work tree and a private temporary folder"
    yield Sandbox("bubblewrap", says, str(program))
    yield Sandbox("bubblewrap", says, str(program), bare=True)


def _landlock(reasons: list[str]) -> Iterator[Sandbox]:
    level = version()
    if level < OLDEST:
        reasons.append(f"this kernel's Landlock is too old ({level})" if level else "this kernel has no Landlock")
        return
    says = (
        "commands run in a Landlock sandbox: they change only what is in the work tree, but no new names at its top "
        "and nothing in .git"
    )
    yield Sandbox("landlock", says)


def _problem(sandbox: Sandbox) -> str:
    """Why a sandbox fails the test; empty when a command inside could write inside and not outside."""
    try:
        with tempfile.TemporaryDirectory(prefix="ctxe-probe-") as base:
            root, temp, outside = (Path(base, name) for name in ("root", "temp", "outside"))
            for folder in (root / "sub", temp, outside):
                folder.mkdir(parents=True)
            confinement = Confinement(root, temp, Path(base, "home"))
            script = 'echo in > sub/x && ! (: > "$1/x") 2>/dev/null && echo held'
            argv = wrap(sandbox, ["/bin/sh", "-c", script, "sh", str(outside)], confinement)
            finished = complete(argv, root, {"PATH": "/usr/bin:/bin"}, PROBE_SECONDS)
            if finished.exit_code == 0 and finished.output.endswith("held\n") and not (outside / "x").exists():
                return "" if (root / "sub/x").exists() else "files written inside are lost"
            return (finished.output.strip().splitlines() or [f"exit {finished.exit_code}"])[-1][:160]
    except (OSError, ToolError) as error:
        return str(error)[:160]


def wrap(sandbox: Sandbox, argv: Sequence[str], confinement: Confinement) -> list[str]:
    """The command line that runs ``argv`` in the sandbox; ``argv`` itself when there is none.

    Protected files at the root, which configure ctxe, git or other assistants, cannot be changed, and new ones do not
    stay. The command ends when its parent does.
    """
    match sandbox.kind:
        case "bubblewrap":
            return bubblewrap_command(sandbox, list(argv), confinement)
        case "landlock":
            return landlock_command(list(argv), confinement)
        case _:
            return list(argv)


def writes_git(command: str) -> bool:
    """Whether a command line visibly calls git for more than reading, so that git's folder should be writable."""
    calls = (part for part in parse(command).seen if part.words and program(part.words[0]) == "git")
    return any(reads(part) is None for part in calls)
