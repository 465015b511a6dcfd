"""Separating reasoning that a server leaves in the answer between <think> tags, while it streams."""

from __future__ import annotations

from collections.abc import Iterator

OPEN, CLOSE = "<think>", "</think>"


class Thinking:
    """Splits an answer that begins with a <think> block; tags elsewhere are ordinary text."""

    def __init__(self) -> None:
        self._held_back = ""
        self._state = "start"

    def split(self, text: str) -> Iterator[tuple[str, bool]]:
        """Take a piece of text; yields (text, whether it is reasoning) for all that is certain by now."""
        self._held_back += text
        if self._state == "start":
            self._begin()
        if self._state == "opened" and self._held_back.lstrip("\n"):
            self._state, self._held_back = "thought", self._held_back.lstrip("\n")
        if self._state == "thought":
            thought, close, rest = self._held_back.partition(CLOSE)
            if close:
                self._state, self._held_back = "gap", rest
            else:
                certain = len(thought) - _overlap(thought, CLOSE)
                thought, self._held_back = thought[:certain], thought[certain:]
            if thought:
                yield thought, True
        if self._state == "gap":
            self._held_back = self._held_back.lstrip()
            self._state = "words" if self._held_back else "gap"
        if self._state == "words" and self._held_back:
            yield self._held_back, False
            self._held_back = ""

    def rest(self) -> Iterator[tuple[str, bool]]:
        """The text that was held back, at the end of the answer."""
        if self._held_back and self._state not in ("gap", "opened"):
            yield self._held_back, self._state == "thought"
        self._held_back = ""

    def _begin(self) -> None:
        beginning = self._held_back.lstrip()
        if beginning.startswith(OPEN):
            self._state, self._held_back = "opened", beginning.removeprefix(OPEN)
        elif not OPEN.startswith(beginning):
            self._state = "words"


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
