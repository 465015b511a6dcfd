"""The command table: every command with one line of help; its module is imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ctxe.cli.front_page import COMMANDS, HELP, fits_window, print_front_page

if TYPE_CHECKING:
    from ctxe.cli.invocation import Invocation

QUICK = {
    "chat": "ctxe.cli.chat.options",
    "budget": "ctxe.cli.budget_options",
    "plan": "ctxe.cli.plan_options",
    "memory": "ctxe.cli.memory_show",
}
"""Commands whose plain command lines need no Typer, with the module that parses and runs them."""

PICK_FROM_LIST = "?"
"""Replaces a session's id when the user wants to pick one from a list."""


def build(wanted: Collection[str]) -> Any:
    """The command line; only the modules of ``wanted`` are imported, every other command is just a name with its help.

    Each module has ``register(app)``, which adds its command or group under its name.
    """
    import typer

    from ctxe.cli.help import readable
    from ctxe.cli.parameters import with_lean_parsing

    app = typer.Typer(
        name="ctxe",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, (module, description) in COMMANDS.items():
        if name in wanted:
            import_module(module).register(app)
        else:
            app.command(name, help=description)(_placeholder)
    app.callback()(_root)
    return with_lean_parsing(readable(typer.main.get_command(app)))


def _placeholder() -> None:
    """A placeholder in the help for a command that was not called."""


def _root() -> None:
    """Make ``ctxe`` a group even with a single command; -C, --debug and --version are parsed before Typer."""


def _quick(words: list[str], invocation: Invocation) -> Callable[[], int | None] | None:
    """Run a command without Typer, which takes a quarter of a short one's time; None if Typer must parse the words."""
    module = import_module(QUICK[words[0]])
    options = module.parse_words(words[1:])
    return None if options is None else lambda: module.show(invocation, options)


def _with_implied_chat(words: list[str]) -> list[str]:
    """The words with an implied ``chat`` added: for ``ctxe`` on a terminal, ``ctxe -c``, ``ctxe "mend it"``."""
    if words:
        is_option = words[0].startswith("-") and words[0] not in ("-h", "--help", "--")
        return _with_pick(["chat", *words] if is_option or " " in words[0].strip() else words)
    has_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return ["chat"] if has_terminal else words


def _with_pick(words: list[str]) -> list[str]:
    """``-r`` without an id means picking one from a list; Typer gets the id PICK_FROM_LIST for it."""
    end = words.index("--") if "--" in words else len(words)
    following = [*words[1:], "-"]
    without_id = {
        index for index in range(end) if words[index] in ("-r", "--resume") and following[index].startswith("-")
    }
    return [
        f"--resume={PICK_FROM_LIST}" if words[0] == "chat" and index in without_id else word
        for index, word in enumerate(words)
    ]


def _version() -> None:
    from ctxe import __version__

    sys.stdout.write(f"ctxe {__version__}\n")


def _wanted(words: list[str]) -> Collection[str]:
    """The command that is called; all of them when a shell asks for completions."""
    from ctxe.config import read_environment

    if "_CTXE_COMPLETE" in read_environment():
        from ctxe.cli.completion import register_shells

        register_shells()
        return COMMANDS
    return [word for word in words if not word.startswith("-")][:1]


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return the exit code; errors are shown without a traceback."""
    from ctxe.cli.errors import print_error, run_reporting_errors

    words = sys.argv[1:] if argv is None else argv
    if words in (["--help"], ["-h"]) and fits_window():
        return run_reporting_errors(print_front_page)
    from ctxe.cli.invocation import split_globals
    from ctxe.domain.errors import ConfigError

    try:
        rest, invocation = split_globals(words)
    except ConfigError as error:
        print_error(error.message, error.hint)
        return 2
    if rest in (["--version"], ["-V"]):
        return run_reporting_errors(_version)
    rest = _with_implied_chat(rest)
    if rest[:1] and rest[0] in QUICK and (quick := _quick(rest, invocation)) is not None:
        return run_reporting_errors(quick, invocation.debug)
    wanted = _wanted(rest)
    arguments = {"args": rest, "prog_name": "ctxe", "standalone_mode": False, "obj": invocation}
    return run_reporting_errors(lambda: build(wanted)(**arguments), invocation.debug)
