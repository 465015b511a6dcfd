"""Long texts that were pasted into the input line: a placeholder stands for each, until the line is entered."""

from __future__ import annotations

LONG_ROWS, LONG_CHARACTERS = 12, 2_000  # pasted text above either limit is shown as a placeholder


class PastedTexts:
    """The texts by their placeholders."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def shorten(self, text: str) -> str:
        """The text, or the placeholder of a long one."""
        rows = text.count("\n") + (not text.endswith("\n"))
        if rows <= LONG_ROWS and len(text) <= LONG_CHARACTERS:
            return text
        word = f"[pasted {rows} lines]" if rows > 1 else f"[pasted {len(text)} characters]"
        while word in self._texts:
            word = word[:-1] + "*]"
        self._texts[word] = text
        return word

    def expand(self, text: str) -> str:
        """The text with placeholders replaced by what was pasted."""
        for word, content in self._texts.items():
            text = text.replace(word, content)
        return text

    def clear(self) -> None:
        """Forget all of them."""
        self._texts.clear()
