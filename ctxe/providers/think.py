"""Separating reasoning that a server leaves in the answer between <think> tags, while it streams."""

from __future__ import annotations

from collections.abc import Iterator

OPEN, CLOSE = "<think>", "</think>"


class Thinking:
    """Splits an answer that begins with a <think> block; tags elsewhere are ordinary text."""

    def __init__(self) -> None:
        self._held = ""
        self._where = "start"

    def split(self, text: str) -> Iterator[tuple[str, bool]]:
        """Take a piece of text; yields (text, whether it is reasoning) for all that is certain by now."""
        self._held += text
        if self._where == "start":
            self._begin()
        if self._where == "opened" and self._held.lstrip("\n"):
            self._where, self._held = "thought", self._held.lstrip("\n")
        if self._where == "thought":
            thought, close, rest = self._held.partition(CLOSE)
            if close:
                self._where, self._held = "gap", rest
            else:
                sure = len(thought) - _overlap(thought, CLOSE)
                thought, self._held = thought[:sure], thought[sure:]
            if thought:
                yield thought, True
        if self._where == "gap":
            self._held = self._held.lstrip()
            self._where = "words" if self._held else "gap"
        if self._where == "words" and self._held:
            yield self._held, False
            self._held = ""

    def rest(self) -> Iterator[tuple[str, bool]]:
        """The text that was held back, at the end of the answer."""
        if self._held and self._where not in ("gap", "opened"):
            yield self._held, self._where == "thought"
        self._held = ""

    def _begin(self) -> None:
        head = self._held.lstrip()
        if head.startswith(OPEN):
            self._where, self._held = "opened", head.removeprefix(OPEN)
        elif not OPEN.startswith(head):
            self._where = "words"


def unopened(text: str) -> tuple[str, str]:
    """(reasoning, words) of an answer whose opening tag is part of the request, as in some chat templates.

    The closing tag must be alone on its line and outside of fences; anywhere else it is only mentioned.
    """
    thought, close, rest = text.partition(f"\n{CLOSE}\n")
    if not close or OPEN in thought or thought.count("```") % 2:
        return "", text
    return thought.strip(), rest.lstrip()


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
