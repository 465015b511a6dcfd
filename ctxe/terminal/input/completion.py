"""Completion in the input line: slash commands, their arguments, files. Imports prompt-toolkit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ctxe.terminal.style import clean

Files = Callable[[str], Sequence[str]]
Arguments = Callable[[str, str], Sequence[str]]
Commands = Sequence[tuple[str, str]] | Callable[[], Sequence[tuple[str, str]]]
"""(name, help) of each command, or a function that returns the current ones."""


class InputCompleter(Completer):
    """Completes /commands at the start of the line, their arguments after a space, and @files anywhere."""

    def __init__(self, commands: Commands, files_: Files | None, arguments: Arguments | None) -> None:
        self.given = commands
        self.files, self.arguments = files_, arguments

    @property
    def commands(self) -> list[tuple[str, str]]:
        """(name with slash, help) of every current command."""
        every = self.given() if callable(self.given) else self.given
        return [(f"/{name.removeprefix('/')}", says) for name, says in every]

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The completions at the cursor; at most a hundred paths or arguments."""
        text = document.text_before_cursor
        if re.fullmatch(r"/\S*", text):
            every = self.commands
            starts = [(name, says) for name, says in every if name.startswith(text)]
            others = [(name, says) for name, says in every if text[1:] in name[1:] and not name.startswith(text)]
            for name, says in starts + others:
                yield Completion(name, -len(text), display_meta=clean(says))
        elif mention := re.search(r"(?:^|\s)@(\S*)$", text):
            for path in self.files(mention[1])[:100] if self.files else ():
                yield Completion(path, -len(mention[1]), display=clean(path))
        elif (command := re.match(r"/(\S+)\s.*?(\S*)$", text, re.S)) and self.arguments:
            for value in self.arguments(command[1], command[2])[:100]:
                yield Completion(value, -len(command[2]), display=clean(value))
