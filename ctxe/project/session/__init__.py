"""A running session, from opening and wiring to undo and close."""
