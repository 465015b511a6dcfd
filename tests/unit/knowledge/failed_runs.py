"""Makes events of command runs, for tests of failures."""

from __future__ import annotations

from typing import Any

ROOT = "/w/repo"


def run(command: str, code: int = 1, kind: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    error = {"class": kind, "message": message, "file": more.pop("file", ""), "line": more.pop("line", 0)}
    return {"command": command, "exit_code": code, **({"error": error} if kind or message else {}), **more}
