"""What fixed a failure, told in a line: the edit, the command that came first, or the call put right."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence


def of_edits(edits: Mapping[str, str], most: int = 3) -> str:
    """The lesson of edits (path → unified diff or nothing), the newest ones."""
    return "edited " + "; ".join(f"{path}{gist(diff)}" for path, diff in list(edits.items())[-most:])


def of_commands(commands: Sequence[str]) -> str:
    """The lesson of what ran in between; empty for nothing."""
    last = list(dict.fromkeys(commands))[-2:]
    return "first ran " + " then ".join(f"`{command}`" for command in last) if last else ""


def gist(diff: str) -> str:
    """The first line that was taken out, and the first that was put in."""
    lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    out = next((line[1:].strip() for line in lines if line.startswith("-") and line[1:].strip()), "")
    into = next((line[1:].strip() for line in lines if line.startswith("+") and line[1:].strip()), "")
    if out and into:
        return f": `{out[:90]}` → `{into[:90]}`"
    return f": added `{into[:120]}`" if into else (f": removed `{out[:120]}`" if out else "")


def of_call(wrong: str, right: str) -> str:
    """The lesson of a call put right: the word that differs when it is one, else the whole line."""
    try:
        before, after = shlex.split(wrong), shlex.split(right)
    except ValueError:
        before, after = wrong.split(), right.split()
    changed = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    if len(before) == len(after) and len(changed) == 1:
        return f"`{changed[0][0]}` → `{changed[0][1]}` (`{' '.join(right.split())[:160]}`)"
    return f"run `{' '.join(right.split())[:200]}` instead"
