"""Making ``--help`` readable: named values instead of types, only meaningful defaults, examples."""

from __future__ import annotations

from typing import Any

from ctxe.cli.front_page import EXAMPLES as FRONT

EXAMPLES: dict[str, tuple[str, ...]] = {
    "ctxe": FRONT,
    "chat": (
        'git diff | ctxe -p "review this"',
        "ctxe --model ollama/qwen3 --read docs/api.md",
        'ctxe -p "/review main" --output-format json --max-cost 0.50',
        'ctxe -p "fix the failing test" --approval auto',
    ),
    "budget": ('ctxe budget "fix the parser" --explain', "ctxe budget --session 2026 --step 3"),
    "plan": ('ctxe plan "fix the parser" --show', "gh issue view 12 | ctxe plan"),
    "pack": ('ctxe pack "fix the parser" --budget 12000 > context.md',),
    "memory add": ('ctxe memory add "Tests need a running redis" --file tests/conftest.py',),
    "failures learn": ("ctxe failures learn ~/.claude/projects/my-project",),
    "mcp add": ("ctxe mcp add docs -- npx -y some-docs-server", "ctxe mcp add issues --url https://example.org/mcp"),
    "config set": ("ctxe config set model.name anthropic/claude-sonnet-4-5", "ctxe config set checks.turn 'pytest -q'"),
    "completion": ("ctxe completion bash > ~/.local/share/bash-completion/completions/ctxe",),
}
"""Example command lines by command."""
VALUES = {
    "model": "NAME", "session": "ID", "budget": "N", "step": "N", "kind": "KIND", "scope": "GLOB", "file": "FILE",
    "title": "LINE", "text": "WORDS", "evidence": "WHAT", "supersedes": "ENTRY", "status": "STATUS", "since": "WHEN",
    "grep": "TEXT", "out": "FILE", "command": "LINE", "error": "TEXT", "tried": "TEXT", "outcome": "TEXT",
    "fix": "TEXT", "budget_tokens": "N", "k": "N", "window": "N",
    "allowed_tools": "NAMES", "accept": "ENTRY", "reject": "ENTRY",
    "merge": "ENTRY",
}  # fmt: skip
"""Placeholders of option values by option name."""


def readable(command: Any, path: str = "ctxe") -> Any:
    """The command and all its subcommands with readable help; what they accept does not change."""
    if command.help:
        command.short_help = command.help.split("\n\n")[0].rstrip(".")
    lines = EXAMPLES.get(path.removeprefix("ctxe ").strip() or "ctxe")
    if lines:
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {example}" for example in lines)
    for parameter in command.params:
        _plain(parameter)
    for name, inner in getattr(command, "commands", {}).items():
        readable(inner, f"{path} {name}")
    return command


def _plain(parameter: Any) -> None:
    """Hide Python's types and defaults that mean "not given" in the help of an option or argument.

    Typer has no setting for that. Only its help, whose parts differ by version, reads these attributes.
    """
    parameter._get_number_range_help_str = str
    if parameter.param_type_name == "argument":
        parameter.metavar = parameter.metavar or str(parameter.name).upper()
        parameter.metavar = parameter.metavar.removesuffix("...").removeprefix("[").removesuffix("]")
        parameter.display_type_rich = _nothing
        parameter._rich_display_name = lambda: parameter.metavar
        return
    if not (getattr(parameter, "is_flag", False) or parameter.metavar or _choices(parameter)):
        parameter.metavar = VALUES.get(parameter.name, parameter.name.upper())
    if not parameter.default or getattr(parameter, "is_flag", False):
        parameter.show_default = False


def _choices(parameter: Any) -> bool:
    """True when the value is one of a few words; the help lists them."""
    kind = getattr(parameter, "type_descriptor", None) or getattr(parameter, "type", None)
    return bool(getattr(kind, "choices", None))


def _nothing(**_: Any) -> str:
    return ""
