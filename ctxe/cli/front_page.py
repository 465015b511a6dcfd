"""The front page ``ctxe --help``, which lists all commands, printed without importing Typer."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "chat": ("ctxe.cli.chat.command", "chat with a model in this repository"),
    "budget": ("ctxe.cli.budget", "what the next request would hold, and why"),
    "plan": ("ctxe.cli.plan", "which files a task needs, with reasons"),
    "pack": ("ctxe.cli.pack", "the context of a task as one text, for another tool"),
    "memory": ("ctxe.cli.memory", "what this project remembers"),
    "failures": ("ctxe.cli.failures", "what went wrong before, and what fixed it"),
    "decisions": ("ctxe.cli.decisions", "what was decided, and why"),
    "skills": ("ctxe.cli.skills", "domain modules and their cost in tokens"),
    "sessions": ("ctxe.cli.sessions", "past sessions: list, show, inspect, diff, export"),
    "cost": ("ctxe.cli.cost", "cost and tokens by session, day and model"),
    "index": ("ctxe.cli.index", "build or refresh the index of this repository"),
    "replay": ("ctxe.cli.replay", "context assembly as a service for other programs"),
    "mcp": ("ctxe.cli.mcp", "what this project knows, for other assistants; servers for ctxe"),
    "init": ("ctxe.cli.init", "set ctxe up in this repository"),
    "doctor": ("ctxe.cli.doctor", "check that everything works here"),
    "config": ("ctxe.cli.config", "show and change settings"),
    "trust": ("ctxe.cli.trust", "let this folder's settings count"),
    "completion": ("ctxe.cli.completion", "a script that completes ctxe's commands in your shell"),
}

HELP = """Talk with a coding model in the terminal, and see what it sees.

`ctxe` alone starts a session here, as `ctxe chat` does, and takes its
options; `ctxe budget` shows what the next request would hold. -C DIR or
--project DIR works with every command; --debug shows the traceback of a
bug, --version the version."""
"""Wrapped as Typer wraps it at WIDTH columns."""
EXAMPLES = (
    "ctxe                              a session in this repository",
    'ctxe "why is the parser slow?"    the same, begun with these words',
    'ctxe -p "why is it slow?"         one answer; what is piped in is added',
    "ctxe -c                           continue the newest session (-r: pick)",
)
WIDTH = 80
"""Most columns of a help page; in a narrower window Typer wraps it itself."""


def fits_window() -> bool:
    """True when the window is at least WIDTH columns wide."""
    import shutil

    return shutil.get_terminal_size().columns >= WIDTH


def print_front_page() -> None:
    """Print the page exactly as Typer does; importing Typer takes as long as everything else that this needs."""
    import sys

    options = {"-h, --help": "Show this message and exit."}
    commands = {name: description for name, (_, description) in COMMANDS.items()}
    parts = ["Usage: ctxe [OPTIONS] COMMAND [ARGS]...", _block("", HELP.split("\n"))]
    parts += [_block("Options:", _table(options)), _block("Commands:", _table(commands))]
    sys.stdout.write("\n\n".join([*parts, _block("  Examples:", [f"  {example}" for example in EXAMPLES])]) + "\n")


def _block(title: str, rows: list[str]) -> str:
    """Indented rows below their title."""
    return "\n".join([*([title] if title else []), *(f"  {row}" if row else "" for row in rows)])


def _table(descriptions: dict[str, str]) -> list[str]:
    """Names and descriptions in two columns."""
    widest = max(map(len, descriptions))
    return [f"{name:<{widest}}  {description}" for name, description in descriptions.items()]
