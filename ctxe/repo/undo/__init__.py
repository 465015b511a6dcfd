"""Undo: files that a turn changes are copied before, and restored byte for byte."""
