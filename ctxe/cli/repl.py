"""The interactive session: a line is read, words go to the model, /commands, !commands and #notes to their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxe.cli import slash
from ctxe.domain.errors import CtxeError
from ctxe.domain.events import Event

if TYPE_CHECKING:
    from ctxe.project.live import Live
    from ctxe.terminal.prompt import Prompt
    from ctxe.terminal.render import Renderer
    from ctxe.terminal.screen import Screen


@dataclass(slots=True)
class Chat:
    """What a slash command may use. ``next`` is the session that shall follow this one: (new|resume|fork, id)."""

    live: Live
    screen: Screen
    renderer: Renderer
    prompt: Prompt
    leaving: bool = False
    last_test: str = ""
    next: tuple[str, str] | None = None

    def play(self, events: Iterable[Event]) -> None:
        """Show events as they come; Ctrl-C ends the turn and keeps what came."""
        from ctxe.terminal.interrupt import play

        play(events, self.renderer.show)

    def say(self, text: str) -> None:
        """Drawn text for the user."""
        self.screen.say(text)

    def toolbar(self) -> str:
        """The row below the input line: model, tokens, money, mode."""
        return self.live.status_words()

    def reopen(self, kind: str, session: str) -> None:
        """Leave this session for another one."""
        self.next, self.leaving = (kind, session), True


def run(chat: Chat, words: str = "") -> int:
    """Until the user leaves; the exit code of the process. An error ends the turn, not the session."""
    from ctxe.cli.errors import say
    from ctxe.terminal.prompt import Left

    while not chat.leaving:
        line = words or chat.prompt.read()
        words = ""
        if isinstance(line, Left):
            return line.code
        try:
            take(chat, line)
        except CtxeError as error:
            say(error.message, error.hint)
        except KeyboardInterrupt:
            chat.screen.tell("interrupted; what came is kept")
    return 0


def take(chat: Chat, line: str) -> None:
    """Do what one line asks for. Raises CtxeError."""
    words = line.strip()
    if not words:
        return
    if words.startswith("/") and slash.known(words):
        slash.run(chat, words)
    elif words.startswith("!"):
        slash.run(chat, f"/run {words[1:].strip()}")
    elif words.startswith("#"):
        slash.run(chat, f"/remember {words[1:].strip()}")
    else:
        chat.play(chat.live.turn(line))
