"""The input loop: text goes to the model; /commands, !commands and #notes go where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.cli.chat import slash
from ctxe.cli.chat.session import ChatSession
from ctxe.domain.errors import CostLimit, CtxeError

if TYPE_CHECKING:
    from ctxe.terminal.input.prompt import Left


def run(chat: ChatSession, words: str = "") -> int:
    """Read lines until the user leaves; returns the exit code of the process. An error ends the turn, not the session.

    When the cost limit ended the last turn, the exit code says so, for scripts.
    """
    from ctxe.cli.errors import print_error, report_bug
    from ctxe.terminal.input.prompt import Left

    while not chat.leaving:
        line, words = _next(chat, words), ""
        if isinstance(line, Left):
            return line.code or _spent(chat)
        chat.succeeded = True
        try:
            take(chat, line)
        except CtxeError as error:
            chat.succeeded = False
            print_error(error.message, error.hint)
        except KeyboardInterrupt:
            chat.succeeded = False
            chat.screen.tell("interrupted; what arrived is kept")
        except Exception as error:  # a bug ends the turn, never the session
            report_bug(error, chat.invocation.debug)
    return _spent(chat)


def _next(chat: ChatSession, words: str) -> str | Left:
    """The words given, else those typed while the newest turn ran, else what is entered now."""
    if not words:
        words, begun = chat.renderer.take_typed(chat.succeeded)
        if not words:
            begun, chat.input_text = "\n".join(filter(None, (chat.input_text, begun))), ""
            with chat.renderer.reading_line():
                return chat.prompt.read(begun)
        chat.prompt.keep(words)
    chat.renderer.show_words(words)
    return words


def _spent(chat: ChatSession) -> int:
    turns = chat.live.session.state.conversation.turns
    return CostLimit.exit_code if turns and turns[-1].outcome == "cost limit" else 0


ALONE = {"exit": "/exit", "quit": "/exit", ":q": "/exit", ":q!": "/exit", ":wq": "/exit", "help": "/help", "?": "/help"}
"""What people type to leave or to find the commands; as the only word of a line it is not a message."""


def take(chat: ChatSession, line: str) -> None:
    """Handle one line of input. Raises CtxeError."""
    words = ALONE.get(line.strip().lower(), line.strip())
    if not words:
        return
    if words.startswith("/") and slash.is_command(words):
        slash.run(chat, words)
    elif words.startswith("!"):
        slash.run(chat, f"/run {words[1:].strip()}")
    elif words.startswith("#"):
        slash.run(chat, f"/remember {words[1:].strip()}")
    else:
        chat.turn(line)
