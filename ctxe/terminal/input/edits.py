"""What keys of the input line do to its text alone."""

from __future__ import annotations

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.key_binding import KeyPressEvent


def insert_key(event: KeyPressEvent) -> None:
    """Insert the pressed character."""
    event.current_buffer.insert_text(event.data)


def submit(event: KeyPressEvent) -> None:
    """Submit. After a backslash insert a newline instead; with a file selected in the menu only close it."""
    buffer: Buffer = event.current_buffer
    chosen = buffer.complete_state.current_completion if buffer.complete_state else None
    if chosen is not None and not chosen.text.startswith("/"):
        buffer.complete_state = None
    elif buffer.document.text_before_cursor.endswith("\\") and buffer.document.is_cursor_at_the_end:
        buffer.delete_before_cursor()
        buffer.insert_text("\n")
    else:
        buffer.validate_and_handle()


def submit_key(event: KeyPressEvent) -> None:
    """Submit the pressed character as the whole answer."""
    event.current_buffer.insert_text(event.data)
    event.current_buffer.validate_and_handle()


def insert_newline(event: KeyPressEvent) -> None:
    """Begin a new row of the input."""
    event.current_buffer.insert_text("\n")
