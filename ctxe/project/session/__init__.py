"""A running session: opened, wired, lived in, undone, closed."""
