"""Notes by the user get their first words as title; none is lost or shown twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.domain.errors import CtxeError
from ctxe.project import Project
from ctxe.project.memory.memories import add_note

LONG = "The gateway retries every request that " + "very " * 20 + "rarely fails"


@pytest.mark.parametrize(
    ("words", "title", "text"),
    [
        (" The API listens on 8080 \n", "The API listens on 8080", ""),
        ("Ports\nThe API listens on 8080", "Ports", "Ports\nThe API listens on 8080"),
        ("記" * 120, "記" * 99 + "…", "記" * 120),
        (f"{LONG}\nand more", LONG[:99].rpartition(" ")[0] + "…", f"{LONG}\nand more"),
    ],
)
def test_a_note_keeps_every_word(tmp_path: Path, words: str, title: str, text: str) -> None:
    entry = add_note(Project.open(tmp_path, {}), words, "s1")
    assert (entry.kind, entry.title, entry.text, entry.session) == ("fact", title, text, "s1")


def test_a_note_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CtxeError, match="say what to remember"):
        add_note(Project.open(tmp_path, {}), " \n")
