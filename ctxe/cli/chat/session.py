"""What a chat is made of, and what every slash command may use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ctxe.cli.invocation import Invocation
from ctxe.domain.errors import CtxeError
from ctxe.domain.events import Event, ToolFinished, TurnFinished, TurnStarted
from ctxe.domain.value import dataclass, field

if TYPE_CHECKING:
    from ctxe.project.session.live import Live
    from ctxe.terminal.input.prompt import Prompt
    from ctxe.terminal.render import Renderer
    from ctxe.terminal.screen import Screen


RESULTS = 50  # calls whose whole output can still be asked for
CYCLE = ("ask", "auto-edit", "read-only")


@dataclass(slots=True)
class ChatSession:
    """What a slash command may use. ``next`` is the session that shall follow this one: (new|resume|fork, id).

    ``rewound``: that session begins before a turn of this one, with these words in its line. ``begun``: such words.
    ``results`` are the newest calls that ended, for those who want to read all of what the screen showed in part.
    ``whole``: the newest turn or command has neither failed nor been stopped by Ctrl-C; Escape makes way.
    """

    live: Live
    screen: Screen
    renderer: Renderer
    prompt: Prompt
    leaving: bool = False
    whole: bool = True
    last_test: str = ""
    begun: str = ""
    next: tuple[str, str] | None = None
    rewound: tuple[int, str] = (0, "")
    results: deque[ToolFinished] = field(default_factory=lambda: deque(maxlen=RESULTS))

    def play(self, events: Iterable[Event]) -> None:
        """Show events as they come; Ctrl-C ends the turn and keeps what came."""
        from ctxe.terminal.input.interrupt import play

        self.whole = play(events, self._show)

    def _show(self, event: Event) -> None:
        if isinstance(event, ToolFinished):
            self.results.append(event)
        self.renderer.show(event)

    def turn(self, words: str, own: str | None = None) -> None:
        """A turn of the session (``own`` as for Live.turn). An error that ended it stands on the screen already.

        Only its hint is added; words that were stopped before anything was made of them come back into the line. Raises
        CtxeError for what kept the turn from beginning.
        """
        failed: list[str] = []
        begun = False

        def show(event: Event) -> None:
            nonlocal begun
            begun = begun or isinstance(event, TurnStarted)
            if isinstance(event, TurnFinished) and event.outcome == "failed":
                failed.append(event.why)
            self._show(event)

        from ctxe.project.session.turns import turn
        from ctxe.terminal.input.interrupt import current, play

        self.whole = False
        try:
            with self.renderer.working():
                whole = play(turn(self.live, words, self._since, own), show)
                self.whole = (whole or current().eased) and not failed
                self.begun = self.begun if whole or begun else words
        except CtxeError as error:
            if error.message not in failed:
                raise
            if error.hint:
                self.renderer.hint(error.hint)

    def _since(self) -> str:
        """Words that were entered while the model works and may be told between two steps; ↑ brings them back."""
        if words := self.renderer.entered():
            self.prompt.keep(words)
        return words

    def say(self, text: str) -> None:
        """Drawn text for the user."""
        self.screen.say(text)

    def toolbar(self) -> str:
        """The row below the input line: model, tokens, money, mode."""
        from ctxe.project.session.status_lines import status

        return status(self.live, self.screen.width or 0)

    def cycle(self) -> None:
        """The next of the modes that Shift-Tab goes through; ``auto`` only ever comes by its name."""
        mode = self.live.permit.mode
        self.live.permit.switch(CYCLE[(CYCLE.index(mode) + 1) % len(CYCLE)] if mode in CYCLE else CYCLE[0])

    @property
    def invocation(self) -> Invocation:
        """This project as one of ctxe's own commands would be given it."""
        project = self.live.project
        return Invocation(project.place.working, environment=project.environment)

    def reopen(self, kind: str, session: str) -> None:
        """Leave this session for another one."""
        self.next, self.leaving = (kind, session), True

    def command(self, words: list[str]) -> None:
        """Run one of ctxe's own commands in this project. Raises CtxeError."""
        from ctxe.cli.app import build

        try:
            build(words[:1])(args=words, prog_name="ctxe", standalone_mode=False, obj=self.invocation)
        except Exception as error:
            show = getattr(error, "show", None)
            if not callable(show):
                raise
            show()


@dataclass(frozen=True, slots=True)
class Slash:
    """One slash command; ``does`` gets the chat and the words after the name."""

    name: str
    takes: str
    says: str
    does: Callable[[ChatSession, str], None]


def split(words: str) -> list[str]:
    """The words of a command as a shell would part them; at blanks where a quote is left open, as in don't."""
    import shlex

    try:
        return shlex.split(words)
    except ValueError:
        return words.split()
