"""Whether a command that passes has also built what an earlier one could not build."""

from __future__ import annotations

from collections.abc import Mapping

_BUILDS: Mapping[str, frozenset[str]] = {
    "cargo": frozenset({"build", "check", "clippy", "run"}),
    "go": frozenset({"build", "run", "vet"}),
    "mvn": frozenset({"compile"}),
    "mvnw": frozenset({"compile"}),
    "swift": frozenset({"build", "run"}),
}
"""Programs that build a project before they test it, with their actions that only build."""
_TESTS = "test"
_WHOLE = frozenset({"--workspace", "--all", "./..."})
"""Words for all packages of a project."""
_ALIKE = frozenset({"--all-targets", "--locked", "--offline", "--release", "-B", "-o"})
"""Options that hardly change what is built."""


def has_built(passed: str, failed: str) -> bool:
    """Whether ``passed`` builds all that ``failed`` builds: `cargo test` what `cargo build` does, not the reverse."""
    tool, action, rest = _taken_apart(passed)
    other, failed_action, failed_rest = _taken_apart(failed)
    if tool != other or failed_action not in {*_BUILDS.get(tool, ()), _TESTS}:
        return False
    stronger = action == _TESTS or (failed_action != _TESTS and action in _BUILDS[tool])
    whole = bool(rest & _WHOLE) and not any(word.startswith("--") for word in failed_rest - _WHOLE)
    return stronger and rest - _WHOLE <= failed_rest and (whole or failed_rest <= rest)


def _taken_apart(command: str) -> tuple[str, str, frozenset[str]]:
    """The program, its first argument that is no option, and the other words."""
    program, *words = command.split() or [""]
    action = next((word for word in words if not word.startswith("-")), "")
    return program.rpartition("/")[2], action, frozenset(words) - {action} - _ALIKE
