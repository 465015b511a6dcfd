"""The state of a chat, and the interface that slash commands use."""

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


RESULTS = 50  # newest calls whose whole output /output can show
CYCLE = ("ask", "auto-edit", "read-only")


@dataclass(slots=True)
class ChatSession:
    """What a slash command may use. ``next_session`` is the session that follows this one: (new|resume|fork, id).

    ``rewind_to``: the next session begins before this turn, with these words in its input line. ``input_text``: words
    to put in the input line. ``results`` are the newest calls that ended, for seeing the whole output that the screen
    shortened. ``succeeded``: the newest turn or command neither failed nor was stopped by Ctrl-C (Escape does not
    count).
    """

    live: Live
    screen: Screen
    renderer: Renderer
    prompt: Prompt
    leaving: bool = False
    succeeded: bool = True
    last_test: str = ""
    input_text: str = ""
    next_session: tuple[str, str] | None = None
    rewind_to: tuple[int, str] = (0, "")
    results: deque[ToolFinished] = field(default_factory=lambda: deque(maxlen=RESULTS))

    def play(self, events: Iterable[Event]) -> None:
        """Show events as they come; Ctrl-C ends the turn and keeps what came."""
        from ctxe.terminal.input.interrupt import play

        self.succeeded = play(events, self._show)

    def _show(self, event: Event) -> None:
        if isinstance(event, ToolFinished):
            self.results.append(event)
        self.renderer.show(event)

    def turn(self, words: str, own: str | None = None) -> None:
        """Run a turn; ``own`` is as for ``session.turns.turn``.

        An error that ended it is on the screen already; only its hint is added. Words that were stopped before the turn
        began come back into the input line. Raises CtxeError when the turn could not begin.
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
        from ctxe.terminal.input.interrupt import current_interrupts, play

        self.succeeded = False
        try:
            with self.renderer.working():
                whole = play(turn(self.live, words, self._since, own), show)
                self.succeeded = (whole or current_interrupts().by_escape) and not failed
                self.input_text = self.input_text if whole or begun else words
        except CtxeError as error:
            if error.message not in failed:
                raise
            if error.hint:
                self.renderer.print_hint(error.hint)

    def _since(self) -> str:
        """Words entered while the model works, to be sent between two steps; ↑ brings them back."""
        if words := self.renderer.take_entered():
            self.prompt.keep(words)
        return words

    def say(self, text: str) -> None:
        """Show drawn text to the user."""
        self.screen.say(text)

    def toolbar(self) -> str:
        """The row below the input line: model, tokens, cost, mode."""
        from ctxe.project.session.status_lines import status

        return status(self.live, self.screen.width or 0)

    def cycle(self) -> None:
        """Switch to the next mode of CYCLE, for Shift-Tab; ``auto`` is only reached by name."""
        mode = self.live.permit.mode
        self.live.permit.switch(CYCLE[(CYCLE.index(mode) + 1) % len(CYCLE)] if mode in CYCLE else CYCLE[0])

    @property
    def invocation(self) -> Invocation:
        """An invocation for running ctxe's own commands in this project."""
        project = self.live.project
        return Invocation(project.place.working, environment=project.environment)

    def reopen(self, kind: str, session: str) -> None:
        """Leave this session for another one."""
        self.next_session, self.leaving = (kind, session), True

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
class SlashCommand:
    """One slash command; ``run`` receives the chat and the words after the name."""

    name: str
    arguments: str
    help: str
    run: Callable[[ChatSession, str], None]


def split_words(words: str) -> list[str]:
    """Split words as a shell does; at blanks when a quote is not closed, as in don't."""
    import shlex

    try:
        return shlex.split(words)
    except ValueError:
        return words.split()
