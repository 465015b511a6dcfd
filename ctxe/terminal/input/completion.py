"""Completion in the input line: slash commands, their arguments, files. Imports prompt-toolkit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ctxe.terminal.input.completions import Completions
from ctxe.terminal.style import clean


class InputCompleter(Completer):
    """Completes /commands at the start of the line, their arguments after a space, and @files anywhere."""

    def __init__(self, completions: Completions) -> None:
        self.completions = completions

    @property
    def commands(self) -> list[tuple[str, str]]:
        """(name with slash, help) of every current command."""
        return [(f"/{name.removeprefix('/')}", says) for name, says in self.completions.commands()]

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
            for path in self.completions.files(mention[1])[:100]:
                yield Completion(path, -len(mention[1]), display=clean(path))
        elif command := re.match(r"/(\S+)\s.*?(\S*)$", text, re.S):
            for value in self.completions.arguments(command[1], command[2])[:100]:
                yield Completion(value, -len(command[2]), display=clean(value))
