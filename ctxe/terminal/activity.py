"""The activity shown in the bottom rows of a live screen, and erased when it is over."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.domain.events import ToolStarted
from ctxe.domain.value import dataclass, field
from ctxe.terminal import figures
from ctxe.terminal.calls import call_head
from ctxe.terminal.input.typeahead import TypeAhead
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, clip, fold, glyph, line, lines

SPINNER = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\")
FRAME = 0.1  # seconds per frame of the spinner
OUTPUT_ROWS, OUTPUT_CHARACTERS = 6, 4_000  # of a running command's output
SLOW = 3.0  # seconds after which a hint names the key that sends a command to the background
THOUGHT_ROWS, THOUGHT_CHARACTERS = 3, 1_000  # of the model's thinking


@dataclass(slots=True)
class Activity:
    """The unfinished block of an answer, the running call with the end of its output, the end of the thinking.

    ``since`` is when ``doing`` began, ``until`` when a wait ends (0: no wait), both in seconds of the clock. ``held``
    is the number of tokens in the context window, ``usable`` its limit. ``typeahead`` is what the user types meanwhile,
    ``key`` the hint how to stop, ``mode`` returns the approval mode.
    """

    doing: str = ""
    since: float = 0.0
    until: float = 0.0
    block: str = ""
    thought: str = ""
    call: ToolStarted | None = None
    output: str = ""
    held: int = 0
    usable: int = 0
    typeahead: TypeAhead = field(default_factory=TypeAhead)
    key: str = "Ctrl-C stops"
    mode: Callable[[], str] = str
    drawn: tuple[str, int, list[str]] = field(default=("", 0, []))

    def set_doing(self, doing: str, now: float, until: float = 0.0) -> None:
        """Set what is being done.

        The elapsed time restarts, unless only the rest of the phrase changes (same first word).
        """
        if doing.split(" ")[:1] != self.doing.split(" ")[:1]:
            self.since = now
        self.doing, self.until = doing, until

    def add_output(self, text: str) -> None:
        """Add output of the running call."""
        self.output = (self.output + text)[-OUTPUT_CHARACTERS:]

    def add_thought(self, text: str) -> None:
        """Add text of the model's thinking."""
        self.thought = (self.thought + text)[-THOUGHT_CHARACTERS:]


def _block(activity: Activity, screen: Screen) -> list[str]:
    """The unfinished block as painted rows, rendered only if it or the window has changed."""
    from ctxe.terminal import markdown

    columns = screen.size()[0]
    if activity.drawn[:2] != (activity.block, columns):
        rows = markdown.render(markdown.tail(activity.block), columns, screen.color, screen.unicode)
        activity.drawn = (activity.block, columns, rows)
    return activity.drawn[2]


def _above(activity: Activity, columns: int, unicode: bool) -> list[Line]:
    """The running call and its output, or else the end of the thinking."""
    if activity.call is not None:
        by = f"by {activity.call.by}" if activity.call.by else ""
        head = call_head(activity.call.tool, activity.call.title, None, unicode, by)
        output = activity.output.rstrip("\n").split("\n") if activity.output else []
        shown = [row.rstrip("\r").rpartition("\r")[2] for row in output[-OUTPUT_ROWS:]]
        return [head, *(line((f"  {row}", "dim")) for row in shown)]
    thought = lines(activity.thought.strip(), "dim") if activity.thought.strip() else []
    return [row for one in thought for row in fold(one, columns)][-THOUGHT_ROWS:]


def _status(activity: Activity, now: float, unicode: bool) -> Line:
    """Spinner, activity with elapsed (or remaining) time, context size, and the keys that stop it."""
    frames = SPINNER[0 if unicode else 1]
    left = activity.until - now if activity.until else now - activity.since
    parts = [f"{activity.doing} {max(0, round(left))}s"]
    if activity.usable:
        parts.append(f"{figures.size(activity.held)} of {figures.size(activity.usable)}")
    shell = activity.call is not None and activity.call.tool == "run_command"
    keys = [activity.key, *(["Ctrl-B background"] if shell and now - activity.since > SLOW else [])]
    words = f" {glyph('dot', unicode)} ".join([*parts, *keys, *filter(None, [activity.mode()])])
    return line((f"{frames[int(now / FRAME) % len(frames)]} ", "accent"), (words, "dim"))


def activity_rows(activity: Activity, now: float, screen: Screen) -> list[str]:
    """Painted rows that fit the window; if there are too many, those at the top are dropped."""
    columns, height = screen.size()
    status = screen.paint(clip(_status(activity, now, screen.unicode), columns, screen.unicode))
    if activity.block.strip():
        above = ["", *_block(activity, screen)]
    else:
        above = [screen.paint(clip(row, columns, screen.unicode)) for row in _above(activity, columns, screen.unicode)]
    ahead = [screen.paint(row) for row in activity.typeahead.rows(columns, screen.unicode)]
    room = max(0, height - 3 - len(ahead))
    return [*(above[-room:] if room else []), *([""] if above and height > 4 else []), status, *ahead]
