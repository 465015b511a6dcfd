"""Lets a person edit an entry's file; invalid text goes back to the editor, so that no words are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.memory.types import Entry
    from ctxe.terminal.input.prompt import Prompt


def edit_by_hand(project: Project, prompt: Prompt, entry: Entry) -> bool:
    """Have a person edit an entry's file; False when it stays unchanged. Raises StoreError for an entry of a log."""
    from ctxe.domain.errors import StoreError
    from ctxe.project.memory import inbox

    before = text = inbox.read_entry_file(project, entry)
    while True:
        text = prompt.edit(text, ".md")
        try:
            return inbox.write_entry_file(project, entry, before, text)
        except StoreError as error:
            prompt.screen.tell(": ".join(filter(None, (error.message, error.hint))))
        if prompt.ask("[e]dit it again, [l]eave it as it was?", ("edit", "leave")) == "leave":
            return False
