"""The model's answer while it streams: finished blocks are printed, the unfinished one is redrawn below them."""

from __future__ import annotations

from ctxe.domain.conversation import Reply
from ctxe.domain.model import Waiting
from ctxe.terminal import figures
from ctxe.terminal.activity import Activity
from ctxe.terminal.page import Page
from ctxe.terminal.screen import Clock
from ctxe.terminal.style import line
from ctxe.terminal.transcript import retry_line


class Answer:
    """One streaming answer; ``streamed``: part of it has arrived."""

    def __init__(self, page: Page, activity: Activity, clock: Clock) -> None:
        self.page, self.activity, self.clock = page, activity, clock
        self.streamed = False

    def append(self, text: str, *, draws: bool) -> None:
        """Add text. If the screen ``draws``, finished blocks are printed as soon as another one begins."""
        self._end_thinking()
        self.streamed = True
        self.activity.block += text
        self.activity.set_doing("answering", self.clock())
        if draws and "\n" in self.activity.block:
            from ctxe.terminal import markdown

            finished, self.activity.block = markdown.split(self.activity.block)
            self.page.print_blocks(finished)

    def finish(self, reply: Reply) -> None:
        """Print the last block of a complete answer, or all of it if it arrived in one piece."""
        if not self.streamed and reply.text:
            self.append(reply.text, draws=False)
        self.flush()
        self.streamed = False
        if reply.usage is not None and reply.usage.input:
            self.activity.held = reply.usage.input + reply.usage.output

    def flush(self) -> None:
        """Print the rest of the thinking and of the answer."""
        self._end_thinking()
        block, self.activity.block = self.activity.block, ""
        self.page.print_blocks(block)

    def discard(self, event: Waiting) -> None:
        """Remove the words shown so far, which are void; if they have scrolled away, mark them as void."""
        if self.streamed and not self.page.region.retract():
            self.page.print_lines([line(("the words above are void", "warn"))])
        self.activity.block = self.activity.thought = ""
        self.streamed = False
        self.page.print_lines([retry_line(event, self.page.screen.unicode)])
        self.activity.set_doing("asking again in", self.clock(), self.clock() + event.seconds)
        self.page.region.mark()

    def _end_thinking(self) -> None:
        """Replace the thinking by one line with its duration; by nothing if it took less than a second."""
        if self.activity.thought:
            self.activity.thought, seconds = "", self.clock() - self.activity.since
            self.page.print_lines([line((f"thought for {figures.seconds(seconds)}", "dim"))] if seconds >= 1 else [])
