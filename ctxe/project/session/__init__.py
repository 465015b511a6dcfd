"""A running session: opened, wired, lived in, undone, closed, and shown before it begins."""
