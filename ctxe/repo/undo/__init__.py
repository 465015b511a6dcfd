"""Undo: what a turn changes in the work tree is kept before, and comes back to the byte."""
